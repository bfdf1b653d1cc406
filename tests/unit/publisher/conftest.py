"""The publisher between two stand-ins: moto's S3, and a CloudFormation that waits for answers."""

from __future__ import annotations

import importlib.util
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto import mock_aws

import answer
import stack
from tests.servers import Quiet, handled

ROOT = Path(__file__).parents[3]
SECRET = "X-Amz-Signature=0123456789abcdef"  # pragma: allowlist secret
SITE_BUCKET, MODEL_BUCKET = "reeltone-site", "reeltone-models"
STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/reeltone/0f1e2d3c"
ADDRESS = (
    "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/"
    f"answer?{SECRET}"
)
PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:publisher",
    "SiteBucket": SITE_BUCKET,
    "ModelBucket": MODEL_BUCKET,
    "ModelName": "modern",
    "Release": "1",
}
ENVIRONMENT = {"STACK_ID": STACK_ID, "SITE_BUCKET": SITE_BUCKET, "MODEL_BUCKET": MODEL_BUCKET}
OLD_SITE = {
    "index.html": "<!doctype html><title>Old</title>",
    "style.css": "body { color: black }",
    "js/main.js": "import './view.js';",
    "js/view.js": "export {};",
}
NEW_SITE = {
    "index.html": "<!doctype html><title>New</title>",
    "style.css": "body { color: black }",
    "js/main.js": "import './page.js';",
    "js/page.js": "export {};",
}
OLD_MODELS = {"modern": "0" * 16, "classic": "c" * 16}
NEW_MODELS = {"modern": "1" * 16, "classic": "c" * 16}


# One session for all tests: each new one reads S3's description again, for a quarter of a second.
SESSION = boto3.Session("testing", "testing", region_name="eu-west-1")


class KilledError(BaseException):
    """The process ended; nothing may catch it."""


@dataclass
class Mailbox:
    """Where CloudFormation takes answers: an HTTP server that can also refuse, or not answer."""

    troubles: list[int | str] = field(default_factory=list)
    """What happens to the next attempts: a status, "drop" or "silence"; then all are taken."""
    attempts: list[dict[str, str]] = field(default_factory=list)
    """The headers of each."""
    taken: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    def open(self, request: Request, timeout: float) -> Any:
        """In urlopen's place: what is meant for CloudFormation's bucket comes here."""
        url = request.full_url.replace(ADDRESS, self.url)
        data, headers = request.data, dict(request.header_items())
        return urlopen(Request(url, data, headers, method=request.method), timeout=timeout)

    def take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.attempts.append({name.lower(): value for name, value in request.headers.items()})
        trouble = self.troubles.pop(0) if self.troubles else 200
        if trouble == "silence":
            self.closing.wait()
        if isinstance(trouble, str):
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        if trouble == 200:
            assert len(body) <= 4096, "CloudFormation takes no more"
            self.taken.append(json.loads(body))
        request.send_response(trouble)
        request.send_header("Content-Length", "0")
        request.end_headers()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()

    class Handler(Quiet):
        def do_PUT(self) -> None:
            mailbox.take(self)

    with handled(Handler) as url:
        mailbox.url = f"{url}/answer?{SECRET}"
        yield mailbox
        mailbox.closing.set()


@dataclass
class S3:
    """moto's S3, through a client whose calls can be counted, refused, cut off or slowed down."""

    client: Any
    calls: list[str] = field(default_factory=list)
    """Operations of the publisher, in order."""
    before: Callable[[str, dict[str, Any]], Any] | None = None
    after: Callable[[str], None] | None = None

    def contents(self, bucket: str) -> dict[str, str]:
        """Key → content of what a visitor or SageMaker finds; without the secret."""
        entries = self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        entries = [entry for entry in entries if entry["Key"] != "origin-secret"]
        return {
            key: self.client.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
            for key in (entry["Key"] for entry in entries)
        }

    def versions(self, bucket: str) -> list[str]:
        """The keys of all versions and delete markers on the first page; without the secret."""
        answer = self.client.list_object_versions(Bucket=bucket)
        entries = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
        return [entry["Key"] for entry in entries if entry["Key"] != "origin-secret"]

    def reset(self) -> None:
        """Empty buckets, and no calls so far."""
        for bucket in (SITE_BUCKET, MODEL_BUCKET):
            answer = self.client.list_object_versions(Bucket=bucket)
            for entry in [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]:
                self.client.delete_object(
                    Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"]
                )
        self.calls.clear()

    def connect(self) -> Any:
        """The publisher's client."""
        client = SESSION.client("s3")
        client.meta.events.register("before-call.s3", self._note_call)
        client.meta.events.register("after-call.s3", self._note_result)
        return client

    def _note_call(self, model: Any, params: dict[str, Any], **_: Any) -> Any:
        self.calls.append(model.name)
        return self.before(model.name, params) if self.before else None

    def _note_result(self, model: Any, **_: Any) -> None:
        if self.after:
            self.after(model.name)


def refuse(operation: str, code: str = "AccessDenied", status: int = 403) -> Any:
    """What S3 answers instead of carrying out an operation."""
    answer = {
        "Error": {"Code": code, "Message": f"not authorized to perform: s3:{operation}"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return SimpleNamespace(status_code=status), answer


@pytest.fixture
def s3() -> Iterator[S3]:
    with mock_aws():
        client = SESSION.client("s3")
        place = {"LocationConstraint": "eu-west-1"}
        for bucket in (SITE_BUCKET, MODEL_BUCKET):
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
            client.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )
        yield S3(client)


@pytest.fixture(scope="session")
def app() -> ModuleType:
    """The publisher's handler; loaded by its path, as Lambda does, because its name is common."""
    path = ROOT / "functions" / "publisher" / "app.py"
    spec = importlib.util.spec_from_file_location("publisher_app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Clock:
    """Lambda's context, for a function that was called with so many seconds left."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self.seconds - (time.monotonic() - self.started)))


@dataclass
class CloudFormation:
    """Sends requests as CloudFormation does, and checks what it would insist on."""

    app: ModuleType
    mailbox: Mailbox
    capsys: pytest.CaptureFixture[str]
    log: list[dict[str, Any]] = field(default_factory=list)
    """The lines of the last request."""
    status: str = ""
    """What it says that the stack is at; empty: whatever the event asks for."""
    says: str = ""

    def event(self, request_type: str, **changes: Any) -> dict[str, Any]:
        """``changes`` of the properties."""
        event = {
            "RequestType": request_type,
            "ResponseURL": ADDRESS,
            "StackId": STACK_ID,
            "RequestId": "6d6f6f6e-0000-4000-8000-000000000000",
            "LogicalResourceId": "Publication",
            "ResourceType": "Custom::Publication",
            "ResourceProperties": PROPERTIES | changes,
        }
        if request_type != "Create":
            event["PhysicalResourceId"] = "site-and-model"
        return event

    def invoke(self, event: Any, seconds: float = 300) -> None:
        """One run of the function, which may fail; nothing that it logs is secret."""
        asked = event.get("RequestType") if isinstance(event, dict) else None
        self.says = self.status or f"{str(asked).upper()}_IN_PROGRESS"
        try:
            self.app.handler(event, Clock(seconds))
        finally:
            written = self.capsys.readouterr()
            assert SECRET not in written.out + written.err
            self.log = [json.loads(line) for line in written.out.splitlines()]

    def send(self, event: dict[str, Any], seconds: float = 300) -> dict[str, Any]:
        """The one answer to an event."""
        before = len(self.mailbox.taken)
        self.invoke(event, seconds)
        [answer] = self.mailbox.taken[before:]
        for name in ("StackId", "RequestId", "LogicalResourceId"):
            assert answer[name] == event.get(name, "")
        assert answer["PhysicalResourceId"] == "site-and-model"
        assert answer["Status"] in ("SUCCESS", "FAILED")
        assert ("Reason" in answer) == (answer["Status"] == "FAILED")
        return dict(answer)

    def request(self, request_type: str, **changes: Any) -> dict[str, Any]:
        """The attributes after a request that succeeds."""
        answer = self.send(self.event(request_type, **changes))
        assert answer["Status"] == "SUCCESS", answer["Reason"]
        return dict(answer["Data"])

    def fail(self, request_type: str, **changes: Any) -> str:
        """The reason for a request that fails."""
        answer = self.send(self.event(request_type, **changes))
        assert answer["Status"] == "FAILED"
        assert answer["Data"] == {}
        assert self.log[-1]["level"] == "ERROR"
        return str(answer["Reason"])


Pack = Callable[[dict[str, str], dict[str, str]], Path]


@pytest.fixture
def pack(app: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pack:
    """Makes the function's package of a site and of models (name → content hash)."""
    count = iter(range(1000))

    def pack(site: dict[str, str], models: dict[str, str]) -> Path:
        package = tmp_path / f"package-{next(count)}"
        for key, content in site.items():
            path = package / "site" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        for name, digest in models.items():
            folder = package / "models" / name
            folder.mkdir(parents=True)
            (folder / f"model-{digest}.tar.gz").write_text(f"{name} {digest}")
        monkeypatch.setattr(app, "PACKAGE", package)
        return package

    return pack


@pytest.fixture
def cloudformation(
    app: ModuleType,
    mailbox: Mailbox,
    s3: S3,
    capsys: pytest.CaptureFixture[str],
    pack: Pack,
    monkeypatch: pytest.MonkeyPatch,
) -> CloudFormation:
    """CloudFormation with the function, whose package is the old one until a test packs another."""
    pack(OLD_SITE, OLD_MODELS)
    monkeypatch.setattr(app, "connect", s3.connect)
    monkeypatch.setattr(answer, "PAUSES", (0.01,) * 5)
    monkeypatch.setattr(answer, "urlopen", mailbox.open)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    cloudformation = CloudFormation(app, mailbox, capsys)
    monkeypatch.setattr(stack, "read_status", lambda stack_id: cloudformation.says)
    return cloudformation
