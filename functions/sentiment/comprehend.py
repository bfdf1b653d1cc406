"""Amazon Comprehend's protocol, for programs that speak it already: AWS's JSON 1.1.

DetectSentiment and BatchDetectSentiment, their limits and their errors, as SDKs and the AWS CLI
know them. https://docs.aws.amazon.com/comprehend/latest/APIReference/API_DetectSentiment.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from body import parse_members, read_body
from errors import (
    BatchSizeLimitError,
    CallerError,
    MalformedRequestError,
    MistypedFieldError,
    TextSizeLimitError,
    UnknownOperationError,
    UnsupportedLanguageError,
    find_problem,
)
from events import Request
from review_text.predict import Prediction

MEDIA_TYPE = "application/x-amz-json-1.1"
LANGUAGE = "en"

MAX_BYTES = 5_000
"""Bytes of a text in UTF-8."""

MAX_TEXTS = 25
"""Texts of a batch."""

_TARGET = "Comprehend_20171127."
_FIELDS = {"DetectSentiment": "Text", "BatchDetectSentiment": "TextList"}
"""Operations, and the field that each has beside the language."""

_SENTIMENTS = {
    "positive": "Positive",
    "negative": "Negative",
    "unclear": "Neutral",
    "mixed": "Mixed",
}
"""Verdicts as Comprehend calls them: a text that says no opinion is neutral."""

CODES: dict[type[Exception], str] = {
    BatchSizeLimitError: "BatchSizeLimitExceededException",
    TextSizeLimitError: "TextSizeLimitExceededException",
    UnknownOperationError: "UnknownOperationException",
    UnsupportedLanguageError: "UnsupportedLanguageException",
    CallerError: "InvalidRequestException",
}


@dataclass(frozen=True)
class Call:
    """What a client asks for."""

    is_batch: bool
    texts: list[object]
    """A text, or an error in the place of one that Comprehend would not take."""


def read_call(request: Request) -> Call:
    """Read which operation is called, and on what; fields that it does not have are passed over.

    Raises:
        CallerError: another operation or language, or a field is missing, or larger than allowed.
    """
    operation = request.headers.get("x-amz-target", "").removeprefix(_TARGET)
    if operation not in _FIELDS:
        raise UnknownOperationError(
            f'The operation is "{operation[:80]}"; this address has {" and ".join(_FIELDS)}.'
        )
    _, body = read_body(request, MEDIA_TYPE)
    field = _FIELDS[operation]
    members = parse_members(body, field, "LanguageCode")
    _check_language(members["LanguageCode"])
    given = members[field]
    if operation == "DetectSentiment":
        _check_size(given)
        return Call(False, [given])
    return Call(True, [_try_size(text) for text in _check_batch(given)])


def write_answer(call: Call, outcomes: Sequence[Prediction | CallerError]) -> dict[str, Any]:
    """Write the answer of the operation.

    Raises:
        CallerError: the one text could not be read.
    """
    if not call.is_batch:
        [outcome] = outcomes
        if isinstance(outcome, CallerError):
            raise outcome
        return _write_sentiment(outcome)
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, CallerError):
            errors.append({"Index": index, **_write_item_error(outcome)})
        else:
            results.append({"Index": index, **_write_sentiment(outcome)})
    return {"ResultList": results, "ErrorList": errors}


def write_error(error: Exception) -> tuple[int, dict[str, str]]:
    """Write an error as Comprehend's clients know it, with its status.

    They try again by themselves after 500 and 503.
    """
    for kind in type(error).__mro__:
        if kind in CODES:
            return 400, {"__type": CODES[kind], "Message": str(error)}
    problem = find_problem(error)
    known = (
        (503, "ServiceUnavailable") if problem.status == 503 else (500, "InternalServerException")
    )
    return known[0], {"__type": known[1], "Message": str(problem.detail)}


def _write_sentiment(prediction: Prediction) -> dict[str, Any]:
    """The verdict, with scores whose largest is the verdict's and whose sum is 1.

    A rule says mixed or unclear, and not how surely: it gets half, and the model's probability
    shares out the other half.
    """
    sentiment = _SENTIMENTS[prediction.verdict]
    scores = dict.fromkeys(_SENTIMENTS.values(), 0.0)
    left = 1.0
    if sentiment in ("Neutral", "Mixed"):
        scores[sentiment] = left = 0.5
    scores["Positive"] = round(left * prediction.probability, 7)
    scores["Negative"] = round(left - scores["Positive"], 7)
    return {"Sentiment": sentiment.upper(), "SentimentScore": scores}


def _write_item_error(error: CallerError) -> dict[str, str]:
    is_size = isinstance(error, TextSizeLimitError)
    code = "TEXT_SIZE_LIMIT_EXCEEDED" if is_size else "INVALID_REQUEST"
    return {"ErrorCode": code, "ErrorMessage": str(error)}


def _check_language(code: object) -> None:
    if not isinstance(code, str):
        raise MistypedFieldError('The field "LanguageCode"', code, "a string")
    if code != LANGUAGE:
        raise UnsupportedLanguageError(
            f'The language is "{code[:20]}"; the model reads "{LANGUAGE}" alone.'
        )


def _check_batch(texts: object) -> list[object]:
    if not isinstance(texts, list):
        raise MistypedFieldError('The field "TextList"', texts, "an array of strings")
    if not texts:
        raise MalformedRequestError(f'The field "TextList" is empty; send 1 to {MAX_TEXTS} texts.')
    if len(texts) > MAX_TEXTS:
        raise BatchSizeLimitError(f"The batch has {len(texts):,} texts; the limit is {MAX_TEXTS}.")
    return texts


def _try_size(text: object) -> object:
    try:
        _check_size(text)
    except TextSizeLimitError as error:
        return error
    return text


def _check_size(text: object) -> None:
    # A caller's lone surrogate is no UTF-8, and three bytes all the same.
    size = len(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else 0
    if size > MAX_BYTES:
        raise TextSizeLimitError(f"The text has {size:,} bytes; the limit is {MAX_BYTES:,}.")
