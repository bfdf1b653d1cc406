"""The model behind the endpoint: the four functions that SageMaker's containers call.

The same file runs in AWS's scikit-learn image, in the container of serve.py and on one machine.
It needs numpy, onnxruntime and review_text, and nothing else of this package.

    application/json       {"vocabulary": "<fingerprint>", "reviews": [[12, 5, 901]],
                            "contributions": true}
                           ids of reviews that were encoded elsewhere, 0 to 100 of them
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
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from itertools import groupby
from pathlib import Path
from traceback import extract_tb
from typing import Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from review_text import Vocabulary, VocabularyError, load_vocabulary

# By default, onnxruntime writes a device id into the home folder, to be reported to Microsoft.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

JSON = "application/json"
JSON_LINES = "application/jsonlines"

MOST_REVIEWS = 100
"""Reviews in one JSON request."""
MOST_CHARACTERS = 20_000
"""Characters of a review in a line of JSON Lines."""
_BLANKS = " \t\r"
"""What JSON takes for white space; a line of anything else gets an answer."""
_MOST_WINDOWS = 64
"""Windows in one run of the graph: bounds the memory, and larger runs are not faster."""

_MOST_BYTES = {"manifest.json": 64 * 1024, "model.onnx": 512 * 1024**2}
"""Of a bundle's files; vocabulary.json has a bound of its own. The shipped graph has 22 MB."""

# What the graph is given and asked for: type and number of dimensions.
_INPUTS = {
    "windows": ("tensor(int32)", 2),
    "window_lengths": ("tensor(int32)", 1),
    "lengths": ("tensor(int32)", 1),
}
_OUTPUTS = {"logits": ("tensor(float)", 1), "contributions": ("tensor(float)", 2)}

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
        """The refusal as the caller sees it."""
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
    reviews: list[list[int]]
    contributions: bool


@dataclass(frozen=True)
class Lines:
    """Reviews as text, one a line of the request."""

    lines: list[str]


@dataclass(frozen=True)
class Result:
    """What the model says of one review."""

    logit: float
    probability: float
    """Of positive, calibrated."""
    contributions: npt.NDArray[np.float32]
    """[tokens]; with the bias they add up to the logit. Empty where nobody asked for them."""


@dataclass(frozen=True)
class Model:
    """A loaded bundle."""

    session: onnxruntime.InferenceSession
    vocabulary: Vocabulary
    name: str
    version: str
    temperature: float
    bias: float

    def score(self, reviews: Sequence[Sequence[int]], contributions: bool = True) -> list[Result]:
        """A result for each review (1 to ``max_tokens`` ids), in order; memory stays bounded.

        A result is the same to the last bit, whatever else is scored with it, and with or without
        ``contributions``.
        """
        window = self.vocabulary.settings.window
        windows = [-(-len(review) // window) for review in reviews]
        # Reviews of as many windows run together, so that none is padded with whole windows.
        order = sorted(range(len(reviews)), key=lambda row: (windows[row], len(reviews[row])))
        results: dict[int, Result] = {}
        for count, rows in groupby(order, key=windows.__getitem__):
            for part in _chunks(list(rows), max(1, _MOST_WINDOWS // count)):
                scored = self._run([reviews[row] for row in part], count, contributions)
                results.update(zip(part, scored, strict=True))
        return [results[row] for row in range(len(reviews))]

    def _run(self, reviews: list[Sequence[int]], windows: int, contributions: bool) -> list[Result]:
        """Score reviews of ``windows`` windows each in one run of the graph."""
        window = self.vocabulary.settings.window
        lengths = np.array([len(review) for review in reviews], np.int32)
        width = window if windows > 1 else int(lengths.max())
        ids = np.zeros((len(reviews), windows * width), np.int32)
        for row, review in enumerate(reviews):
            ids[row, : len(review)] = review
        filled = np.clip(lengths[:, None] - np.arange(windows, dtype=np.int32) * width, 0, width)
        [shares] = self.session.run(
            ["contributions"],
            {
                "windows": ids.reshape(-1, width),
                "window_lengths": filled.reshape(-1),
                "lengths": lengths,
            },
        )
        return [
            self._judge(row[:length], contributions)
            for row, length in zip(shares, lengths, strict=True)
        ]

    def _judge(self, shares: npt.NDArray[np.float32], contributions: bool) -> Result:
        """The result that a review's contributions, [tokens], add up to."""
        # The graph's own logit is a sum in fp32 over padded rows, whose last bit depends on how
        # many there are and on how long the longest is. This sum is exact in any company.
        logit = math.fsum([self.bias, *shares.tolist()])
        return Result(logit, self._probability(logit), shares if contributions else shares[:0])

    def _probability(self, logit: float) -> float:
        scaled = logit / self.temperature
        # Both forms are the sigmoid; each is exact where the other overflows.
        if scaled >= 0:
            return 1.0 / (1.0 + math.exp(-scaled))
        return math.exp(scaled) / (1.0 + math.exp(scaled))


# --- The four functions ---------------------------------------------------------------------------


def model_fn(model_dir: str) -> Model:
    """Load the bundle in ``model_dir`` and run it once, so that the first request is a fast one.

    Raises:
        ValueError: a part is missing or unreadable, or the parts do not belong together.
    """
    folder = Path(model_dir)
    manifest = _read_manifest(folder / "manifest.json")
    try:
        vocabulary = load_vocabulary(folder / "vocabulary.json")
    except VocabularyError as error:
        raise ValueError(f"{folder} is not a complete bundle: {error}") from error
    if vocabulary.fingerprint != manifest.vocabulary:
        raise ValueError(
            f"{folder}: manifest.json wants vocabulary {manifest.vocabulary[:12]}, vocabulary.json "
            f"is {vocabulary.fingerprint[:12]}. Export the bundle again."
        )
    model = Model(
        _open_graph(folder / "model.onnx"),
        vocabulary,
        manifest.name,
        manifest.version,
        manifest.temperature,
        manifest.bias,
    )
    _try_out(model, folder / "model.onnx")
    return model


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
    return {
        "model": model.version,
        "vocabulary": model.vocabulary.fingerprint,
        "bias": model.bias,
        "results": [
            _result(result, data.contributions)
            for result in model.score(data.reviews, data.contributions)
        ],
    }


def output_fn(prediction: dict[str, Any] | str | Refusal, accept: str) -> Any:
    """The answer and its content type, or the refusal. ``accept`` is not asked: each kind of
    request has one kind of answer."""
    if isinstance(prediction, Refusal):
        return prediction
    if isinstance(prediction, str):
        return prediction, JSON_LINES
    return json.dumps(prediction, separators=(",", ":")), JSON


# --- Loading --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Manifest:
    """What manifest.json says, checked."""

    name: str
    version: str
    vocabulary: str
    temperature: float
    bias: float


def _read_manifest(path: Path) -> _Manifest:
    _check_file(path)
    try:
        content = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not a JSON object")
    for name in ("name", "version", "vocabulary"):
        value = content.get(name)
        if not isinstance(value, str) or not value:
            raise ValueError(f"{path}: {name} = {value!r:.80}; use a text")
    return _Manifest(
        content["name"],
        content["version"],
        content["vocabulary"],
        # Of models that were trained it is near 1; with 0 no probability could be computed.
        temperature=_read_number(path, content, "temperature", 0.01, 100.0),
        bias=_read_number(path, content, "bias", -1000.0, 1000.0),
    )


def _read_number(
    path: Path, content: dict[str, Any], name: str, least: float, most: float
) -> float:
    value: Any = content.get(name)
    # An integer of hundreds of digits can be compared, but is no float.
    if type(value) not in (int, float) or not least <= value <= most:
        raise ValueError(f"{path}: {name} = {value!r:.80}; use a number from {least} to {most}")
    return float(value)


def _check_file(path: Path) -> None:
    """See that a part of the bundle is a file of a size that it can have."""
    if path.is_symlink() or not path.is_file():
        raise ValueError(f"{path.parent} is not a complete bundle: {path.name} is no file there")
    size, most = path.stat().st_size, _MOST_BYTES[path.name]
    if size > most:
        raise ValueError(f"{path} has {size:,} bytes; at most {most:,} are read")


def _open_graph(path: Path) -> onnxruntime.InferenceSession:
    """The graph on the CPU. One thread a request: the server answers requests side by side.

    onnxruntime itself refuses operators that it does not have, and weights outside the folder.

    Raises:
        ValueError: it cannot be loaded, or takes or gives something else than it should.
    """
    _check_file(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("REELTONE_THREADS", "1"))
    options.inter_op_num_threads = 1
    # It would take the memory for a run in one piece, of another size for nearly every batch, and
    # keep each: more and more of it, and none of the time.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's exceptions share no class of their own
        raise ValueError(f"{path} cannot be loaded: {error}") from error
    takes, gives = _describe(session.get_inputs()), _describe(session.get_outputs())
    if takes != _INPUTS:
        raise ValueError(f"{path} takes {_show(takes)}; it should take {_show(_INPUTS)}")
    if not _OUTPUTS.items() <= gives.items():
        raise ValueError(f"{path} gives {_show(gives)}; it should give {_show(_OUTPUTS)}")
    return session


def _describe(values: Sequence[Any]) -> dict[str, tuple[str, int]]:
    return {value.name: (value.type, len(value.shape)) for value in values}


def _show(values: dict[str, tuple[str, int]]) -> str:
    shown = [f"{name}: {kind} of {rank} dimensions" for name, (kind, rank) in values.items()]
    return ", ".join(shown)[:500] or "nothing"


def _try_out(model: Model, path: Path) -> None:
    """Score two reviews, of one window and of two, with the first and the last id; that also makes
    the first request a fast one.

    Raises:
        ValueError: the graph fails, or its answers are no answers.
    """
    last, window = len(model.vocabulary) - 1, model.vocabulary.settings.window
    reviews = [[1, last], [last] * min(window + 1, model.vocabulary.settings.max_tokens)]
    try:
        results = model.score(reviews)
    except Exception as error:  # as above
        raise ValueError(f"{path} cannot score a review: {error}") from error
    for review, result in zip(reviews, results, strict=True):
        if len(result.contributions) != len(review):
            raise ValueError(
                f"{path} gives {len(result.contributions)} contributions for {len(review)} tokens"
            )
        if not (math.isfinite(result.logit) and np.isfinite(result.contributions).all()):
            raise ValueError(f"{path} gives numbers that are not finite")


# --- Reading and checking -------------------------------------------------------------------------


def _read_request(text: str) -> Request:
    invalid = "invalid_request"
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise RefusalError(400, invalid, "the body is not JSON") from None
    if not isinstance(content, dict):
        raise RefusalError(400, invalid, "the body is not a JSON object")
    vocabulary, reviews = content.get("vocabulary"), content.get("reviews")
    contributions = content.get("contributions", False)
    if not isinstance(vocabulary, str):
        raise RefusalError(400, invalid, '"vocabulary" must be a fingerprint, a string')
    if not isinstance(reviews, list) or not all(isinstance(ids, list) for ids in reviews):
        raise RefusalError(400, invalid, '"reviews" must be a list of lists of ids')
    if not isinstance(contributions, bool):
        raise RefusalError(400, invalid, '"contributions" must be true or false')
    unknown = sorted(content.keys() - {"vocabulary", "reviews", "contributions"})
    if unknown:
        raise RefusalError(400, invalid, f"unknown fields, {len(unknown)} in number")
    return Request(vocabulary, reviews, contributions)


def _check(request: Request, model: Model) -> None:
    """Refuse what this model cannot score.

    Raises:
        RefusalError: another vocabulary, too many reviews, or ids that are not ids.
    """
    own = model.vocabulary.fingerprint
    if request.vocabulary != own:
        raise RefusalError(
            409,
            "vocabulary_mismatch",
            f"the reviews were encoded with vocabulary {request.vocabulary[:12]}; this model has "
            f"{own[:12]}. Deploy function, layer and model together.",
        )
    if len(request.reviews) > MOST_REVIEWS:
        raise RefusalError(
            413, "too_large", f"{len(request.reviews)} reviews; the limit is {MOST_REVIEWS}"
        )
    most, entries = model.vocabulary.settings.max_tokens, len(model.vocabulary)
    for row, ids in enumerate(request.reviews):
        if not 1 <= len(ids) <= most:
            raise RefusalError(
                400, "invalid_request", f"review {row} has {len(ids)} ids; use 1 to {most}"
            )
        if set(map(type, ids)) != {int} or min(ids) < 0 or max(ids) >= entries:
            raise RefusalError(
                400,
                "invalid_request",
                f"review {row} has an id that is not an integer from 0 to {entries - 1}",
            )


def _result(result: Result, contributions: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "logit": round(result.logit, 6),
        "probability": round(result.probability, 6),
    }
    if contributions:
        answer["contributions"] = [round(float(share), 7) for share in result.contributions]
    return answer


def _score_lines(lines: list[str], model: Model) -> Iterator[str]:
    for part in _chunks(lines, MOST_REVIEWS):
        answers: list[dict[str, Any]] = []
        reviews: list[list[int]] = []
        scored: list[int] = []
        for line in part:
            answer, ids = _encode_line(line, model.vocabulary)
            if ids is not None:
                scored.append(len(answers))
                reviews.append(ids)
            answers.append(answer)
        for position, result in zip(scored, model.score(reviews, False), strict=True):
            sentiment = "positive" if result.probability >= 0.5 else "negative"
            answers[position] |= {"sentiment": sentiment, **_result(result, contributions=False)}
        yield from (json.dumps(answer, separators=(",", ":")) for answer in answers)


def _encode_line(line: str, vocabulary: Vocabulary) -> tuple[dict[str, Any], list[int] | None]:
    """The start of a line's answer, and its ids; no ids where the answer is an error."""
    try:
        content = json.loads(line, parse_constant=_refuse_constant)
        review = content["review"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return {"error": 'not a JSON object with a field "review"'}, None
    if not _can_be_repeated(content.get("id")):
        return {"error": '"id" is not a string, a number, true, false or null'}, None
    answer = {"id": content["id"]} if "id" in content else {}
    if not isinstance(review, str):
        return answer | {"error": '"review" is not a string'}, None
    if len(review) > MOST_CHARACTERS:
        length = len(review)
        return answer | {"error": f"{length:,} characters; the limit is {MOST_CHARACTERS:,}"}, None
    encoded = vocabulary.encode(review)
    if not encoded.has_words:
        return answer | {"error": "the review has no words"}, None
    return answer | {"truncated": encoded.truncated}, encoded.ids


def _can_be_repeated(name: object) -> bool:
    """Whether a line's id can stand in its answer: 1e999 is JSON, but what Python makes of it is
    not, and what is nested may be too deep to write."""
    return not isinstance(name, dict | list | float) or (
        isinstance(name, float) and math.isfinite(name)
    )


def _refuse_constant(name: str) -> None:
    """NaN and Infinity are not JSON, though Python reads them."""
    raise ValueError(name)


def _chunks(items: list[Any], size: int) -> Iterator[list[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
