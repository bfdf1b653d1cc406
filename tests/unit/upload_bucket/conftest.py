"""The upload bucket in moto's account, the function, and the shipped classic model behind it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

import storage
import telemetry
import uploads
from endpoint import Endpoint
from model_training.serving.scorer import Model, load_model
from tests import function
from tests.invocations import make_context

ROOT = Path(__file__).resolve().parents[3]
BUCKET, KEY = "our-uploads", "november/reviews of the week.csv"
UNTOLD = "xylophone"
FILE = (
    "id,review,stars\r\n"
    f'1,"I loved it, {UNTOLD} and all.",5\r\n'
    "2,,3\r\n"
    "3,Dreadful and dull.,1\r\n"
    "4,?!,2\r\n"
    f"5,Too many,{UNTOLD},1\r\n"
)


class Kill(BaseException):
    """Ends the function as Lambda does: nothing catches it."""


class Storage:
    """S3 with what was asked of it on record; may end the function at a step."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self.steps: list[str] = []
        self.kill_before: int | None = None
        self.kill_after: int | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            step = len(self.steps)
            self.steps.append(name)
            if step == self.kill_before:
                raise Kill
            try:
                return getattr(self._s3, name)(**request)
            finally:
                if step == self.kill_after:
                    raise Kill

        return call


class Runtime(function.Runtime):
    """The endpoint, which may fail first."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.calls = 0
        self.failures: list[BaseException] = []

    def invoke_endpoint(self, **parameters: Any) -> Any:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return super().invoke_endpoint(**parameters)


class Stack:
    """The bucket, the endpoint, and the function between them."""

    def __init__(self, s3: Any, runtime: Runtime, log: io.StringIO) -> None:
        self.s3, self.storage, self.runtime, self.log = s3, Storage(s3), runtime, log

    def put(self, content: str | bytes = FILE, key: str = KEY) -> None:
        body = content.encode() if isinstance(content, str) else content
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def deliver(self, key: str = KEY) -> None:
        """Bring the function the message of a file, as in events/upload.json."""
        event = json.loads((ROOT / "events" / "upload.json").read_text(encoding="utf-8"))
        message = json.loads(event["Records"][0]["body"])
        message["detail"]["bucket"]["name"] = BUCKET
        message["detail"]["object"]["key"] = key
        event["Records"][0]["body"] = json.dumps(message)
        self.invoke(event)

    def invoke(self, event: dict[str, Any]) -> None:
        """Bring the function an event."""
        uploads.handler(event, make_context())

    def read(self, key: str) -> list[list[str]]:
        body = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))

    def list_keys(self) -> set[str]:
        listed = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {entry["Key"] for entry in listed}

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(function.BUNDLES / "classic")


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """S3 in moto's account, with the bucket."""
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def stack(s3: Any, model: Model, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    log = io.StringIO()
    monkeypatch.setattr(telemetry.logger.registered_handler, "stream", log)
    monkeypatch.setattr("time.sleep", lambda _: None)
    settings, runtime = function.load_settings("classic"), Runtime(model)
    endpoint = Endpoint(runtime, "x", settings.vocabulary)
    monkeypatch.setattr(uploads, "load_settings", lambda: settings)
    monkeypatch.setattr(uploads, "load_endpoint", lambda: endpoint)
    made = Stack(s3, runtime, log)
    monkeypatch.setattr(storage, "load_client", lambda _: made.storage)
    yield made
    for key in made.list_keys():
        s3.delete_object(Bucket=BUCKET, Key=key)
