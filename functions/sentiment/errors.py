"""The named errors, and the one place that turns them into problem details (RFC 9457)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from review_text.errors import (
    CallerError as CallerError,
)
from review_text.errors import (
    EmptyReviewError as EmptyReviewError,
)
from review_text.errors import (
    MalformedRequestError as MalformedRequestError,
)
from review_text.errors import (
    MistypedFieldError as MistypedFieldError,
)
from review_text.errors import (
    NoWordsError as NoWordsError,
)
from review_text.errors import (
    ReviewTooLongError as ReviewTooLongError,
)


class UnknownEventError(CallerError):
    """The function was invoked with something that is no HTTP request."""

    def __init__(self) -> None:
        super().__init__(
            "The event is no HTTP request. Send one of an HTTP API (such as events/positive.json), "
            "a REST API, a load balancer or a Function URL."
        )


class WrongOriginError(CallerError):
    """The request did not come through CloudFront."""


class RouteNotFoundError(CallerError):
    """No route has this path."""


class MethodNotAllowedError(CallerError):
    """The route has this path, with another method."""

    def __init__(self, allowed: str) -> None:
        super().__init__(f"This address takes {allowed} and no other.")
        self.allowed = allowed


class TooManyReviewsError(CallerError):
    """The request has more reviews, or more characters in them, than a request may have."""


class UnsupportedMediaTypeError(CallerError):
    """The route does not read this content type, charset or content encoding."""


class ComprehendError(CallerError):
    """A fault that only Comprehend's protocol knows."""


class UnknownOperationError(ComprehendError):
    """The protocol has no such operation, or this address has not."""


class UnsupportedLanguageError(ComprehendError):
    """The text is said to be in a language that the model does not read."""


class TextSizeLimitError(ComprehendError):
    """The text has more bytes than a text may have."""


class BatchSizeLimitError(ComprehendError):
    """The batch has more texts than a batch may have."""


class ServiceError(Exception):
    """The service cannot answer; the message is for the log and never holds a review's text."""


class SetUpError(ServiceError):
    """Something that only the operator can put right."""


class VocabularyMismatchError(SetUpError):
    """Function and endpoint were deployed with different vocabularies."""


class ModelFailedError(ServiceError):
    """The endpoint took the request and failed."""


class BadAnswerError(ServiceError):
    """The endpoint answered what its contract does not allow."""


class ModelWakingError(ServiceError):
    """The endpoint slept and is starting its container."""


class ModelBusyError(ServiceError):
    """The endpoint has no free place for the request."""


class ModelUnreachableError(ServiceError):
    """No connection to the endpoint."""


class OutOfTimeError(ServiceError):
    """The function's own time is up, and not because of the endpoint."""


@dataclass(frozen=True)
class Problem:
    """What the caller learns about one kind of error."""

    status: int
    slug: str
    title: str
    detail: str | None = None
    """A fixed sentence; None: the error's own message, which was written for the caller."""
    retry_after: int | None = None
    """Seconds after which the same request has a fair chance."""


PROBLEMS: dict[type[Exception], Problem] = {
    MalformedRequestError: Problem(400, "malformed-request", "Malformed request"),
    UnknownEventError: Problem(400, "unknown-event", "Unknown event"),
    EmptyReviewError: Problem(400, "empty-review", "Empty review"),
    WrongOriginError: Problem(403, "wrong-origin", "Wrong origin"),
    RouteNotFoundError: Problem(404, "not-found", "Not found"),
    MethodNotAllowedError: Problem(405, "method-not-allowed", "Method not allowed"),
    ReviewTooLongError: Problem(413, "too-long", "Review too long"),
    TooManyReviewsError: Problem(413, "too-many", "Too many reviews"),
    UnsupportedMediaTypeError: Problem(415, "unsupported-media-type", "Unsupported media type"),
    NoWordsError: Problem(422, "no-words", "No words"),
    SetUpError: Problem(
        500,
        "set-up",
        "Set-up error",
        "The service is set up wrongly; the operator's log says how. Trying again will not help.",
    ),
    ModelFailedError: Problem(
        502, "model-failed", "Model failed", "The model took the request and failed to answer it."
    ),
    BadAnswerError: Problem(
        502, "bad-answer", "Bad answer", "The model gave an answer that cannot be read."
    ),
    # A sleeping serverless endpoint takes some 10 s to start; a busy one answers within a second.
    ModelWakingError: Problem(
        503,
        "model-waking",
        "Model waking up",
        "The model was asleep and is waking up. Try again in 10 seconds.",
        retry_after=10,
    ),
    ModelBusyError: Problem(
        503,
        "model-busy",
        "Model busy",
        "The model is busy with other requests. Try again in 2 seconds.",
        retry_after=2,
    ),
    ModelUnreachableError: Problem(
        503,
        "model-unreachable",
        "Model unreachable",
        "The model cannot be reached. Try again in 5 seconds.",
        retry_after=5,
    ),
    OutOfTimeError: Problem(
        503,
        "out-of-time",
        "Out of time",
        "The request took too long. Send fewer reviews at a time, or try again in 2 seconds.",
        retry_after=2,
    ),
    Exception: Problem(
        500,
        "internal-error",
        "Internal error",
        "Something went wrong here. Please report it with the request id.",
    ),
}


def find_problem(error: Exception) -> Problem:
    """Find the problem of an error, or of the nearest class that it derives from."""
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)


def describe_problem(error: Exception) -> dict[str, Any]:
    """Give the members of ``application/problem+json`` for an error."""
    problem = find_problem(error)
    members = {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail or str(error),
    }
    if problem.retry_after is not None:
        members["retryAfter"] = problem.retry_after
    return members
