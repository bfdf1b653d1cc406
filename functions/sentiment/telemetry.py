"""One log line and a few counts for each request, and never a word that a caller wrote."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from errors import CallerError, ServiceError
from review_text import INFREQUENT

if TYPE_CHECKING:
    from review_text.predict import Prediction, Review

logger = Logger()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "Reeltone")


def note_reviews(reviews: Sequence[Review | CallerError]) -> None:
    """Note how much there is to read."""
    readable = [review for review in reviews if not isinstance(review, CallerError)]
    logger.append_keys(
        reviews=len(reviews),
        characters=sum(len(review.text) for review in readable),
        tokens=sum(len(review.encoded.ids) for review in readable),
        unknown=sum(review.encoded.ids.count(INFREQUENT) for review in readable),
        truncated=sum(review.encoded.truncated for review in readable),
    )


def note_outcomes(outcomes: Sequence[Prediction | CallerError]) -> None:
    """Note what the model made of it, in figures that tell when reviews are no longer like those
    that it was trained on."""
    given = [outcome for outcome in outcomes if not isinstance(outcome, CallerError)]
    if not given:
        return
    verdicts = [prediction.verdict for prediction in given]
    logger.append_keys(
        answered=len(given),
        confidence=round(sum(prediction.confidence for prediction in given) / len(given), 4),
        **{verdict: verdicts.count(verdict) for verdict in ("positive", "mixed", "unclear")},
    )


def note_error(error: Exception, problem: str) -> None:
    """Note why there is no answer; ``problem``: what the caller is told, as a type."""
    logger.append_keys(problem=problem, **_find_reason(error))


@contextmanager
def measure_endpoint() -> Iterator[None]:
    """Note how many milliseconds the endpoint takes to answer or to fail."""
    started = perf_counter()
    try:
        yield
    finally:
        milliseconds = _count_milliseconds(started)
        metrics.add_metric("EndpointLatency", MetricUnit.Milliseconds, milliseconds)
        logger.append_keys(endpoint_milliseconds=milliseconds)


def note_model(version: str) -> None:
    """Note which model answered."""
    logger.append_keys(model=version)


def record_request(status: int, started: float) -> None:
    """Write the log line, and count by outcome; ``started``: a ``perf_counter()``."""
    outcome, log = _name_outcome(status)
    metrics.add_metric(outcome, MetricUnit.Count, 1)
    log("request", status=status, milliseconds=_count_milliseconds(started))


def _name_outcome(status: int) -> tuple[str, Any]:
    if status < 400:
        return "Answered", logger.info
    if status < 500:
        return "Refused", logger.info
    if status == 503:
        return "Unavailable", logger.warning
    return "Failed", logger.error


def _find_reason(error: Exception) -> dict[str, Any]:
    if isinstance(error, CallerError):
        return {}  # the caller was told, in words that may be the caller's own
    if isinstance(error, ServiceError):
        return {"reason": str(error)}
    # The message of an unexpected error might quote a review; the way to it cannot.
    frames = extract_tb(error.__traceback__)
    places = [f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    return {"reason": type(error).__name__, "places": places}


def _count_milliseconds(started: float) -> float:
    return round((perf_counter() - started) * 1000, 1)
