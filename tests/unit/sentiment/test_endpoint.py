"""The endpoint client, against the SDK's real one with its wire replaced: no socket is opened."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as aws
from botocore.awsrequest import AWSResponse
from urllib3 import HTTPResponse

import errors
from app import ANSWER_SECONDS
from deadline import limit_time
from endpoint import CONNECT_SECONDS, MAX_ANSWER_BYTES, READ_SECONDS, Endpoint, connect
from local_stack.runtime import MAX_BODY
from local_stack.template import Template
from review_text import MODERN, Vocabulary

ROOT = Path(__file__).parents[3]
VOCABULARY = Vocabulary(replace(MODERN, window=4), ["film", "great"])
NO_ADDRESS = {"endpoint_url": "https://runtime.sagemaker.eu-west-1.amazonaws.com/"}


@dataclass
class Wire:
    """Stands between botocore and the network: keeps requests, answers or raises."""

    answer: Callable[[], AWSResponse]
    requests: list[Any] = field(default_factory=list)

    def __call__(self, request: Any, **_: Any) -> AWSResponse:
        self.requests.append(request)
        return self.answer()


def http(status: int, body: bytes, headers: dict[str, str] | None = None) -> Any:
    """An answer, read from the wire as a real one is, and as often as it is asked for."""
    headers = {"content-length": str(len(body)), **(headers or {})}
    return lambda: stream(status, io.BytesIO(body), headers)


def stream(status: int, body: io.BytesIO, headers: dict[str, str]) -> AWSResponse:
    raw = HTTPResponse(
        body,
        status=status,
        headers=headers,
        preload_content=False,
        enforce_content_length=True,
        request_method="POST",
    )
    return AWSResponse(NO_ADDRESS["endpoint_url"], status, raw.headers, raw)


def aws_error(status: int, code: str, **members: object) -> Any:
    body = json.dumps({"Message": "what AWS says", **members}).encode()
    return http(status, body, {"x-amzn-errortype": code, "content-type": "application/json"})


def failure(error: Exception) -> Any:
    def fail() -> AWSResponse:
        raise error

    return fail


def answer(**changes: object) -> Any:
    """The model's answer to ``[[2, 3]]`` with contributions."""
    content = {
        "model": "modern-0123456789ab",
        "vocabulary": VOCABULARY.fingerprint,
        "bias": -0.01,
        "results": [{"logit": 0.49, "probability": 0.61, "contributions": [0.75, -0.25]}],
    }
    return http(200, json.dumps(content | changes).encode())


def result(**changes: object) -> Any:
    given = {"logit": 0.49, "probability": 0.61, "contributions": [0.75, -0.25]}
    return answer(results=[given | changes])


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the developer's own, and none left over from another test."""
    set_surroundings(monkeypatch)


def set_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture(scope="module")
def connected() -> tuple[Endpoint, Wire]:
    """One for the whole module: to make a client takes a twentieth of a second."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_surroundings(monkeypatch)
        return connect_wired()


@pytest.fixture
def plug(connected: tuple[Endpoint, Wire]) -> Callable[[Any], tuple[Endpoint, Wire]]:
    """The endpoint that the function connects to, with its wire replaced."""
    endpoint, wire = connected

    def plug_in(reply: Any) -> tuple[Endpoint, Wire]:
        wire.answer = reply
        wire.requests.clear()
        return endpoint, wire

    return plug_in


def connect_wired(reply: Any = None) -> tuple[Endpoint, Wire]:
    endpoint, wire = connect("reeltone", VOCABULARY), Wire(reply or answer(results=[]))
    client: Any = endpoint._runtime
    client.meta.events.register("before-send.sagemaker-runtime", wire)
    return endpoint, wire


Plug = Callable[[Any], tuple[Endpoint, Wire]]


def test_the_request_is_the_contracts(plug: Plug) -> None:
    endpoint, wire = plug(answer())
    endpoint.invoke([[2, 3]], contributions=True)
    [request] = wire.requests
    assert request.url.endswith("/endpoints/reeltone/invocations")
    assert request.headers["Content-Type"] == b"application/json"
    assert request.headers["Accept"] == b"application/json"
    # Without spaces, for 100 reviews have 50,000 ids.
    assert request.body == (
        b'{"vocabulary":"%b","windows":[[2,3,0,0]],"lengths":[2],"contributions":true,'
        b'"effects":false}' % VOCABULARY.fingerprint.encode()
    )


def test_a_hundred_of_the_longest_reviews_are_less_than_an_endpoint_takes() -> None:
    vocabulary = Vocabulary(MODERN, map(str, range(29_998)))
    runtime = Runtime(Body(b"{}"))
    with pytest.raises(errors.BadAnswerError):
        Endpoint(runtime, "reeltone", vocabulary).invoke([[29_999] * 512] * 100, True)
    assert len(runtime.sent) < MAX_BODY / 10


def test_the_answer_is_read(plug: Plug) -> None:
    given = plug(answer())[0].invoke([[2, 3]], contributions=True)
    assert (given.model, given.bias) == ("modern-0123456789ab", -0.01)
    [reading] = given.readings
    assert (reading.logit, reading.probability) == (0.49, 0.61)
    assert reading.contributions == [0.75, -0.25]


def test_effects_are_read_if_they_are_asked_for(plug: Plug) -> None:
    endpoint, wire = plug(result(effects=[0.5, -1]))
    [reading] = endpoint.invoke([[2, 3]], contributions=True, effects=True).readings
    assert json.loads(wire.requests[0].body)["effects"] is True
    assert (reading.contributions, reading.effects) == ([0.75, -0.25], [0.5, -1])
    with pytest.raises(errors.BadAnswerError, match=r"^1 effects where 2 numbers belong$"):
        plug(result(effects=[0.5]))[0].invoke([[2, 3]], effects=True)
    assert plug(result(effects=[0.5]))[0].invoke([[2, 3]]).readings[0].effects == []


def test_contributions_are_not_needed_unless_asked_for(plug: Plug) -> None:
    endpoint, wire = plug(answer(results=[{"logit": 1, "probability": 1}]))
    [reading] = endpoint.invoke([[2, 3]]).readings
    assert json.loads(wire.requests[0].body)["contributions"] is False
    assert (reading.logit, reading.probability, reading.contributions) == (1.0, 1.0, [])


def test_no_reviews_are_a_question_whether_the_model_is_there(plug: Plug) -> None:
    endpoint, wire = plug(answer(results=[]))
    assert endpoint.invoke([]).readings == []
    assert json.loads(wire.requests[0].body)["lengths"] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reply", "named"),
    [
        (aws_error(429, "ModelNotReadyException"), errors.ModelWakingError),
        (aws_error(429, "ThrottlingException"), errors.ModelBusyError),
        (aws_error(400, "ThrottlingException"), errors.ModelBusyError),
        (aws_error(503, "ServiceUnavailable"), errors.ModelBusyError),
        (aws_error(500, "InternalFailure"), errors.ModelFailedError),
        (aws_error(530, "InternalDependencyException"), errors.ModelFailedError),
        (http(502, b"<html>Bad Gateway</html>"), errors.ModelFailedError),
        (aws_error(424, "ModelError", OriginalStatusCode=500), errors.ModelFailedError),
        (aws_error(424, "ModelError", OriginalStatusCode=400), errors.ModelFailedError),
        (aws_error(424, "ModelError"), errors.ModelFailedError),
        (aws_error(424, "ModelError", OriginalStatusCode=409), errors.VocabularyMismatchError),
        (aws_error(400, "ValidationError"), errors.SetUpError),
        (aws_error(403, "AccessDeniedException"), errors.SetUpError),
        (aws_error(403, "ExpiredTokenException"), errors.SetUpError),
        (aws_error(403, "UnrecognizedClientException"), errors.SetUpError),
        (failure(aws.EndpointConnectionError(**NO_ADDRESS)), errors.ModelUnreachableError),
        (failure(aws.ConnectTimeoutError(**NO_ADDRESS)), errors.ModelUnreachableError),
        (failure(aws.ConnectionClosedError(**NO_ADDRESS)), errors.ModelUnreachableError),
        (failure(aws.SSLError(**NO_ADDRESS, error="expired")), errors.ModelUnreachableError),
        (failure(aws.HTTPClientError(error="no route to host")), errors.ModelUnreachableError),
        (failure(aws.ReadTimeoutError(**NO_ADDRESS)), errors.ModelWakingError),
    ],
)
def test_each_failure_has_its_name_and_is_tried_once(reply: Any, named: type[Exception]) -> None:
    endpoint, wire = connect_wired(reply)
    with pytest.raises(errors.ServiceError) as caught:
        endpoint.invoke([[2]])
    assert type(caught.value) is named
    assert len(wire.requests) == 1


@pytest.mark.parametrize("status", [500, 409])
def test_what_the_model_said_is_kept_for_the_log(status: int) -> None:
    message = f"Received client error ({status}) from primary with message: out of memory"
    reply = aws_error(424, "ModelError", OriginalStatusCode=status, Message=message)
    endpoint, _ = connect_wired(reply)
    with pytest.raises(errors.ServiceError, match="out of memory"):
        endpoint.invoke([[2]])


def test_what_the_sdk_said_is_kept_for_the_log(plug: Plug) -> None:
    with pytest.raises(errors.ServiceError) as caught:
        plug(failure(aws.ConnectTimeoutError(**NO_ADDRESS)))[0].invoke([[2]])
    url = NO_ADDRESS["endpoint_url"]
    assert str(caught.value) == f'ConnectTimeoutError: Connect timeout on endpoint URL: "{url}"'


def test_a_refusal_that_breaks_off_is_a_failure() -> None:
    reply = http(500, b"{", {"content-length": "1000"})
    with pytest.raises(errors.ModelFailedError, match="without its end: ProtocolError"):
        connect_wired(reply)[0].invoke([[2]])


class Body(io.BytesIO):
    """Counts what is read of it; what comes ``before`` each read may keep the reader waiting."""

    def __init__(self, content: bytes, before: Callable[[], None] = lambda: None) -> None:
        super().__init__(content)
        self.bytes_read = 0
        self._before = before

    def read(self, size: int | None = -1) -> bytes:
        self._before()
        content = super().read(size)
        self.bytes_read += len(content)
        return content


@dataclass
class Runtime:
    """Answers with a body, whatever it is asked."""

    body: Body
    sent: bytes = b""

    def invoke_endpoint(self, **parameters: Any) -> Any:
        self.sent = parameters["Body"]
        return {"Body": self.body}


def test_a_call_that_takes_too_long_is_ended() -> None:
    runtime = Runtime(Body(b"", before=lambda: time.sleep(5)))
    started = time.monotonic()
    with pytest.raises(errors.ModelBusyError, match="in the time that was left"), limit_time(0.05):
        Endpoint(runtime, "reeltone", VOCABULARY).invoke([[2]])
    assert time.monotonic() - started < 4


def test_missing_credentials_are_a_matter_of_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    endpoint, wire = connect_wired()
    with pytest.raises(errors.SetUpError, match="NoCredentialsError"):
        endpoint.invoke([[2]])
    assert wire.requests == []


def test_half_of_the_credentials_are_a_matter_of_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(errors.SetUpError, match="AWS_SECRET_ACCESS_KEY"):
        connect("reeltone", VOCABULARY)


def test_a_missing_region_is_a_matter_of_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(errors.SetUpError, match=r"^no client for SageMaker: You must specify"):
        connect("reeltone", VOCABULARY)


def test_the_address_can_be_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:8001")
    endpoint, wire = connect_wired()
    endpoint.invoke([])
    assert wire.requests[0].url == "http://127.0.0.1:8001/endpoints/reeltone/invocations"


def test_an_empty_address_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "")
    endpoint, wire = connect_wired()
    endpoint.invoke([])
    assert wire.requests[0].url.startswith("https://runtime.sagemaker.eu-west-1.amazonaws.com/")


def test_a_model_that_sleeps_is_told_from_a_slow_one_before_the_functions_time_is_up() -> None:
    client: Any = connect("reeltone", VOCABULARY)._runtime
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (CONNECT_SECONDS, READ_SECONDS)
    timeout = Template(ROOT / "template.yaml").function("SentimentFunction").timeout
    assert timeout - ANSWER_SECONDS - 1 > CONNECT_SECONDS + READ_SECONDS


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (http(200, b""), "an answer of 0 bytes that is not JSON"),
        (http(200, b"<html></html>"), "an answer of 13 bytes that is not JSON"),
        (http(200, b"\xff\xfe\x00"), "an answer of 3 bytes that is not JSON"),
        (http(200, b'{"model": "modern", "resu'), "an answer of 25 bytes that is not JSON"),
        (http(200, b"[" * 100_000), "an answer of 100000 bytes that is not JSON"),
        (http(200, b"[]"), "the answer is a list, not an object"),
        (http(200, b"null"), "the answer is a NoneType, not an object"),
        (answer(model=None), "model is a NoneType, not a str"),
        (answer(vocabulary=None), "vocabulary is a NoneType, not a str"),
        (answer(bias=None), "bias is not a number, or is out of all proportion"),
        (answer(bias=float("nan")), "bias is not a number, or is out of all proportion"),
        (answer(results=None), "results is a NoneType, not a list"),
        (answer(results={}), "results is a dict, not a list"),
        (answer(results=[]), "0 results for 1 reviews"),
        (answer(results=[None]), "a result is a NoneType, not an object"),
        (answer(results=[[]]), "a result is a list, not an object"),
        (answer(results=[{}, {}]), "2 results for 1 reviews"),
        (result(logit=float("nan")), "logit is not a number, or is out of all proportion"),
        (result(logit=float("inf")), "logit is not a number, or is out of all proportion"),
        (result(logit=-1_000_000), "logit is not a number, or is out of all proportion"),
        (result(logit=10**400), "logit is not a number, or is out of all proportion"),
        (result(logit="0.49"), "logit is not a number, or is out of all proportion"),
        (result(logit=True), "logit is not a number, or is out of all proportion"),
        (result(probability=1.01), "probability = 1.01"),
        (result(probability=-0.01), "probability = -0.01"),
        (result(probability=None), "probability is not a number, or is out of all proportion"),
        (result(contributions=None), "contributions is a NoneType, not a list"),
        (result(contributions=[0.5]), "1 contributions where 2 numbers belong"),
        (result(contributions=[0.5] * 3), "3 contributions where 2 numbers belong"),
        (result(contributions=[0.5, None]), "2 contributions where 2 numbers belong"),
        (result(contributions=[0.5, float("nan")]), "2 contributions where 2 numbers belong"),
        (result(contributions="ab"), "contributions is a str, not a list"),
    ],
)
def test_an_answer_outside_the_contract_is_refused_and_the_log_says_why(
    plug: Plug, reply: Any, reason: str
) -> None:
    with pytest.raises(errors.BadAnswerError) as caught:
        plug(reply)[0].invoke([[2, 3]], contributions=True)
    assert str(caught.value) == reason


def test_an_answer_that_breaks_off_is_refused(plug: Plug) -> None:
    with pytest.raises(errors.BadAnswerError, match=r"^ResponseStreamingError: .*IncompleteRead"):
        plug(http(200, b'{"model"', {"content-length": "1000"}))[0].invoke([[2, 3]])


@pytest.mark.parametrize("probability", [0, 1])
def test_the_model_may_be_certain(plug: Plug, probability: int) -> None:
    [reading] = plug(result(probability=probability))[0].invoke([[2, 3]], True).readings
    assert reading.probability == probability


def test_an_answer_in_another_vocabulary_is_refused(plug: Plug) -> None:
    with pytest.raises(errors.VocabularyMismatchError) as caught:
        plug(answer(vocabulary="cd" * 4_000))[0].invoke([[2, 3]], contributions=True)
    # A fingerprint has 64 characters, and the log needs no more of whatever this one is.
    here = VOCABULARY.fingerprint
    assert str(caught.value) == f"vocabulary {'cd' * 32!r} at the endpoint, {here!r} here"


def test_an_answer_may_have_4_megabytes() -> None:
    body = Body(answer(results=[])().raw.data.ljust(MAX_ANSWER_BYTES))
    assert Endpoint(Runtime(body), "reeltone", VOCABULARY).invoke([]).readings == []


def test_no_more_is_read_of_an_answer_than_an_answer_may_have() -> None:
    body = Body(answer(results=[])().raw.data.ljust(2 * MAX_ANSWER_BYTES))
    with pytest.raises(errors.BadAnswerError) as caught:
        Endpoint(Runtime(body), "reeltone", VOCABULARY).invoke([])
    assert str(caught.value) == f"the answer has more than {MAX_ANSWER_BYTES} bytes"
    assert body.bytes_read == MAX_ANSWER_BYTES + 1
    assert body.closed
