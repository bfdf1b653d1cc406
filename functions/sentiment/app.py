"""The HTTP API: a route reads its request, asks the use case and shapes the answer."""

from __future__ import annotations

import json
import os
from functools import cache
from time import perf_counter
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from body import JSON, TEXT, parse_fields, read_body
from endpoint import Answer, Endpoint, connect
from errors import CallerError, MethodNotAllowedError, RouteNotFoundError, describe_problem
from predict import MAX_CHARACTERS, MAX_REVIEWS, Prediction, check_list, predict, read_reviews
from settings import Settings, read_settings
from telemetry import logger, measure_endpoint, metrics, note_error, note_reviews, record_request

PROBLEM = "application/problem+json"

METHODS = {
    "/api/sentiment": "POST",
    "/api/sentiments": "POST",
    "/api/model": "GET",
    "/api/health": "GET",
}

# Debug mode is off whatever the environment says: it prints events, which hold reviews.
app = APIGatewayHttpResolver(debug=False)


@cache
def load_settings() -> Settings:
    """The settings of this process."""
    return read_settings(os.environ)


@cache
def load_endpoint() -> Endpoint:
    """The endpoint; its connection stays open from one request to the next."""
    settings = load_settings()
    return connect(settings.endpoint_name, settings.vocabulary.fingerprint)


@app.post("/api/sentiment")
def post_sentiment() -> Response[str]:
    """One review."""
    media_type, text = read_body(app.current_event, JSON, TEXT)
    if media_type == TEXT:
        return Response(200, TEXT, "1" if predict_one(text).is_positive else "0")
    review, explain = parse_fields(text, "review")
    return answer_json(predict_one(review, explain).to_dict())


@app.post("/api/sentiments")
def post_sentiments() -> Response[str]:
    """Up to 100 reviews; each gets its prediction or its problem."""
    _, text = read_body(app.current_event, JSON)
    reviews, explain = parse_fields(text, "reviews")
    outcomes = predict_all(check_list(reviews), explain)
    models = [outcome.model for outcome in outcomes if isinstance(outcome, Prediction)]
    return answer_json(
        {
            "model": models[0] if models else load_settings().model_version,
            "results": [show_outcome(outcome) for outcome in outcomes],
        }
    )


@app.get("/api/model")
def get_model() -> Response[str]:
    """Which model answers, how good it is, and what it takes."""
    settings = load_settings()
    return answer_json(
        {
            "name": settings.model_name,
            "version": settings.model_version,
            "architecture": settings.architecture,
            "vocabulary": settings.vocabulary.fingerprint,
            "metrics": settings.metrics,
            "limits": {
                "characters": MAX_CHARACTERS,
                "reviews": MAX_REVIEWS,
                "tokens": settings.vocabulary.settings.max_tokens,
            },
        }
    )


@app.get("/api/health")
def get_health() -> Response[str]:
    """Whether the model answers; asking wakes it."""
    return answer_json({"status": "ok", "model": invoke([], False).model})


def predict_one(review: object, explain: bool = False) -> Prediction:
    """The prediction for one review.

    Raises:
        CallerError: the review cannot be read.
        ServiceError: the endpoint gave no usable answer.
    """
    [outcome] = predict_all([review], explain)
    if isinstance(outcome, CallerError):
        raise outcome
    return outcome


def predict_all(values: list[object], explain: bool) -> list[Prediction | CallerError]:
    """A prediction or an error for each review.

    Raises:
        ServiceError: the endpoint gave no usable answer.
    """
    reviews = read_reviews(values, load_settings().vocabulary)
    note_reviews(reviews)
    return predict(reviews, invoke, explain)


def invoke(reviews: list[list[int]], contributions: bool) -> Answer:
    """Ask the endpoint for readings of ``reviews``, lists of token ids."""
    endpoint = load_endpoint()
    with measure_endpoint():
        answer = endpoint.invoke(reviews, contributions)
    logger.append_keys(model=answer.model)
    return answer


def show_outcome(outcome: Prediction | CallerError) -> dict[str, Any]:
    """One of several results."""
    if isinstance(outcome, Prediction):
        return outcome.to_dict()
    return {"problem": describe_problem(outcome)}


def answer_json(content: dict[str, Any]) -> Response[str]:
    """A successful answer."""
    return Response(200, JSON, dump_json(content))


def answer_error(error: Exception) -> Response[str]:
    """The problem of an error."""
    problem = describe_problem(error)
    note_error(error, problem["type"])
    headers = {"Retry-After": str(problem["retryAfter"])} if "retryAfter" in problem else {}
    body = dump_json({**problem, "requestId": logger.get_correlation_id()})
    return Response(problem["status"], PROBLEM, body, headers)


def refuse_route(_: Exception) -> Response[str]:
    """A path that no route has, or not with this method."""
    method = METHODS.get(app.current_event.path)
    if method is None:
        return answer_error(RouteNotFoundError(f"The API has {', '.join(METHODS)}; not this."))
    response = answer_error(MethodNotAllowedError(f"This address takes {method} and no other."))
    response.headers["Allow"] = method
    return response


app.exception_handler(Exception)(answer_error)
app.not_found(refuse_route)


def dump_json(content: dict[str, Any]) -> str:
    """Compact JSON, in ASCII because a caller's lone surrogate cannot be UTF-8."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


@logger.inject_lambda_context(
    correlation_id_path=correlation_paths.API_GATEWAY_HTTP, clear_state=True, log_event=False
)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of an HTTP API; whatever happens, the answer is an HTTP response."""
    started = perf_counter()
    if not logger.get_correlation_id():
        logger.set_correlation_id(context.aws_request_id)
    response = resolve(event, context)
    response["headers"]["Cache-Control"] = "no-store"
    record_request(response["statusCode"], started)
    return response


def resolve(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The outermost boundary: ``app`` answers what routes raise; this, what ``app`` itself does."""
    try:
        logger.append_keys(route=event.get("routeKey"))
        return app.resolve(event, context)
    except Exception as error:
        response = answer_error(error)
        return {
            "statusCode": response.status_code,
            "headers": response.headers,
            "body": response.body,
            "isBase64Encoded": False,
        }


# In Lambda, what every request needs is made while the container starts, at full speed.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    load_endpoint()
