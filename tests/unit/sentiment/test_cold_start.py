"""What the function costs before its first request, in a process of its own as in Lambda."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.invocations import make_event

ROOT = Path(__file__).parents[3]

HEAVY = {
    *("asyncio", "aws_lambda_powertools.event_handler", "boto3", "s3transfer"),
    *("aws_xray_sdk", "bs4", "nltk", "numpy", "onnxruntime", "pydantic", "torch"),
}


def run_in_lambda(program: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    sources = [ROOT / "functions" / "sentiment", ROOT / "layers" / "vocabulary"]
    lambda_environment = {
        "AWS_LAMBDA_FUNCTION_NAME": "sentiment",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "PYTHONPATH": os.pathsep.join(map(str, sources)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, "-c", program],
        env=lambda_environment | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_nothing_heavy_is_imported(environment: dict[str, str]) -> None:
    program = "import sys, app; print(*sys.modules)"
    ran = run_in_lambda(program, environment)
    assert ran.returncode == 0, ran.stderr
    loaded = set(ran.stdout.split())
    assert "endpoint" in loaded
    assert not HEAVY & loaded


def test_endpoint_and_vocabulary_are_ready_before_the_first_request(
    environment: dict[str, str],
) -> None:
    program = "import app; print(app.load_endpoint.cache_info().currsize)"
    assert run_in_lambda(program, environment).stdout == "1\n"


def test_a_function_that_is_set_up_wrongly_does_not_start_and_says_why() -> None:
    ran = run_in_lambda("import app", {"ENDPOINT_NAME": ""})
    assert ran.returncode == 1
    assert "SetUpError: ENDPOINT_NAME = ''; use a SageMaker endpoint name" in ran.stderr


@pytest.mark.parametrize("key", ["POWERTOOLS_DEV", "POWERTOOLS_LOGGER_LOG_EVENT"])
def test_the_environment_cannot_make_the_function_log_reviews(
    environment: dict[str, str], key: str
) -> None:
    event = make_event("POST", "/api/sentiment", body='{"review": "Rosebud"')
    event["headers"]["content-type"] = "application/json"
    program = f"""
import app
from tests.invocations import make_context
print(app.handler({event!r}, make_context())["statusCode"])
"""
    ran = run_in_lambda(program, environment | {key: "true"})
    assert ran.stdout.splitlines()[-1] == "400"
    assert "Rosebud" not in ran.stdout + ran.stderr
