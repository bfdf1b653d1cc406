"""Our own HTTP servers in this process: the container's, SageMaker's stand-in, and the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from local_stack.functions import FunctionPool
from local_stack.gateway import create_gateway
from local_stack.runtime import RuntimeStandIn
from local_stack.servers import Server, listen, port_of, serving
from local_stack.template import FunctionDefinition, Route
from model_training.paths import MODELS
from model_training.serving import server
from model_training.serving.bundle import read_bundle

ROOT = Path(__file__).resolve().parents[2]
HANDLERS = ROOT / "tests" / "local_stack" / "handlers"
MODEL = MODELS / "classic"
NAMES = ("container", "runtime", "gateway")


@dataclass(frozen=True)
class Served:
    """A server, and a request that it answers with 200."""

    port: int
    head: bytes
    """Of the request, without its length and the empty line."""
    body: bytes

    @property
    def request(self) -> bytes:
        return self.head + b"content-length: %d\r\n\r\n" % len(self.body) + self.body


def read_settings(model: Path) -> tuple[Any, dict[str, Any]]:
    """Application and settings that ``model_training.serving.server`` hands to uvicorn."""
    handed: list[tuple[Any, dict[str, Any]]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn, "run", lambda app, **settings: handed.append((app, settings)))
        server.main(["--model-dir", str(model)])
    return handed[0]


@contextlib.asynccontextmanager
async def serving_all() -> AsyncIterator[dict[str, Served]]:
    """All servers; the gateway's function greets, whatever it is asked."""
    async with contextlib.AsyncExitStack() as stack:
        listeners = [stack.enter_context(listen("127.0.0.1", 0)) for _ in NAMES]
        ports = [port_of(listener) for listener in listeners]
        app, settings = read_settings(MODEL)
        container = Server(uvicorn.Config(app, **settings))
        task = asyncio.create_task(container.serve(sockets=[listeners[0]]))
        stack.push_async_callback(asyncio.wait_for, task, None)
        stack.callback(setattr, container, "should_exit", True)
        stand_in = RuntimeStandIn("reeltone", f"http://127.0.0.1:{ports[0]}")
        await stack.enter_async_context(serving(stand_in.create_app(), listeners[1]))
        function = FunctionDefinition("Sample", "samples.greet", (HANDLERS,), {}, 20, 128)
        pool = FunctionPool(function, capacity=1)
        stack.push_async_callback(pool.close)
        routes = [Route("POST", "/api/greeting", "Sample")]
        gateway = create_gateway(routes, {"Sample": pool}, ROOT / "frontend")
        await stack.enter_async_context(serving(gateway, listeners[2]))
        yield dict(zip(NAMES, map(_describe, NAMES, ports), strict=True))


def _describe(name: str, port: int) -> Served:
    paths = {
        "container": b"/invocations",
        "runtime": b"/endpoints/reeltone/invocations",
        "gateway": b"/api/greeting",
    }
    head = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n" % paths[name]
    asked = {"vocabulary": read_bundle(MODEL).manifest.vocabulary, "windows": [], "lengths": []}
    return Served(port, head, json.dumps(asked).encode())


@contextlib.contextmanager
def running() -> Iterator[dict[str, Served]]:
    """All servers, in a thread of their own while the block runs."""
    started, served = threading.Event(), dict[str, Served]()
    loop = asyncio.new_event_loop()
    ending = asyncio.Event()

    async def run() -> None:
        async with serving_all() as all_of_them:
            served.update(all_of_them)
            started.set()
            await ending.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        assert started.wait(30)
        yield served
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join()
        loop.close()
