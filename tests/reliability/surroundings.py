"""The real handler with real boto3, before a runtime that fails on purpose."""

from __future__ import annotations

import json
import os
from time import perf_counter
from typing import Any
from unittest import mock

import app
import endpoint
from model_training.paths import MODELS
from settings import load_settings
from tests.invocations import make_context, make_event
from tests.reliability.expectations import SECONDS, Outcome

MILLISECONDS = round((SECONDS["handler"] + app.ANSWER_SECONDS) * 1000)

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",  # pragma: allowlist secret
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "ENDPOINT_NAME": "reeltone",
    "MODEL_NAME": "classic",
    "VOCABULARIES_DIR": str(MODELS),
}


def set_up(url: str) -> None:
    """Make ``app`` ask the runtime at ``url``, and hurry."""
    os.environ.update(ENVIRONMENT, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=url)
    load_settings.cache_clear()
    with (
        mock.patch.object(endpoint, "CONNECT_SECONDS", SECONDS["connect"]),
        mock.patch.object(endpoint, "READ_SECONDS", SECONDS["read"]),
    ):
        connected = endpoint.connect("reeltone", load_settings().vocabulary)
    setattr(app, "load_endpoint", lambda: connected)  # noqa: B010


def ask() -> Outcome:
    """Send one review through the handler."""
    event = make_event("POST", "/api/sentiment", body='{"review": "A great film."}')
    event["headers"]["content-type"] = "application/json"
    started = perf_counter()
    response: dict[str, Any] = app.handler(event, make_context(MILLISECONDS))
    seconds = perf_counter() - started
    problem = json.loads(response["body"]).get("type", "").removeprefix("/problems/")
    headers = {name.lower(): value for name, value in response["headers"].items()}
    return Outcome(response["statusCode"], problem, headers.get("retry-after"), seconds)
