"""The four functions that SageMaker's containers call, around the model.

They run in AWS's scikit-learn image, in the container of server.py and on one machine.

    application/json       {"vocabulary": "<fingerprint>", "windows": [[12, 5, 901, 0, …]],
                            "lengths": [3], "contributions": true, "effects": false}
                           0 to 100 reviews that were encoded and cut elsewhere: windows of ids,
                           padded with 0, and how many ids each review has; effects of one only
    application/jsonlines  {"id": 7, "review": "Not bad at all."}
                           a review a line, for Batch Transform; a line that cannot be scored
                           gets an error of its own

What is refused is refused with a status and a message, never by an exception: AWS's server would
answer that with status 500 and a stack trace, and log the exception's message, which might quote
a review.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from traceback import extract_tb
from typing import Any, ParamSpec, TypeVar

from model_training.serving.bundle import read_json
from model_training.serving.scorer import Model, Result, chunks, load_model
from review_text import (
    NO_WORD,
    Vocabulary,
    Windows,
    count_windows,
    cut_windows,
    join_windows,
)
from review_text.errors import CallerError
from review_text.predict import (
    MAX_REVIEWS,
    Answer,
    Prediction,
    Reading,
    Review,
    predict,
    read_reviews,
)

JSON = "application/json"
JSON_LINES = "application/jsonlines"
_OF_A_LINE = ("sentiment", "probability", "logit", "verdict", "truncated")
_BLANKS = " \t\r"
"""What JSON takes for white space; a line of anything else gets an answer."""
_REASONS = {
    400: "Bad Request",
    406: "Not Acceptable",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
}
P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger("reeltone.inference")


class RefusalError(Exception):
    """A request that cannot be answered."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def to_dict(self) -> dict[str, str]:
        """Give the refusal as the caller sees it."""
        return {"error": self.code, "message": self.message}


class Refusal:
    """A refused request on its way out; a WSGI application, since that is what Flask (in AWS's
    server) takes as an answer with a status of its own."""

    def __init__(self, error: RefusalError) -> None:
        self.status = error.status
        self.body = json.dumps(error.to_dict())

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a WSGI request."""
        body = self.body.encode()
        headers = [("Content-Type", JSON), ("Content-Length", str(len(body)))]
        start_response(f"{self.status} {_REASONS[self.status]}", headers)
        return [body]


@dataclass(frozen=True)
class Request:
    """Reviews as numbers, for the vocabulary that they were encoded with."""

    vocabulary: str
    windows: Windows
    contributions: bool
    effects: bool


@dataclass(frozen=True)
class Lines:
    """Reviews as text, one a line of the request."""

    lines: list[str]


def model_fn(model_dir: str) -> Model:
    """Load the bundle in ``model_dir``; raises as ``load_model``."""
    return load_model(Path(model_dir))


def _answering_errors(function: Callable[P, T]) -> Callable[P, T | Refusal]:
    """Make whatever goes wrong an answer: behind this is a server that we did not write.

    The log learns where it happened, not the exception's message, which might quote a review.
    """

    @wraps(function)
    def answer(*arguments: P.args, **named: P.kwargs) -> T | Refusal:
        try:
            return function(*arguments, **named)
        except RefusalError as error:
            return Refusal(error)
        except Exception as error:
            frames = extract_tb(error.__traceback__)
            places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
            logger.error("%s at %s", type(error).__name__, ", ".join(places))
            return Refusal(RefusalError(500, "internal", "the model failed on this request"))

    return answer


@_answering_errors
def input_fn(body: str | bytes, content_type: str) -> Request | Lines:
    """Read a request, or give a ``Refusal``. AWS's server hands over text for JSON and bytes for
    anything else."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in (JSON, JSON_LINES):
        raise RefusalError(
            415,
            "unsupported_media_type",
            f"content type {media_type[:80]!r}; use {JSON} or {JSON_LINES}",
        )
    try:
        text = body if isinstance(body, str) else body.decode()
    except UnicodeDecodeError:
        raise RefusalError(400, "invalid_request", "the body is not UTF-8") from None
    if media_type == JSON:
        return _read_request(text)
    return Lines([line for line in text.split("\n") if line.strip(_BLANKS)])


@_answering_errors
def predict_fn(data: Request | Lines | Refusal, model: Model) -> dict[str, Any] | str | Refusal:
    """Score what ``input_fn`` read, or give a ``Refusal``."""
    if isinstance(data, Refusal):
        return data
    if isinstance(data, Lines):
        return "".join(f"{line}\n" for line in _score_lines(data.lines, model))
    _check(data, model)
    results = model.score_windows(data.windows, data.contributions)
    answers = [_result(result, data.contributions) for result in results]
    if data.effects:
        effects = model.find_effects(join_windows(data.windows))
        answers[0]["effects"] = [round(effect, 6) for effect in effects]
    return {
        "model": model.version,
        "vocabulary": model.vocabulary.fingerprint,
        "bias": model.bias,
        "results": answers,
    }


def output_fn(prediction: dict[str, Any] | str | Refusal, accept: str) -> Any:
    """Give the answer and its content type, or the refusal. ``accept`` is not asked: each kind of
    request has one kind of answer."""
    if isinstance(prediction, Refusal):
        return prediction
    if isinstance(prediction, str):
        return prediction, JSON_LINES
    return json.dumps(prediction, separators=(",", ":")), JSON


_FIELDS = {"vocabulary", "windows", "lengths", "contributions", "effects"}


def _read_request(text: str) -> Request:
    try:
        content = read_json(text)
    except ValueError:
        raise _invalid("the body is not JSON") from None
    if not isinstance(content, dict):
        raise _invalid("the body is not a JSON object")
    vocabulary, ids, lengths = map(content.get, ("vocabulary", "windows", "lengths"))
    if not isinstance(vocabulary, str):
        raise _invalid('"vocabulary" must be a fingerprint, a string')
    if not isinstance(ids, list) or not all(isinstance(window, list) for window in ids):
        raise _invalid('"windows" must be a list of lists of ids')
    if not isinstance(lengths, list) or not all(type(length) is int for length in lengths):
        raise _invalid('"lengths" must be a list of integers')
    flags = [content.get(name, False) for name in ("contributions", "effects")]
    if not all(isinstance(flag, bool) for flag in flags):
        raise _invalid('"contributions" and "effects" must be true or false')
    if flags[1] and len(lengths) != 1:
        raise _invalid(f'"effects" are those of one review a request, not of {len(lengths)}')
    if unknown := content.keys() - _FIELDS:
        raise _invalid(f"unknown fields, {len(unknown)} in number")
    return Request(vocabulary, Windows(ids, lengths), *flags)


def _check(request: Request, model: Model) -> None:
    """Refuse what this model cannot score.

    Raises:
        RefusalError: another vocabulary, too many reviews, or windows that are none.
    """
    own, lengths = model.vocabulary.fingerprint, request.windows.lengths
    if request.vocabulary != own:
        raise RefusalError(
            409,
            "vocabulary_mismatch",
            f"the reviews were encoded with vocabulary {request.vocabulary[:12]}; this model has "
            f"{own[:12]}. Deploy function, layer and model together.",
        )
    if len(lengths) > MAX_REVIEWS:
        raise RefusalError(413, "too_large", f"{len(lengths)} reviews; the limit is {MAX_REVIEWS}")
    _check_windows(request.windows, model.vocabulary)


def _check_windows(windows: Windows, vocabulary: Vocabulary) -> None:
    """Refuse windows that ``cut_windows`` would not make of reviews with this vocabulary."""
    size, most = vocabulary.settings.window, vocabulary.settings.max_tokens
    for row, length in enumerate(windows.lengths):
        if not 1 <= length <= most:
            raise _invalid(f"review {row} has {length} ids; use 1 to {most}")
    wanted = sum(count_windows(length, size) for length in windows.lengths)
    if len(windows.ids) != wanted:
        raise _invalid(f"{len(windows.ids)} windows; reviews of these lengths have {wanted}")
    left = iter(windows.ids)
    for row, length in enumerate(windows.lengths):
        for start in range(0, length, size):
            window = next(left)
            if len(window) != size:
                raise _invalid(f"review {row} has a window of {len(window)} ids; use {size}")
            ids, padding = window[: length - start], window[length - start :]
            if set(map(type, window)) != {int} or min(ids) < 1 or max(ids) >= len(vocabulary):
                raise _invalid(
                    f"review {row} has an id that is not an integer from 1 to {len(vocabulary) - 1}"
                )
            if any(padding):
                raise _invalid(f"review {row} has ids behind its {length}; pad with {NO_WORD}")


def _invalid(message: str) -> RefusalError:
    return RefusalError(400, "invalid_request", message)


def _result(result: Result, contributions: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "logit": round(result.logit, 6),
        "probability": round(result.probability, 6),
    }
    if contributions:
        answer["contributions"] = [round(float(share), 7) for share in result.contributions]
    return answer


class OwnEndpoint:
    """Answers in this process as the endpoint does: the same function rounds the same numbers."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def invoke(
        self, reviews: Sequence[list[int]], contributions: bool = False, effects: bool = False
    ) -> Answer:
        """Give readings of up to ``MAX_REVIEWS`` reviews."""
        vocabulary = self._model.vocabulary
        windows = cut_windows(reviews, vocabulary.settings.window)
        request = Request(vocabulary.fingerprint, windows, contributions, effects)
        answer = predict_fn(request, self._model)
        if isinstance(answer, Refusal | str):
            raise RuntimeError(f"the model failed: {getattr(answer, 'body', answer)}")
        return Answer(answer["model"], answer["bias"], list(map(_read_result, answer["results"])))


def _read_result(result: dict[str, Any]) -> Reading:
    lists = (result.get("contributions", []), result.get("effects", []))
    return Reading(result["logit"], result["probability"], *lists)


def _score_lines(lines: list[str], model: Model) -> Iterator[str]:
    """Answer each line as the API answers its review."""
    for part in chunks(lines, MAX_REVIEWS):
        read = [_read_line(line, model.vocabulary) for line in part]
        reviews = [review for _, review in read]
        outcomes = predict(reviews, OwnEndpoint(model), model.rule, explain=False)
        for (name, _), outcome in zip(read, outcomes, strict=True):
            yield json.dumps(name | _show(outcome), separators=(",", ":"))


def _read_line(line: str, vocabulary: Vocabulary) -> tuple[dict[str, Any], Review | CallerError]:
    """What a line's answer repeats, and its review or what is wrong with it."""
    try:
        content = read_json(line)
        review = content["review"]
    except (ValueError, KeyError, TypeError):
        return {}, CallerError('not a JSON object with a field "review"')
    if not _can_be_repeated(content.get("id")):
        return {}, CallerError('"id" is not a string, a number, true, false or null')
    [read] = read_reviews([review], vocabulary)
    return ({"id": content["id"]} if "id" in content else {}), read


def _show(outcome: Prediction | CallerError) -> dict[str, Any]:
    if isinstance(outcome, CallerError):
        return {"error": str(outcome)}
    shown = outcome.to_dict() | {"logit": outcome.logit}
    return {name: shown[name] for name in _OF_A_LINE}


def _can_be_repeated(name: object) -> bool:
    """Whether a line's id can stand in its answer: 1e999 is JSON, but what Python makes of it is
    not, and what is nested may be too deep to write."""
    return not isinstance(name, dict | list | float) or (
        isinstance(name, float) and math.isfinite(name)
    )
