"""Clients that are slow, odd or too many, before each of our own servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from local_stack import gateway, runtime
from local_stack.functions import FunctionPool
from local_stack.gateway import create_gateway
from local_stack.runtime import RuntimeStandIn
from local_stack.servers import Server, listen, port_of, serving
from local_stack.template import FunctionDefinition, Route
from model_training.paths import MODELS
from model_training.serving import connections
from model_training.serving import server as server_module
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
        server_module.main(["--model-dir", str(model)])
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


MAX_CONNECTIONS = 12
HIDDEN = b"GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Served]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connections.SERVER_LIMITS, "limit_concurrency", MAX_CONNECTIONS)
        patch.setattr(server_module, "_cores", lambda: 1)
        with running() as served:
            yield served


@pytest.fixture(params=NAMES)
def server(request: pytest.FixtureRequest, servers: dict[str, Served]) -> Served:
    """One of the servers."""
    return servers[request.param]


@contextlib.contextmanager
def sending(server: Served, content: bytes) -> Iterator[socket.socket]:
    """A connection on which ``content`` was sent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(content)
        yield connection


def head_of(server: Served, content: bytes) -> bytes:
    """The beginning of the answer to ``content``."""
    with sending(server, content) as connection:
        return connection.recv(65536)


def exchange(server: Served, content: bytes) -> bytes:
    """All that the server says until it closes the connection."""
    said = b""
    with sending(server, content) as connection:
        while more := connection.recv(65536):
            said += more
    return said


def in_chunks(body: bytes) -> bytes:
    return b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    "lengths",
    [
        b"content-length: 4\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 4\r\n",
        b"Content-Length: 4\r\nTRANSFER-ENCODING: Chunked\r\n",
    ],
)
def test_a_request_with_two_lengths_is_refused_and_its_connection_closed(
    server: Served, lengths: bytes
) -> None:
    """Two servers in a row could read two requests."""
    said = exchange(server, server.head + lengths + b"\r\n0\r\n\r\n" + HIDDEN)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"not both" in said
    assert said.count(b"HTTP/1.1 ") == 1, "what came behind it is no request"


def test_a_request_with_either_length_is_answered(server: Served) -> None:
    head = server.head + b"connection: close\r\n"
    assert exchange(server, head + CHUNKED + in_chunks(server.body)).startswith(b"HTTP/1.1 200 ")
    length = b"content-length: %d\r\n\r\n" % len(server.body)
    assert exchange(server, head + length + server.body).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("start", [CHUNKED + b"1\r\nx\r\n", b"content-length: 10\r\n\r\nx"])
def test_a_body_that_does_not_come_to_its_end_is_refused_with_408(
    server: Served, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.1)
    assert head_of(server, server.head + start).startswith(b"HTTP/1.1 408")


def test_a_client_that_says_it_is_done_amid_its_body_is_closed(server: Served) -> None:
    with sending(server, server.head + b"content-length: 10\r\n\r\nx") as connection:
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


NO_LENGTHS = [b"-1", b"+1", b"1_0", b"0x1", b"\xb2", b"", b"1, 2"]
NO_LENGTHS += [b"9" * digits for digits in (18, 19, 5_000)]


@pytest.mark.parametrize(
    "headers",
    [
        *(b"content-length: %b\r\n\r\n" % length for length in NO_LENGTHS),
        b"content-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"content-length: 1" + b"0" * 99 + b"\r\n\r\n",
        CHUNKED + b"ten\r\n",
        b"transfer-encoding: gzip\r\n\r\n",
        b"x: " + b"y" * 100_000,
    ],
)
def test_a_request_that_cannot_be_is_refused(server: Served, headers: bytes) -> None:
    assert head_of(server, server.head + headers).startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize(
    ("name", "most", "status"),
    [
        ("container", server_module.MAX_BODY_BYTES, b"413"),
        ("runtime", runtime.MAX_BODY, b"400"),
        ("gateway", gateway.MAX_BODY, b"413"),
    ],
)
def test_chunks_that_become_too_many_are_refused_before_their_end(
    servers: dict[str, Served], name: str, most: int, status: bytes
) -> None:
    chunks = b"100000\r\n" + b" " * 2**20 + b"\r\n"
    start = servers[name].head + CHUNKED + chunks * (most // 2**20)
    assert head_of(servers[name], start + b"1\r\n \r\n").startswith(b"HTTP/1.1 " + status)


def test_past_the_limit_a_request_is_told_so_until_others_have_ended(server: Served) -> None:
    with contextlib.ExitStack() as busy:
        for _ in range(MAX_CONNECTIONS):
            busy.enter_context(sending(server, b""))
        assert head_of(server, server.request).startswith(b"HTTP/1.1 503")
    answer = b""
    while not answer.startswith(b"HTTP/1.1 200"):  # nothing hangs: each test has its time
        answer = head_of(server, server.request)


class Scoring:
    """Takes the place of the container's scoring, and waits before it."""

    def __init__(self, transform: Callable[..., Any]) -> None:
        self.count = 0
        self.started, self.go_on = threading.Event(), threading.Event()
        self._transform = transform

    def __call__(self, *arguments: Any) -> Any:
        self.count += 1
        self.started.set()
        assert self.go_on.wait(60)
        return self._transform(*arguments)


@pytest.fixture
def scoring(servers: dict[str, Served], monkeypatch: pytest.MonkeyPatch) -> Iterator[Scoring]:
    """The container's only core is busy with a request until the test says so."""
    busy = Scoring(server_module._transform)
    monkeypatch.setattr(server_module, "_transform", busy)
    with sending(servers["container"], servers["container"].request) as connection:
        assert busy.started.wait(20)
        yield busy
        busy.go_on.set()
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_request_that_finds_no_free_core_in_time_is_refused_with_503(
    scoring: Scoring, servers: dict[str, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "QUEUE_SECONDS", 0.1)
    container = servers["container"]
    said = exchange(container, container.request.replace(b"host", b"connection: close\r\nhost", 1))
    assert said.startswith(b"HTTP/1.1 503")
    assert b'"error":"busy"' in said
    assert scoring.count == 1


def test_nothing_is_scored_for_a_client_that_left_while_it_waited(
    scoring: Scoring, servers: dict[str, Served]
) -> None:
    container = servers["container"]
    for _ in range(3):
        with sending(container, container.request):
            pass
    scoring.go_on.set()
    assert head_of(container, container.request).startswith(b"HTTP/1.1 200")
    assert scoring.count == 2
