"""Gateway, function and endpoint in one process: all of their own code, without sockets."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.applications import Starlette

import app
from endpoint import Endpoint
from local_stack.functions import FunctionPool
from local_stack.gateway import create_gateway
from local_stack.template import Template
from model_training.inference import Model, Refusal, input_fn, output_fn, predict_fn
from settings import read_settings

ROOT = Path(__file__).resolve().parents[1]
BUNDLES = ROOT / "model_training" / "bundle"


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


class Function:
    """Takes the place of the function's processes."""

    async def invoke(self, event: dict[str, Any], request_id: str) -> Any:
        """The handler's result."""
        context: Any = SimpleNamespace(
            function_name="sentiment",
            memory_limit_in_mb="256",
            invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:sentiment",
            aws_request_id=request_id,
        )
        return app.handler(event, context)


@contextmanager
def gateway(bundle: str, model: Model) -> Iterator[Starlette]:
    """The gateway with the routes of template.yaml, for the shipped bundle of that name."""
    environment = {"ENDPOINT_NAME": "x", "MODEL_NAME": bundle, "VOCABULARIES_DIR": str(BUNDLES)}
    settings = read_settings(environment)
    endpoint = Endpoint(Runtime(model), "x", settings.vocabulary.fingerprint)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "load_settings", lambda: settings)
        patch.setattr(app, "load_endpoint", lambda: endpoint)
        pools = {"SentimentFunction": cast(FunctionPool, Function())}
        yield create_gateway(Template(ROOT / "template.yaml").routes, pools, ROOT / "frontend")
