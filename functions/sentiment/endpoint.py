"""The SageMaker endpoint: token ids in, logits out. The only file that talks to AWS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from typing import Any, NoReturn, Protocol, TypeGuard

from botocore import exceptions as aws
from botocore.config import Config
from botocore.session import get_session
from urllib3.exceptions import HTTPError

from deadline import DeadlineError
from errors import (
    BadAnswerError,
    ModelBusyError,
    ModelFailedError,
    ModelUnreachableError,
    ModelWakingError,
    ServiceError,
    SetUpError,
    VocabularyMismatchError,
)
from review_text import Vocabulary
from review_text.predict import Answer, Reading
from settings import load_settings
from telemetry import measure_endpoint, note_model

MAX_ANSWER_BYTES = 4 * 1024**2
"""Bytes that a serverless endpoint may answer; 100 reviews with all contributions are 1.2 MB."""

MAX_LOGIT = 1e6
"""No logit, and no part of one, comes anywhere near."""

CONNECT_SECONDS = 2.0
READ_SECONDS = 24.0
"""Seconds until the next byte. A slow drip never reaches them: the handler's deadline ends that."""

# Other codes: ModelFailedError from status 500 on, SetUpError below (access, credentials, name).
_BY_CODE: dict[str, type[ServiceError]] = {
    "ModelNotReadyException": ModelWakingError,
    "ThrottlingException": ModelBusyError,
    "ServiceUnavailable": ModelBusyError,
    "ModelError": ModelFailedError,
}

# The first that fits counts; other classes (credentials, region): SetUpError.
_BY_CLASS: tuple[tuple[type[Exception], type[ServiceError]], ...] = (
    # A sleeping endpoint holds the request while its container starts.
    (aws.ReadTimeoutError, ModelWakingError),
    (aws.ResponseStreamingError, BadAnswerError),
    (aws.HTTPClientError, ModelUnreachableError),
    (aws.ConnectionError, ModelUnreachableError),
)


class Runtime(Protocol):
    """The part of the SDK's ``sagemaker-runtime`` client that is used here."""

    def invoke_endpoint(self, **parameters: Any) -> Any:
        """Send ``Body`` to the endpoint."""


class Endpoint:
    """An endpoint whose model was trained with a known vocabulary."""

    def __init__(self, runtime: Runtime, name: str, vocabulary: Vocabulary) -> None:
        """Take ``vocabulary``, the one that the token ids come from."""
        self._runtime = runtime
        self._name = name
        self._vocabulary = vocabulary

    def invoke(
        self, reviews: Sequence[list[int]], contributions: bool = False, effects: bool = False
    ) -> Answer:
        """Ask for readings of up to 100 reviews; none: ask whether the model is awake.

        ``effects`` are those of one review.

        Raises:
            ServiceError: no usable answer; its class says why.
        """
        asked = {"contributions": contributions, "effects": effects}
        request = self._vocabulary.make_request(reviews) | asked
        with measure_endpoint():
            body = self._send(json.dumps(request, separators=(",", ":")).encode())
        lists = [name for name, is_asked in asked.items() if is_asked]
        answer = self._read_answer(_parse(body), list(map(len, reviews)), lists)
        note_model(answer.model)
        return answer

    def _send(self, body: bytes) -> bytes:
        try:
            answer = self._call(body)
        except aws.ClientError as error:
            _raise_client_error(error)
        except aws.BotoCoreError as error:
            named = next((named for kind, named in _BY_CLASS if isinstance(error, kind)), None)
            raise (named or SetUpError)(f"{type(error).__name__}: {error}") from error
        except HTTPError as error:
            # botocore names what goes wrong with an answer, and not what does with a refusal.
            raise ModelFailedError(f"a refusal without its end: {type(error).__name__}") from error
        except DeadlineError as error:
            # A model that is awake and slow; one that sleeps sends nothing for `READ_SECONDS`.
            raise ModelBusyError("no whole answer in the time that was left") from error
        if len(answer) > MAX_ANSWER_BYTES:
            raise BadAnswerError(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
        return answer

    def _call(self, body: bytes) -> bytes:
        response = self._runtime.invoke_endpoint(
            EndpointName=self._name,
            ContentType="application/json",
            Accept="application/json",
            Body=body,
        )
        with closing(response["Body"]) as stream:
            answer: bytes = stream.read(MAX_ANSWER_BYTES + 1)
        return answer

    def _read_answer(self, answer: dict[str, Any], lengths: list[int], lists: list[str]) -> Answer:
        """Read as many numbers as ``lengths`` says in each of ``lists`` of each reading."""
        vocabulary, results = _member(answer, "vocabulary", str), _member(answer, "results", list)
        if vocabulary != (own := self._vocabulary.fingerprint):
            raise VocabularyMismatchError(
                f"vocabulary {vocabulary[:64]!r} at the endpoint, {own!r} here"
            )
        if len(results) != len(lengths):
            raise BadAnswerError(f"{len(results)} results for {len(lengths)} reviews")
        return Answer(
            model=_member(answer, "model", str),
            bias=_number(answer, "bias"),
            readings=[
                _read_reading(result, length, lists)
                for result, length in zip(results, lengths, strict=True)
            ],
        )


def connect(name: str, vocabulary: Vocabulary) -> Endpoint:
    """Find the endpoint of that name, in the region and with the credentials of the environment.

    Raises:
        SetUpError: the SDK cannot make a client of what the environment says.
    """
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        # A repeated request would find the model as busy as the first one did.
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    try:
        # boto3 would make the very same client, and import its transfer manager for S3 first.
        runtime = get_session().create_client("sagemaker-runtime", config=config)
    except (aws.BotoCoreError, ValueError) as error:
        raise SetUpError(f"no client for SageMaker: {error}") from error
    return Endpoint(runtime, name, vocabulary)


@cache
def load_endpoint() -> Endpoint:
    """Connect to this process's endpoint; the connection stays open between requests."""
    settings = load_settings()
    return connect(settings.endpoint_name, settings.vocabulary)


def _raise_client_error(error: aws.ClientError) -> NoReturn:
    response = error.response
    if response.get("OriginalStatusCode") == 409:
        raise VocabularyMismatchError(str(error)) from error
    failed = response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    named = _BY_CODE.get(response["Error"]["Code"], ModelFailedError if failed else SetUpError)
    raise named(str(error)) from error


def _parse(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadAnswerError(f"an answer of {len(body)} bytes that is not JSON") from error
    if not isinstance(answer, dict):
        raise BadAnswerError(f"the answer is a {type(answer).__name__}, not an object")
    return answer


def _read_reading(result: object, length: int, lists: list[str]) -> Reading:
    if not isinstance(result, dict):
        raise BadAnswerError(f"a result is a {type(result).__name__}, not an object")
    probability = _number(result, "probability")
    if not 0 <= probability <= 1:
        raise BadAnswerError(f"probability = {probability}")
    found: dict[str, list[float]] = {"contributions": [], "effects": []}
    for name in lists:
        found[name] = _member(result, name, list)
        if len(found[name]) != length or not all(map(_is_number, found[name])):
            raise BadAnswerError(f"{len(found[name])} {name} where {length} numbers belong")
    return Reading(_number(result, "logit"), probability, **found)


def _member(members: dict[str, Any], name: str, kind: type) -> Any:
    value = members.get(name)
    if not isinstance(value, kind):
        raise BadAnswerError(f"{name} is a {type(value).__name__}, not a {kind.__name__}")
    return value


def _number(members: dict[str, Any], name: str) -> float:
    value = members.get(name)
    if not _is_number(value):
        raise BadAnswerError(f"{name} is not a number, or is out of all proportion")
    return float(value)


def _is_number(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) < MAX_LOGIT  # which NaN is not
