"""AWS as moto plays it, with a bucket, a role, and everything that was sent on record."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.loaders
import botocore.session
import pytest
from moto import mock_aws

from model_training.corpus.cache import Corpus
from model_training.errors import ReeltoneError
from model_training.files import run_command
from model_training.jobs.__main__ import main
from model_training.jobs.cloud import Cloud, Place
from model_training.training.__main__ import main as train
from tests.small_recipes import ONE, write_recipe

REGION = "us-east-1"
ACCOUNT = "123456789012"
BUCKET = "our-bucket"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/trainer"
STORED = ["--bucket", BUCKET, "--yes"]
LOADER = botocore.loaders.create_loader()
"""Reads each of AWS's service descriptions once for all tests."""
TRAINED = [*STORED, "--role", "trainer"]


@dataclass
class Aws:
    """The session that commands use, and what went through it."""

    session: Any
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """(operation, request), in order."""
    refusals: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Operation → the code and message that it is answered with."""

    def client(self, service: str) -> Any:
        return self.session.client(service)

    def requests(self, operation: str) -> list[dict[str, Any]]:
        return [request for name, request in self.sent if name == operation]

    def changes(self) -> list[str]:
        """The operations that were sent and change something."""
        reading = ("Describe", "Get", "Head", "List")
        return [name for name, _ in self.sent if not name.startswith(reading)]

    def record(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.sent.append((model.name, dict(params)))

    def refuse(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]] | None:
        if model.name not in self.refusals:
            return None
        code, message = self.refusals[model.name]
        answer = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }
        return SimpleNamespace(status_code=400), answer


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of the person who runs the tests."""
    for name in ("AWS_PROFILE", "AWS_REGION", "REELTONE_BUCKET", "REELTONE_JOB_ROLE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture
def aws(nowhere: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        core = botocore.session.Session()
        core.register_component("data_loader", LOADER)
        session = boto3.Session(botocore_session=core, region_name=REGION)
        session.client("s3").create_bucket(Bucket=BUCKET)
        session.client("iam").create_role(
            RoleName="trainer", AssumeRolePolicyDocument=json.dumps(trust("sagemaker"))
        )
        aws = Aws(session)
        session.events.register("provide-client-params.*.*", aws.record)
        session.events.register("before-call.*.*", aws.refuse)
        monkeypatch.setattr(boto3, "Session", lambda **_: session)
        yield aws


@pytest.fixture
def cloud(aws: Aws) -> Cloud:
    return Cloud(aws.session)


@pytest.fixture
def place() -> Place:
    return Place(BUCKET, "reeltone")


@pytest.fixture
def data(aws: Aws) -> None:
    """The archive is on S3."""
    aws.client("s3").put_object(
        Bucket=BUCKET, Key="reeltone/data/aclImdb_v1.tar.gz", Body=b"reviews"
    )
    aws.sent.clear()


@dataclass(frozen=True)
class TrainedModel:
    """What a training job leaves behind."""

    folder: Path
    data: Path
    output: str
    """All that it printed."""


@pytest.fixture
def trained_model(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> TrainedModel:
    """The training script's results on a few made-up reviews."""
    folder, data = tmp_path / "model", tmp_path / "data"
    folders = [f"--model-dir={folder}", f"--checkpoint-dir={tmp_path / 'checkpoints'}"]
    recipe = write_recipe(tmp_path / "modern.toml", ONE.replace("small", "modern"))
    train([str(recipe), f"--data-dir={data}", *folders, "--epochs=2"])
    return TrainedModel(folder, data, capsys.readouterr().out)


@pytest.fixture
def error_of(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must fail, as the command line does; gives its one line."""

    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as caught:
            run_command(main, ReeltoneError, list(arguments))
        message = str(caught.value)
        assert message.startswith("error: ")
        assert "\n" not in message
        return message.removeprefix("error: ")

    return run


def trust(service: str) -> dict[str, Any]:
    """A role's trust policy."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }


def sagemaker_job(kind: str, name: str) -> Any:
    """A job of moto's, to change as SageMaker would while time goes by."""
    from moto.sagemaker.models import sagemaker_backends

    return getattr(sagemaker_backends[ACCOUNT][REGION], kind)[name]


def at_terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Somebody sits there and types ``answer``."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
