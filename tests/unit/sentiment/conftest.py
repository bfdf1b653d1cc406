"""The handler with a fake endpoint, and the events that an HTTP API would send it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any

import pytest

import app
import telemetry
from endpoint import Endpoint
from review_text import MODERN, NO_WORD, Vocabulary, build_vocabulary
from settings import Settings, read_settings
from tests.invocations import make_context, make_event

WORDS = ["I loved every minute of it, a great film!", "A dull and awful film. I hated it."]


@dataclass
class FakeRuntime:
    """Takes the place of boto3's client. Every token contributes +1 if its id is even, -1 if it is
    odd, and has twice that effect; the bias is 0.25. As the real one, it gives both only if it is
    asked for them."""

    error: Exception | None = None
    calls: list[list[list[int]]] = field(default_factory=list)

    def invoke_endpoint(self, **parameters: Any) -> Any:
        request = json.loads(parameters["Body"])
        windows = chain.from_iterable(request["windows"])
        ids = [number for number in windows if number != NO_WORD]
        ends = list(accumulate(request["lengths"], initial=0))
        self.calls.append([ids[start:end] for start, end in pairwise(ends)])
        if self.error:
            raise self.error
        content = {
            "model": "modern-0123456789ab",
            "vocabulary": request["vocabulary"],
            "bias": 0.25,
            "results": [self._read(ids, request) for ids in self.calls[-1]],
        }
        return {"Body": io.BytesIO(json.dumps(content).encode())}

    def _read(self, ids: list[int], asked: dict[str, Any]) -> dict[str, Any]:
        given = [1.0 if number % 2 == 0 else -1.0 for number in ids]
        logit = 0.25 + sum(given)
        result = {"logit": logit, "probability": 0.9123456789 if logit > 0 else 0.1123456789}
        lists = {"contributions": given, "effects": [2 * share for share in given]}
        return result | {name: numbers for name, numbers in lists.items() if asked[name]}


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

    endpoint: FakeRuntime
    log: io.StringIO

    def request(self, method: str, path: str, **changes: Any) -> HttpResponse:
        return self.send(make_event(method, path, **changes))

    def get(self, path: str) -> HttpResponse:
        return self.request("GET", path)

    def post(
        self,
        path: str,
        content: object,
        content_type: str = "application/json",
        milliseconds: int = 29_000,
    ) -> HttpResponse:
        """Post ``content``; the function has so many ``milliseconds`` left."""
        body = content if isinstance(content, str) else json.dumps(content)
        event = make_event("POST", path, body=body, headers={"content-type": content_type})
        return self.send(event, milliseconds)

    def call_comprehend(self, operation: str, content: object, **headers: str) -> HttpResponse:
        """Post ``content`` as an AWS SDK does."""
        sent = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"Comprehend_20171127.{operation}",
        } | headers
        body = content if isinstance(content, str) else json.dumps(content)
        return self.request("POST", "/api/comprehend", body=body, headers=sent)

    def post_bytes(self, path: str, body: bytes, content_type: str) -> HttpResponse:
        return self.request(
            "POST",
            path,
            body=base64.b64encode(body).decode(),
            isBase64Encoded=True,
            headers={"content-type": content_type},
        )

    def send(self, event: Any, milliseconds: int = 29_000) -> HttpResponse:
        response = app.handler(event, make_context(milliseconds))
        json.dumps(response)  # the runtime does this
        assert response["isBase64Encoded"] is False
        headers = {name.lower(): value for name, value in response["headers"].items()}
        return HttpResponse(response["statusCode"], headers, response["body"])

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


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
    runtime = FakeRuntime()
    endpoint = Endpoint(runtime, "reeltone", settings.vocabulary)
    monkeypatch.setattr(app, "load_settings", lambda: settings)
    monkeypatch.setattr(app, "load_endpoint", lambda: endpoint)
    telemetry.metrics.clear_metrics()
    return Api(runtime, log)


@pytest.fixture
def read_metrics(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, Any]]:
    """What the last request wrote for CloudWatch."""

    def read() -> dict[str, Any]:
        content: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return content

    return read
