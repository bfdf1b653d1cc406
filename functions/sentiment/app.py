"""The HTTP API: a route reads its request, asks the use case and shapes the answer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

import comprehend
from body import (
    JSON,
    MAX_EXPLAINED,
    MAX_REQUEST_CHARACTERS,
    TEXT,
    check_list,
    parse_fields,
    read_body,
)
from deadline import DeadlineError, limit_time
from endpoint import load_endpoint
from errors import (
    CallerError,
    MethodNotAllowedError,
    OutOfTimeError,
    RouteNotFoundError,
    describe_problem,
)
from events import Request, Response, check_origin, read_event, write_result
from review_text.predict import (
    MAX_CHARACTERS,
    MAX_REVIEWS,
    Prediction,
    predict,
    read_reviews,
)
from settings import load_settings
from telemetry import logger, metrics, note_error, note_outcomes, note_reviews, record_request

PROBLEM = "application/problem+json"

ANSWER_SECONDS = 1.0
"""Seconds of the function's time that are kept for saying that the rest is used up."""


def post_sentiment(request: Request) -> Response:
    """Answer one review."""
    media_type, text = read_body(request, JSON, TEXT)
    if media_type == TEXT:
        return Response(200, TEXT, "1" if predict_one(text).is_positive else "0")
    review, explain, effects = parse_fields(text, "review", explain=False, effects=True)
    return answer_json(predict_one(review, explain, explain and effects).to_dict())


def post_sentiments(request: Request) -> Response:
    """Answer up to 100 reviews; each gets its prediction or its problem."""
    _, text = read_body(request, JSON)
    reviews, explain = parse_fields(text, "reviews", explain=False)
    outcomes = predict_all(check_list(reviews, explain), explain)
    models = [outcome.model for outcome in outcomes if isinstance(outcome, Prediction)]
    return answer_json(
        {
            "model": models[0] if models else load_settings().model_version,
            "results": [show_outcome(outcome) for outcome in outcomes],
        }
    )


def post_comprehend(request: Request) -> Response:
    """Answer an operation of Amazon Comprehend."""
    call = comprehend.read_call(request)
    answer = comprehend.write_answer(call, predict_all(call.texts, explain=False))
    return answer_comprehend(200, answer)


def get_model(_: Request) -> Response:
    """Say which model answers, how good it is, and what it takes."""
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
                "explained": MAX_EXPLAINED,
                "request_characters": MAX_REQUEST_CHARACTERS,
            },
        }
    )


def get_health(_: Request) -> Response:
    """Say whether the model answers; asking wakes it."""
    return answer_json({"status": "ok", "model": load_endpoint().invoke([]).model})


def predict_one(review: object, explain: bool = False, effects: bool = False) -> Prediction:
    """Predict one review.

    Raises:
        CallerError: the review cannot be read.
        ServiceError: the endpoint gave no usable answer.
    """
    [outcome] = predict_all([review], explain, effects)
    if isinstance(outcome, CallerError):
        raise outcome
    return outcome


def predict_all(
    values: list[object], explain: bool, effects: bool = False
) -> list[Prediction | CallerError]:
    """Give a prediction or an error for each review.

    Raises:
        ServiceError: the endpoint gave no usable answer.
    """
    settings = load_settings()
    reviews = read_reviews(values, settings.vocabulary)
    note_reviews(reviews)
    outcomes = predict(reviews, load_endpoint(), settings.rule, explain, effects)
    note_outcomes(outcomes)
    return outcomes


def show_outcome(outcome: Prediction | CallerError) -> dict[str, Any]:
    """Show one of several results."""
    if isinstance(outcome, Prediction):
        return outcome.to_dict()
    return {"problem": describe_problem(outcome)}


def answer_json(content: dict[str, Any]) -> Response:
    """Answer with a success."""
    return Response(200, JSON, dump_json(content))


def answer_error(error: Exception) -> Response:
    """Answer with the problem of an error."""
    problem = describe_problem(error)
    note_error(error, problem["type"])
    headers = {"Retry-After": str(problem["retryAfter"])} if "retryAfter" in problem else {}
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = error.allowed
    body = dump_json({**problem, "requestId": str(logger.get_correlation_id())})
    return Response(problem["status"], PROBLEM, body, headers)


def answer_comprehend(status: int, content: dict[str, Any]) -> Response:
    """Answer a client of Comprehend."""
    headers = {"x-amzn-RequestId": str(logger.get_correlation_id())}
    return Response(status, comprehend.MEDIA_TYPE, dump_json(content), headers)


def refuse_comprehend(error: Exception) -> Response:
    """Answer a client of Comprehend with an error of that protocol."""
    status, content = comprehend.write_error(error)
    note_error(error, content["__type"])
    return answer_comprehend(status, content)


@dataclass(frozen=True)
class Route:
    """What answers the requests with one path."""

    method: str
    answer: Callable[[Request], Response]
    refuse: Callable[[Exception], Response] = answer_error
    """Says what is wrong in the form that callers of this path know."""


# Powertools' router would add a quarter to a cold start: see docs/decisions.md.
ROUTES = {
    "/api/sentiment": Route("POST", post_sentiment),
    "/api/sentiments": Route("POST", post_sentiments),
    "/api/comprehend": Route("POST", post_comprehend, refuse_comprehend),
    "/api/model": Route("GET", get_model),
    "/api/health": Route("GET", get_health),
}


def find_route(request: Request) -> Route:
    """Find the route of a request that may have any path and any method.

    Raises:
        CallerError: no route has the path, or it has another method, or the request went past
            CloudFront.
    """
    check_origin(request.headers, load_settings().origin_secret)
    route = _find_path(request)
    if request.method == "HEAD" and route.method == "GET":
        return replace(route, answer=lambda request: replace(route.answer(request), body=""))
    if request.method != route.method:
        raise MethodNotAllowedError(route.method)
    return route


def _find_path(request: Request) -> Route:
    path = request.path.rstrip("/")
    # A named stage stands before the path, unless a domain of one's own leads to it.
    for candidate in (path, path.removeprefix(f"/{request.stage}")):
        if candidate in ROUTES:
            return ROUTES[candidate]
    raise RouteNotFoundError(f"The API has {', '.join(ROUTES)}; not this.")


def dump_json(content: dict[str, Any]) -> str:
    """Write compact JSON, in ASCII because a caller's lone surrogate cannot be UTF-8."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


@logger.inject_lambda_context(
    correlation_id_path=correlation_paths.API_GATEWAY_HTTP, clear_state=True, log_event=False
)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request; whatever happens, the answer is an HTTP response."""
    started = perf_counter()
    if not logger.get_correlation_id():
        logger.set_correlation_id(context.aws_request_id)
    response = respond(event, context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS)
    record_request(response.status, started)
    return write_result(response, event)


def respond(event: dict[str, Any], seconds: float) -> Response:
    """Answer within ``seconds``. The outermost boundary: what a route raises is an answer, too."""
    refuse: Callable[[Exception], Response] = answer_error
    try:
        request = read_event(event)
        logger.append_keys(route=event.get("routeKey", event.get("resource")))
        route = find_route(request)
        refuse = route.refuse
        with limit_time(seconds):
            return route.answer(request)
    except DeadlineError:
        return refuse(OutOfTimeError(f"not done after {seconds:.1f} s"))
    except Exception as error:
        return refuse(error)


# In Lambda, what every request needs is made while the container starts, at full speed.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    load_endpoint()
