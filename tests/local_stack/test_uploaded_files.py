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

import uploads
from endpoint import load_endpoint
from settings import load_settings
from tests.invocations import make_context

from .test_local_stack import ROOT, stack

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
    kept = (load_settings, load_endpoint, uploads.load_storage)
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
