"""The handler with a fake endpoint, and the events that an HTTP API would send it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import app
import telemetry
from endpoint import Answer, Reading
from review_text import MODERN, Vocabulary, build_vocabulary
from settings import Settings, read_settings

WORDS = ["I loved every minute of it, a great film!", "A dull and awful film. I hated it."]
CONTEXT = SimpleNamespace(
    function_name="sentiment",
    memory_limit_in_mb="256",
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:sentiment",
    aws_request_id="9f9f4a4e-0000-4000-8000-000000000000",
)


@dataclass
class FakeEndpoint:
    """Every token contributes +1 if its id is even, -1 if it is odd; the bias is 0.25. As the real
    one, it gives contributions only if it is asked for them."""

    vocabulary: Vocabulary
    error: Exception | None = None
    calls: list[list[list[int]]] = field(default_factory=list)

    def invoke(self, reviews: list[list[int]], contributions: bool = False) -> Answer:
        self.calls.append(reviews)
        if self.error:
            raise self.error
        readings = [self._read(ids, contributions) for ids in reviews]
        return Answer("modern-0123456789ab", 0.25, readings)

    def _read(self, ids: list[int], asked: bool) -> Reading:
        given = [1.0 if number % 2 == 0 else -1.0 for number in ids]
        logit = 0.25 + sum(given)
        return Reading(logit, 0.9123456789 if logit > 0 else 0.1123456789, given if asked else [])


@dataclass(frozen=True)
class HttpResponse:
    """What API Gateway would send to the caller."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Api:
    """Sends requests to the handler as an HTTP API does, and keeps what it logged."""

    endpoint: FakeEndpoint
    log: io.StringIO

    def request(self, method: str, path: str, **changes: Any) -> HttpResponse:
        return self.send(make_event(method, path, **changes))

    def get(self, path: str) -> HttpResponse:
        return self.request("GET", path)

    def post(
        self, path: str, content: object, content_type: str = "application/json"
    ) -> HttpResponse:
        body = content if isinstance(content, str) else json.dumps(content)
        return self.request("POST", path, body=body, headers={"content-type": content_type})

    def post_bytes(self, path: str, body: bytes, content_type: str) -> HttpResponse:
        return self.request(
            "POST",
            path,
            body=base64.b64encode(body).decode(),
            isBase64Encoded=True,
            headers={"content-type": content_type},
        )

    def send(self, event: Any) -> HttpResponse:
        response = app.handler(event, CONTEXT)
        json.dumps(response)  # the runtime does this
        assert response["isBase64Encoded"] is False
        headers = {name.lower(): value for name, value in response["headers"].items()}
        return HttpResponse(response["statusCode"], headers, response["body"])

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def make_event(method: str, path: str, **changes: Any) -> dict[str, Any]:
    """An event in payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "abc.execute-api.eu-west-1.amazonaws.com"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1"},
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    } | changes


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return build_vocabulary(WORDS, MODERN)


@pytest.fixture
def bundle(tmp_path: Path, vocabulary: Vocabulary) -> Path:
    """The folder of the model "modern", as the layer carries it."""
    folder = tmp_path / "modern"
    folder.mkdir()
    vocabulary.save(folder / "vocabulary.json")
    manifest = {
        "name": "modern",
        "version": "modern-0123456789ab",
        "vocabulary": vocabulary.fingerprint,
        "architecture": "A very small model.",
        "temperature": 1.1,
        "bias": 0.25,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "metrics.json").write_text(json.dumps({"accuracy": 0.9177, "reviews": 25000}))
    return folder


@pytest.fixture
def environment(bundle: Path) -> dict[str, str]:
    return {"ENDPOINT_NAME": "reeltone", "VOCABULARIES_DIR": str(bundle.parent)}


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return read_settings(environment)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    # Its setStream would flush the former one, which is closed where mutmut collected the tests.
    monkeypatch.setattr(telemetry.logger.registered_handler, "stream", stream)
    return stream


@pytest.fixture
def api(settings: Settings, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Api:
    endpoint = FakeEndpoint(settings.vocabulary)
    monkeypatch.setattr(app, "load_settings", lambda: settings)
    monkeypatch.setattr(app, "load_endpoint", lambda: endpoint)
    return Api(endpoint, log)


@pytest.fixture
def read_metrics(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, Any]]:
    """What the last request wrote for CloudWatch."""

    def read() -> dict[str, Any]:
        content: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return content

    return read
