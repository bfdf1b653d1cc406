"""Gateway, function and endpoint in one process: all of their own code, without sockets or, for
clients that need one, with a single one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from starlette.applications import Starlette

from local_stack.functions import FunctionPool
from local_stack.gateway import create_gateway
from local_stack.template import Template
from model_training.serving.scorer import Model, load_model
from tests import function
from tests.servers import served

ROOT = function.ROOT
BUNDLES = function.BUNDLES


class Function:
    """Takes the place of the function's processes."""

    async def invoke(self, event: dict[str, Any], request_id: str) -> Any:
        """The handler's result."""
        return function.call(event, request_id)


@contextmanager
def gateway(bundle: str, model: Model) -> Iterator[Starlette]:
    """The gateway with the routes of template.yaml, for the shipped bundle of that name."""
    pools = {"SentimentFunction": cast(FunctionPool, Function())}
    with function.connected(bundle, model):
        yield create_gateway(Template(ROOT / "template.yaml").routes, pools, ROOT / "frontend")


@contextmanager
def serving_gateway(bundle: str) -> Iterator[str]:
    """URL of the gateway for the shipped bundle of that name, which listens in a thread."""
    with gateway(bundle, load_model(BUNDLES / bundle)) as app, served(app) as port:
        yield f"http://127.0.0.1:{port}"
