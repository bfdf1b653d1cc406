"""Gateway, function and endpoint in one process: all of their own code, without sockets or, for
clients that need one, with a single one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from starlette.applications import Starlette

from local_stack import servers
from local_stack.functions import FunctionPool
from local_stack.gateway import create_gateway
from local_stack.template import Template
from model_training.serving.scorer import Model, load_model
from tests import function

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
    model = load_model(BUNDLES / bundle)
    listener, ready = servers.listen("127.0.0.1", 0), threading.Event()
    loop, end = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        with gateway(bundle, model) as application:
            async with servers.serving(application, listener):
                ready.set()
                await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    try:
        assert ready.wait(30)
        yield f"http://127.0.0.1:{servers.port_of(listener)}"
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()
