"""A file's whole way but for AWS's own: its event, the function as Lambda has it, moto's S3, and
the local stack's endpoint, asked by the SDK."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

import storage
import uploads
from endpoint import load_endpoint
from settings import load_settings
from tests.invocations import make_context
from tests.local_stack.test_local_stack import ROOT, stack
from tests.transform import work_off

FILE = "film,review\nOne,A warm and clever film.\nTwo,\nThree,Dull from start to end.\n"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The function's surroundings: moto's account, and the environment that template.yaml makes."""
    environment = {
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nobody",  # pragma: allowlist secret
        "AWS_DEFAULT_REGION": "us-east-1",
        "ENDPOINT_NAME": "reeltone",
        "MODEL_NAME": "modern",
        "VOCABULARIES_DIR": str(ROOT / "model_training" / "models"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    kept = (load_settings, load_endpoint, storage.load_client)
    for each in kept:
        each.cache_clear()
    with mock_aws():
        yield boto3.client("s3")
    for each in kept:
        each.cache_clear()


def test_a_new_file_is_scored_by_the_endpoint(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    event = json.loads((ROOT / "events" / "upload.json").read_text(encoding="utf-8"))
    detail = json.loads(event["Records"][0]["body"])["detail"]
    bucket, key = detail["bucket"]["name"], detail["object"]["key"]
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=FILE.encode())
    with stack("--endpoint-only") as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", running.url)
        uploads.handler(event, make_context())
    scored = s3.get_object(Bucket=bucket, Key=key.replace(".csv", ".scored.csv"))
    assert scored["Metadata"]["model"].startswith("modern-")
    rows = list(csv.DictReader(io.StringIO(scored["Body"].read().decode("utf-8-sig"))))
    assert [row["film"] for row in rows] == ["One", "Two", "Three"]
    assert [row["sentiment"] for row in rows] == ["positive", "", "negative"]
    assert rows[1]["problem"] == "There is no text in this row."


def test_a_large_file_is_scored_by_a_job_and_finished_when_that_is(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is moto's; what it would ask of the model's container, the local stack answers."""
    monkeypatch.setattr(uploads, "DIRECT_BYTES", 10)
    monkeypatch.setenv("TRANSFORM_MODEL", "Model-Ab12")
    monkeypatch.setenv("STACK_ID", "arn:aws:cloudformation:eu-west-1:1:stack/film/51af3dc0-0f43")
    events = [
        json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("upload", "transform")
    ]
    detail = json.loads(events[0]["Records"][0]["body"])["detail"]
    bucket, key = detail["bucket"]["name"], detail["object"]["key"]
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=FILE.encode())
    uploads.handler(events[0], make_context())
    sagemaker = boto3.client("sagemaker")
    [job] = sagemaker.list_transform_jobs()["TransformJobSummaries"]
    about = sagemaker.describe_transform_job(TransformJobName=job["TransformJobName"])
    with stack("--endpoint-only") as running:
        runtime = boto3.client("sagemaker-runtime", endpoint_url=running.url)

        def answer(body: bytes) -> str:
            asked = {"EndpointName": "reeltone", "ContentType": "application/jsonlines"}
            said: bytes = runtime.invoke_endpoint(Body=body, **asked)["Body"].read()
            return said.decode()

        work_off(s3, about, answer)
    message = json.loads(events[1]["Records"][0]["body"])
    message["detail"]["TransformJobName"] = job["TransformJobName"]
    message["detail"]["TransformOutput"] = about["TransformOutput"]
    events[1]["Records"][0]["body"] = json.dumps(message)
    uploads.handler(events[1], make_context())
    scored = s3.get_object(Bucket=bucket, Key=key.replace(".csv", ".scored.csv"))
    rows = list(csv.DictReader(io.StringIO(scored["Body"].read().decode("utf-8-sig"))))
    assert [row["sentiment"] for row in rows] == ["positive", "", "negative"]
    assert [row["verdict"] for row in rows] == ["positive", "", "negative"]
    assert rows[1]["problem"] == "There is no text in this row."
