"""The function and its endpoint in one process: all of their own code, without sockets."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import app
from endpoint import Endpoint
from model_training.serving.functions import Refusal, input_fn, output_fn, predict_fn
from model_training.serving.scorer import Model
from settings import Settings, read_settings
from tests.invocations import REQUEST_ID, make_context

ROOT = Path(__file__).resolve().parents[1]
BUNDLES = ROOT / "model_training" / "models"


class Runtime:
    """Takes the place of boto3's client: the endpoint's four functions, called directly."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def invoke_endpoint(self, **parameters: Any) -> Any:
        """What the endpoint answers; it has no reason to refuse what the function sends."""
        request = input_fn(parameters["Body"], parameters["ContentType"])
        answer = output_fn(predict_fn(request, self._model), parameters["Accept"])
        assert not isinstance(answer, Refusal), answer.body
        return {"Body": io.BytesIO(answer[0].encode())}


@contextmanager
def connected(bundle: str, model: Model) -> Iterator[None]:
    """Let the handler ask ``model``, the shipped bundle of that name."""
    settings = load_settings(bundle)
    endpoint = Endpoint(Runtime(model), "x", settings.vocabulary)
    with (
        mock.patch.object(app, "load_settings", lambda: settings),
        mock.patch.object(app, "load_endpoint", lambda: endpoint),
    ):
        yield


@cache
def load_settings(bundle: str) -> Settings:
    """What the function is told of a shipped bundle."""
    environment = {"ENDPOINT_NAME": "x", "MODEL_NAME": bundle, "VOCABULARIES_DIR": str(BUNDLES)}
    return read_settings(environment)


def call(event: Any, request_id: str = REQUEST_ID) -> Any:
    """Invoke the handler."""
    return app.handler(event, make_context(request_id=request_id))
