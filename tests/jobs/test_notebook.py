"""Jobs from a notebook: AWS's SDK sends what the command line sends."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from model_training.jobs.__main__ import main
from model_training.jobs.cloud import Place
from model_training.jobs.transform import transform_request
from review_text import load_vocabulary
from review_text.transform import Transform
from tests.jobs.conftest import BUCKET, TRAINED, Aws
from tests.needs import need

ROOT = Path(__file__).parents[2]
MODERN = ROOT / "model_training" / "models" / "modern"
REVIEWS = ["A warm, clever film.", "Dull. <br /> It's 2 out of 10."]
SDK = Path(os.environ.get("SAGEMAKER_PYTHON", ROOT / ".venv-sagemaker" / "bin" / "python"))
"""The SDK's environment, with other versions of our libraries."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the SDK sent, in order, and what it gave back."""
    need(SDK.is_file(), "make sagemaker was not run")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path_factory.mktemp("home")),
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "layers" / "vocabulary"))),
        **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing"),
        **{"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"},
        # moto does not know what the SDK's check of the role asks.
        "SAGEMAKER_VALIDATE_ROLE": "false",
    }
    script = [
        str(SDK),
        str(ROOT / "tests" / "jobs" / "sagemaker" / "ask.py"),
        str(MODERN),
        *REVIEWS,
    ]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3_000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def sent(asked: dict[str, Any], operation: str) -> list[Any]:
    return [request for name, request in asked["sent"] if name == operation]


def plain(request: Any) -> Any:
    """A request without what is drawn or told by the clock: names, and what was named by them."""
    text = json.dumps(request, sort_keys=True)
    return json.loads(re.sub(r"reeltone-[a-z]+-[0-9a-f-]+", "NAME", text))


@pytest.mark.parametrize(
    ("number", "machines"),
    [
        (0, []),
        (1, ["--spot", "--max-hours", "2"]),
        (2, ["--instance-type", "ml.g5.12xlarge"]),
    ],
    ids=["usual", "spot", "torchrun"],
)
def test_a_training_job_is_the_command_lines(
    asked: dict[str, Any], aws: Aws, data: None, number: int, machines: list[str]
) -> None:
    main(["train", *TRAINED, "modern", "--epochs", "3", *machines])
    (expected,) = aws.requests("CreateTrainingJob")
    given = sent(asked, "CreateTrainingJob")[number]
    assert plain(given) == plain(expected)
    assert re.fullmatch(r"reeltone-modern-[0-9a-f-]+", given["TrainingJobName"])


def test_a_search_is_the_command_lines(asked: dict[str, Any], aws: Aws, data: None) -> None:
    ranges = ["learning_rate=3e-4:3e-3:log", "epochs=3:8", "pooling=last,max+mean"]
    options = [option for each in ranges for option in ("--range", each)]
    main(["tune", *TRAINED, *options, "--jobs", "4"])
    (expected,) = aws.requests("CreateHyperParameterTuningJob")
    (given,) = sent(asked, "CreateHyperParameterTuningJob")
    assert plain(given) == plain(expected)
    assert re.fullmatch(r"reeltone-tune-[0-9a-f-]{1,18}", given["HyperParameterTuningJobName"])


def test_a_batch_transform_is_the_command_lines(asked: dict[str, Any]) -> None:
    wanted = Transform("model", "ml.c5.xlarge", 1)
    (given,) = sent(asked, "CreateTransformJob")
    assert given == transform_request(Place(BUCKET, "reeltone"), "score-1", wanted)


def test_the_predictor_sends_numbers_as_the_function_does(asked: dict[str, Any]) -> None:
    vocabulary = load_vocabulary(MODERN / "vocabulary.json")
    (given,) = sent(asked, "InvokeEndpoint")
    expected = vocabulary.make_request([vocabulary.encode_ids(review) for review in REVIEWS])
    assert json.loads(given["Body"]) == expected
    assert (given["ContentType"], given["Accept"]) == ("application/json", "application/json")
    assert asked["answers"] == [{"logit": 2.0, "probability": 0.88}] * len(REVIEWS)


def test_the_sdk_makes_no_bucket_and_sends_no_script(asked: dict[str, Any]) -> None:
    """With a script of its own, it would do both, even in a dry run."""
    assert asked["buckets"] == [BUCKET]
    assert {put["Key"].split("/")[1] for put in sent(asked, "PutObject")} <= {"source", "data"}
