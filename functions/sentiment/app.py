"""The HTTP API: a route reads its request, asks the use case and shapes the answer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from time import perf_counter
from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from body import JSON, TEXT, parse_fields, read_body
from endpoint import Answer, Endpoint, connect
from errors import CallerError, MethodNotAllowedError, RouteNotFoundError, describe_problem
from predict import MAX_CHARACTERS, MAX_REVIEWS, Prediction, check_list, predict, read_reviews
from settings import Settings, read_settings
from telemetry import logger, measure_endpoint, metrics, note_error, note_reviews, record_request

PROBLEM = "application/problem+json"

Event = Mapping[str, Any]
"""Of an HTTP API, payload format 2.0."""


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    media_type: str
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As an HTTP API takes it from a function."""
        headers = {"Content-Type": self.media_type, "Cache-Control": "no-store", **self.headers}
        return {
            "statusCode": self.status,
            "headers": headers,
            "body": self.body,
            "isBase64Encoded": False,
        }


@cache
def load_settings() -> Settings:
    """The settings of this process."""
    return read_settings(os.environ)


@cache
def load_endpoint() -> Endpoint:
    """The endpoint; its connection stays open from one request to the next."""
    settings = load_settings()
    return connect(settings.endpoint_name, settings.vocabulary.fingerprint)


def post_sentiment(event: Event) -> Response:
    """One review."""
    media_type, text = read_body(event, JSON, TEXT)
    if media_type == TEXT:
        return Response(200, TEXT, "1" if predict_one(text).is_positive else "0")
    review, explain = parse_fields(text, "review")
    return answer_json(predict_one(review, explain).to_dict())


def post_sentiments(event: Event) -> Response:
    """Up to 100 reviews; each gets its prediction or its problem."""
    _, text = read_body(event, JSON)
    reviews, explain = parse_fields(text, "reviews")
    outcomes = predict_all(check_list(reviews), explain)
    models = [outcome.model for outcome in outcomes if isinstance(outcome, Prediction)]
    return answer_json(
        {
            "model": models[0] if models else load_settings().model_version,
            "results": [show_outcome(outcome) for outcome in outcomes],
        }
    )


def get_model(_: Event) -> Response:
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


def get_health(_: Event) -> Response:
    """Whether the model answers; asking wakes it."""
    return answer_json({"status": "ok", "model": invoke([], False).model})


Route = Callable[[Event], Response]

# Powertools' router would add a quarter to a cold start: see docs/decisions.md.
ROUTES: dict[str, tuple[str, Route]] = {
    "/api/sentiment": ("POST", post_sentiment),
    "/api/sentiments": ("POST", post_sentiments),
    "/api/model": ("GET", get_model),
    "/api/health": ("GET", get_health),
}


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


def answer_json(content: dict[str, Any]) -> Response:
    """A successful answer."""
    return Response(200, JSON, dump_json(content))


def answer_error(error: Exception) -> Response:
    """The problem of an error."""
    problem = describe_problem(error)
    note_error(error, problem["type"])
    headers = {"Retry-After": str(problem["retryAfter"])} if "retryAfter" in problem else {}
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = error.allowed
    body = dump_json({**problem, "requestId": str(logger.get_correlation_id())})
    return Response(problem["status"], PROBLEM, body, headers)


def find_route(event: Event) -> Route:
    """What answers this path and method.

    Raises:
        RouteNotFoundError: no route has the path.
        MethodNotAllowedError: the route takes another method.
    """
    request, path = event["requestContext"], event["rawPath"]
    if request["stage"] != "$default":
        path = path.removeprefix(f"/{request['stage']}")
    if path not in ROUTES:
        raise RouteNotFoundError(f"The API has {', '.join(ROUTES)}; not this.")
    method, route = ROUTES[path]
    if request["http"]["method"] != method:
        raise MethodNotAllowedError(method)
    return route


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
    response = respond(event)
    record_request(response.status, started)
    return response.to_dict()


def respond(event: Event) -> Response:
    """The outermost boundary: what a route raises is an answer, too."""
    try:
        logger.append_keys(route=event.get("routeKey"))
        return find_route(event)(event)
    except Exception as error:
        return answer_error(error)


# In Lambda, what every request needs is made while the container starts, at full speed.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    load_endpoint()
