"""Clients that are slow, odd or too many: an answer or an end in time, and others are served."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat
from typing import Any

import pytest

from local_stack import gateway, runtime
from model_training.serving import connections
from model_training.serving import server as server_module
from model_training.serving.bundle import read_bundle
from tests.reliability.servers import MODEL, NAMES, SMALL_BUFFER, Served, running

WAIT = 0.4
"""Seconds, in the place of production's 20 and 30."""
MAX_CONNECTIONS = 12
IDLE_THREADS = 3
"""That score, or look for the site's files: they are kept for a while."""
MARGIN = 2.0
"""Seconds by which a machine that does other things besides may be late."""


class Client:
    """A client that can be as slow as it likes."""

    def __init__(self, server: Served) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        self._socket.settimeout(2 * WAIT + MARGIN)
        self._socket.connect(("127.0.0.1", server.port))
        self._started = time.monotonic()

    def send(self, content: bytes) -> None:
        self._socket.sendall(content)

    def end_sending(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def read_head(self) -> bytes:
        """The beginning of the answer, all of its head in it."""
        return self._receive()

    def read_answer(self) -> bytes:
        """One whole answer."""
        answer, size = b"", None
        while size is None or len(answer) < size:
            more = self._receive()
            assert more, "the server has closed before the answer's end"
            answer += more
            if head := re.match(rb".*?content-length: (\d+).*?\r\n\r\n", answer, re.DOTALL):
                size = head.end() + int(head[1])
        return answer

    def read_to_the_end(self) -> bytes:
        """All that comes until the server closes.

        Raises:
            TimeoutError: it does not close in time.
        """
        content = b""
        while more := self._receive():
            content += more
        return content

    def drip(self, contents: Iterator[bytes]) -> tuple[bytes, float]:
        """Send piece by piece until the server closes: its answer, and the seconds until then."""
        answer = b""
        with contextlib.suppress(ConnectionError):
            for content in contents:
                if select.select([self._socket], [], [], 0.05)[0]:
                    more = self._receive()
                    answer += more
                    if not more:
                        break
                self.send(content)
                assert time.monotonic() - self._started < 10, "the server never ends it"
        return answer, time.monotonic() - self._started

    def close(self) -> None:
        self._socket.close()

    def _receive(self) -> bytes:
        with contextlib.suppress(ConnectionError):
            return self._socket.recv(65536)
        return b""


Connect = Callable[[], Client]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Served]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "WAIT_SECONDS", WAIT)
        patch.setattr(connections, "BODY_SECONDS", WAIT)
        patch.setattr(server_module, "BODY_SECONDS", WAIT)
        patch.setattr(connections, "MAX_CONNECTIONS", MAX_CONNECTIONS)
        patch.setattr(server_module, "_cores", lambda: 1)
        with running() as served:
            ask_all(served)
            before = open_files(served), threading.active_count()
            yield served
            wait_until(lambda: open_files(served) <= before[0])
            assert threading.active_count() <= before[1] + IDLE_THREADS


@pytest.fixture(params=NAMES)
def server(request: pytest.FixtureRequest, servers: dict[str, Served]) -> Served:
    """One of the servers."""
    return servers[request.param]


@pytest.fixture
def connect(server: Served) -> Iterator[Connect]:
    """Opens connections, which are closed at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(contextlib.closing(Client(server)))


def ask(server: Served) -> bytes:
    """The answer to a client that is none of these."""
    with contextlib.closing(Client(server)) as client:
        client.send(server.request)
        return client.read_head()


def answers(server: Served) -> bool:
    return ask(server).startswith(b"HTTP/1.1 200")


def ask_all(servers: dict[str, Served]) -> None:
    assert all(map(answers, servers.values()))


def open_files(servers: dict[str, Served]) -> int:
    """How many there are when nobody is connected but the stand-in, to the container."""
    ask_all(servers)
    time.sleep(0.1)  # for the servers, to close what their clients have closed
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 2 * WAIT + MARGIN
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


def test_a_connection_on_which_nothing_is_asked_is_closed(connect: Connect) -> None:
    assert connect().read_to_the_end() == b""


def test_a_head_that_drips_is_not_waited_for_and_others_are_served_meanwhile(
    connect: Connect, server: Served
) -> None:
    slow = connect()
    slow.send(server.head)
    others: list[bool] = []
    thread = threading.Thread(target=lambda: others.extend(answers(server) for _ in range(5)))
    thread.start()
    answer, seconds = slow.drip(repeat(b"x-slow: y\r\n"))
    thread.join()
    assert answer == b""
    assert seconds < WAIT + MARGIN
    assert others == [True] * 5


def test_the_second_request_of_a_connection_may_drip_no_longer(
    connect: Connect, server: Served
) -> None:
    client = connect()
    client.send(server.request)
    assert client.read_head().startswith(b"HTTP/1.1 200")
    client.send(server.head)
    assert client.drip(repeat(b"x-slow: y\r\n"))[1] < WAIT + MARGIN


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_drips_is_refused_with_408_and_the_connection_ends(
    connect: Connect, server: Served, chunked: bool
) -> None:
    client = connect()
    length = b"transfer-encoding: chunked" if chunked else b"content-length: 1000000"
    client.send(server.head + length + b"\r\n\r\n")
    answer, seconds = client.drip(repeat(b"1\r\nx\r\n" if chunked else b"x"))
    assert answer.startswith(b"HTTP/1.1 408")
    assert seconds < 2 * WAIT + MARGIN


def test_a_client_that_says_it_is_done_amid_its_body_is_closed(
    connect: Connect, server: Served
) -> None:
    client = connect()
    client.send(server.head + b"content-length: 10\r\n\r\nx")
    client.end_sending()
    client.read_to_the_end()


def test_a_client_that_says_it_is_done_after_its_request_is_closed(
    connect: Connect, server: Served
) -> None:
    client = connect()
    client.send(server.request)
    client.end_sending()
    client.read_to_the_end()


def test_answers_that_nobody_reads_are_not_kept(connect: Connect, server: Served) -> None:
    client = connect()
    with pytest.raises(ConnectionError):  # and no TimeoutError
        while True:
            client.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 100)


def ask_for_much(container: Served) -> bytes:
    """A request whose answer is larger than what is kept for a client that does not read."""
    request = read_bundle(MODEL).vocabulary.make_request([[2] * 500] * 60)
    body = json.dumps(request | {"contributions": True}).encode()
    return replace(container, body=body).request


def test_a_large_answer_that_is_taken_late_gives_the_next_request_no_more_time(
    servers: dict[str, Served],
) -> None:
    container = servers["container"]
    with contextlib.closing(Client(container)) as client:
        client.send(ask_for_much(container))
        time.sleep(WAIT / 2)
        assert client.read_answer().startswith(b"HTTP/1.1 200")
        client.send(container.head)
        assert client.drip(repeat(b"x-slow: y\r\n"))[1] < WAIT + 2 * MARGIN


def test_a_body_in_chunks_is_read(connect: Connect, server: Served) -> None:
    client = connect()
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, bytes([byte])) for byte in server.body)
    client.send(server.head + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert client.read_head().startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"content-length: -1\r\n\r\n", b"400"),
        (b"content-length: ten\r\n\r\n", b"400"),
        (b"content-length: 1\r\ncontent-length: 2\r\n\r\n", b"400"),
        (b"content-length: 1" + b"0" * 18 + b"\r\n\r\n", b"4"),
        (b"content-length: 1" + b"0" * 99 + b"\r\n\r\n", b"400"),
        (b"transfer-encoding: chunked\r\n\r\nten\r\n", b"400"),
        (b"transfer-encoding: gzip\r\n\r\n", b"4"),
        (b"x: " + b"y" * 100_000, b"400"),
    ],
)
def test_a_request_that_cannot_be_is_refused_at_once(
    connect: Connect, server: Served, headers: bytes, status: bytes
) -> None:
    client = connect()
    started = time.monotonic()
    client.send(server.head + headers)
    assert client.read_head().startswith(b"HTTP/1.1 " + status)
    assert time.monotonic() - started < WAIT


@pytest.mark.parametrize(
    ("name", "most", "status"),
    [
        ("container", server_module.MAX_BODY_BYTES, b"413"),
        ("runtime", runtime.MAX_BODY, b"400"),
        ("gateway", gateway.MAX_BODY, b"413"),
    ],
)
def test_chunks_that_become_too_many_are_refused_before_their_end(
    servers: dict[str, Served],
    name: str,
    most: int,
    status: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "BODY_SECONDS", 60)
    with contextlib.closing(Client(servers[name])) as client:
        client.send(servers[name].head + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(most // 2**20):
            client.send(b"100000\r\n" + b" " * 2**20 + b"\r\n")
        client.send(b"1\r\n \r\n")
        assert client.read_head().startswith(b"HTTP/1.1 " + status)


def test_a_request_without_a_length_has_no_body(connect: Connect, server: Served) -> None:
    client = connect()
    client.send(server.head + b"\r\n")
    assert client.read_head()[9:12] in (b"200", b"400", b"424")


def test_slow_connections_give_way_to_others(connect: Connect, server: Served) -> None:
    slow = [connect() for _ in range(2 * MAX_CONNECTIONS)]
    assert answers(server)
    assert [client.read_to_the_end() for client in slow] == [b""] * len(slow)


def test_past_the_limit_a_request_is_told_so_until_others_have_ended(
    connect: Connect, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BODY_SECONDS", 60)
    busy: list[Client] = []
    while answers(server):
        assert len(busy) < MAX_CONNECTIONS
        busy.append(connect())
        busy[-1].send(server.head + b"content-length: 9\r\nexpect: 100-continue\r\n\r\n")
        assert busy[-1].read_head().startswith(b"HTTP/1.1 100")  # its request is being read
    assert ask(server).startswith(b"HTTP/1.1 503")
    for client in busy:
        client.close()
    wait_until(lambda: answers(server))


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
    with contextlib.closing(Client(servers["container"])) as client:
        client.send(servers["container"].request)
        assert busy.started.wait(MARGIN)
        yield busy
        busy.go_on.set()
        assert client.read_head().startswith(b"HTTP/1.1 200")


def test_a_request_that_finds_no_free_core_in_time_is_refused_with_503(
    scoring: Scoring, servers: dict[str, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "QUEUE_SECONDS", 0.1)
    with contextlib.closing(Client(servers["container"])) as client:
        client.send(servers["container"].request)
        answer = client.read_to_the_end()
    assert answer.startswith(b"HTTP/1.1 503")
    assert b'"error":"busy"' in answer
    assert scoring.count == 1


def test_nothing_is_scored_for_a_client_that_left_while_it_waited(
    scoring: Scoring, servers: dict[str, Served]
) -> None:
    container = servers["container"]
    for _ in range(3):
        with contextlib.closing(Client(container)) as client:
            client.send(container.request)
    scoring.go_on.set()
    assert answers(container)
    assert scoring.count == 2


def test_an_answer_that_takes_long_is_waited_for_once_the_one_before_is_taken(
    servers: dict[str, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    container, transform = servers["container"], server_module._transform
    second = Scoring(transform)
    calls = iter((transform, second.__call__))
    monkeypatch.setattr(server_module, "_transform", lambda *arguments: next(calls)(*arguments))
    with contextlib.closing(Client(container)) as client:
        client.send(ask_for_much(container) + container.request)
        assert second.started.wait(60)
        assert client.read_answer().startswith(b"HTTP/1.1 200")
        time.sleep(2 * WAIT)
        second.go_on.set()
        assert client.read_answer().startswith(b"HTTP/1.1 200")
