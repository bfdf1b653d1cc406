"""A SageMaker runtime that fails on purpose, in any of the ways that a network and a model can.

A real server on a real socket, because most faults are below HTTP. The fault can be changed while
it runs, or each request asks for its own, by the number of its review's words.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

SECONDS = {"connect": 1.0, "read": 1.0, "handler": 1.5}
"""Of the endpoint's client, and of all of a handler's work: hangs end soon; production's limits are
a test of their own."""
SECONDS_BETWEEN_PROCESSES = {"connect": 2.0, "read": 2.0, "handler": 3.0}
"""The same for the whole stack, whose processes may have to wait for a core."""

SECONDS_OF_A_HANG = 60.0
SECONDS_UNTIL_A_HEAD_IS_READ = 0.1
SECONDS_OF_A_DELAY = 0.8


class Connection:
    """One client; ``closing`` ends waits when the server ends."""

    def __init__(self, client: socket.socket, closing: threading.Event) -> None:
        self.client = client
        self.closing = closing
        self._file = client.makefile("rb")

    def read_request(self) -> bytes | None:
        """The body of the next request; None at the end of the connection."""
        first = self._file.readline()
        if not first:
            return None
        length = 0
        while (line := self._file.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return self._file.read(length)

    def send(self, status: int, body: bytes, headers: str = "", length: int | None = None) -> None:
        """A whole answer; ``length``: what it says of its length, where that is a lie."""
        self.client.sendall(head(status, len(body) if length is None else length, headers) + body)

    def drip(self, content: bytes, pause: float = 0.05) -> None:
        """Byte for byte, each well within a time-out of the socket."""
        for byte in content:
            self.client.sendall(bytes([byte]))
            if self.closing.wait(pause):
                return

    def close(self) -> None:
        self._file.close()
        self.client.close()


def head(status: int, length: int, headers: str = "") -> bytes:
    """Status line and headers."""
    return (
        f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n"
        f"content-length: {length}\r\n{headers}\r\n"
    ).encode()


def answer_to(body: bytes) -> dict[str, Any]:
    """What a model with a bias and nothing else makes of a request."""
    request = json.loads(body)
    results = [
        {"logit": 0.5, "probability": 0.6, "contributions": [0.0] * length}
        for length in request["lengths"]
    ]
    vocabulary = request["vocabulary"]
    return {"model": "modern-0", "vocabulary": vocabulary, "bias": 0.5, "results": results}


def good_bytes(body: bytes, **changes: object) -> bytes:
    return json.dumps(answer_to(body) | changes).encode()


Behaviour = Callable[[Connection, bytes], None]


def aws_error(status: int, code: str, **members: object) -> Behaviour:
    def behave(connection: Connection, body: bytes) -> None:
        content = json.dumps({"Message": "on purpose", **members}).encode()
        connection.send(status, content, f"x-amzn-errortype: {code}\r\n")

    return behave


def changed(**changes: object) -> Behaviour:
    """The right answer, but for some of its members."""
    return lambda connection, body: connection.send(200, good_bytes(body, **changes))


def none(connection: Connection, body: bytes) -> None:
    connection.send(200, good_bytes(body))


def reset(connection: Connection, body: bytes) -> None:
    """RST instead of FIN."""
    connection.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError


def close(connection: Connection, body: bytes) -> None:
    raise ConnectionAbortedError


def hang(connection: Connection, body: bytes) -> None:
    connection.closing.wait(SECONDS_OF_A_HANG)


def hang_in_body(connection: Connection, body: bytes) -> None:
    connection.client.sendall(head(200, 1000) + b'{"model"')
    hang(connection, body)


def drip_headers(connection: Connection, body: bytes) -> None:
    connection.drip(b"HTTP/1.1 200 OK\r\nx-slow: " + b"z" * 10_000)


def drip_body(connection: Connection, body: bytes) -> None:
    connection.client.sendall(head(200, 10_000))
    connection.drip(b" " * 10_000)


def drip_refusal(connection: Connection, body: bytes) -> None:
    connection.client.sendall(head(500, 10_000))
    connection.drip(b" " * 10_000)


def truncate(connection: Connection, body: bytes) -> None:
    connection.send(200, good_bytes(body)[:-20])


def break_off(connection: Connection, body: bytes) -> None:
    connection.send(200, good_bytes(body)[:-20], length=100_000)
    raise ConnectionAbortedError


def hang_in_refusal(connection: Connection, body: bytes) -> None:
    connection.send(500, b"{", length=100_000)
    hang(connection, body)


def break_off_refusal(connection: Connection, body: bytes) -> None:
    """RST while its body is read: after a FIN, botocore takes what there is for all of it."""
    connection.send(500, b"{", length=100_000)
    connection.closing.wait(SECONDS_UNTIL_A_HEAD_IS_READ)
    reset(connection, body)


def flood(connection: Connection, body: bytes) -> None:
    """A body of 1 GB, as fast as it is taken."""
    connection.client.sendall(head(200, 2**30))
    for _ in range(2**10):
        connection.client.sendall(b" " * 2**20)


def flood_late(connection: Connection, body: bytes) -> None:
    """Not before there has been time to ask for more elsewhere."""
    connection.closing.wait(SECONDS_OF_A_DELAY)
    flood(connection, body)


def garbage(connection: Connection, body: bytes) -> None:
    connection.client.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    raise ConnectionAbortedError


@dataclass(frozen=True)
class Fault:
    """How the runtime fails, and what the caller of the API is to see."""

    behave: Behaviour
    status: int = 200
    problem: str = ""
    """After /problems/."""


@dataclass(frozen=True)
class Outcome:
    """What a caller saw."""

    status: int
    problem: str
    """After /problems/."""
    retry_after: str | None
    seconds: float


FAULTS = {
    "none": Fault(none),
    "close": Fault(close, 503, "model-unreachable"),
    "reset": Fault(reset, 503, "model-unreachable"),
    "garbage": Fault(garbage, 503, "model-unreachable"),
    "hang": Fault(hang, 503, "model-waking"),
    "hang-in-body": Fault(hang_in_body, 503, "model-waking"),
    "drip-headers": Fault(drip_headers, 503, "model-busy"),
    "drip-body": Fault(drip_body, 503, "model-busy"),
    "drip-refusal": Fault(drip_refusal, 503, "model-busy"),
    "access-denied": Fault(aws_error(403, "AccessDeniedException"), 500, "set-up"),
    "no-such-endpoint": Fault(aws_error(400, "ValidationError"), 500, "set-up"),
    "failure": Fault(aws_error(500, "InternalFailure"), 502, "model-failed"),
    "model-error": Fault(aws_error(424, "ModelError", OriginalStatusCode=500), 502, "model-failed"),
    "other-vocabulary-refused": Fault(
        aws_error(424, "ModelError", OriginalStatusCode=409), 500, "set-up"
    ),
    "not-ready": Fault(aws_error(429, "ModelNotReadyException"), 503, "model-waking"),
    "throttle": Fault(aws_error(429, "ThrottlingException"), 503, "model-busy"),
    "unavailable": Fault(aws_error(503, "ServiceUnavailable"), 503, "model-busy"),
    "truncated-json": Fault(truncate, 502, "bad-answer"),
    "broken-off": Fault(break_off, 502, "bad-answer"),
    "hang-in-refusal": Fault(hang_in_refusal, 502, "model-failed"),
    "broken-off-refusal": Fault(break_off_refusal, 502, "model-failed"),
    "nan": Fault(changed(bias=float("nan")), 502, "bad-answer"),
    "wrong-shape": Fault(changed(results=[]), 502, "bad-answer"),
    "wrong-vocabulary": Fault(changed(vocabulary="f" * 64), 500, "set-up"),
    "huge-body": Fault(flood, 502, "bad-answer"),
    "late-huge-body": Fault(flood_late, 502, "bad-answer"),
}
"""Refused connections besides: those are a server that is not there."""

SLOW = {name for name in FAULTS if name.startswith(("hang", "drip", "late"))}
"""Those that take a second or more."""


def review_for(fault: str) -> str:
    """A review that asks for a fault, where the runtime has none of its own."""
    return " ".join(["film"] * (1 + list(FAULTS).index(fault)))


def _asked_by(body: bytes) -> str:
    words: int = json.loads(body)["lengths"][0]
    return list(FAULTS)[words - 1]


class FaultyRuntime:
    """The server; ``fault`` is what it does to all requests, None: what each asks for."""

    def __init__(self, listener: socket.socket, fault: str | None) -> None:
        self.fault = fault
        self._listener = listener
        self._closing = threading.Event()
        self._clients: set[socket.socket] = set()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def accept(self) -> None:
        """Serve each connection in a thread, until the listener is closed."""
        threads: list[threading.Thread] = []
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                client.settimeout(SECONDS_OF_A_HANG)
                threads = [thread for thread in threads if thread.is_alive()]
                threads.append(threading.Thread(target=self._serve, args=(client,), daemon=True))
                threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        self._clients.add(client)
        connection = Connection(client, self._closing)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            while (body := connection.read_request()) is not None:
                FAULTS[self.fault or _asked_by(body)].behave(connection, body)
        self._clients.discard(client)

    def close(self) -> None:
        """End everything, connections that wait for the next request too."""
        self._closing.set()
        for client in list(self._clients):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def faulty_runtime(fault: str | None = "none", port: int = 0) -> Iterator[FaultyRuntime]:
    """The server, while the block runs; port 0 is any free one."""
    with socket.create_server(("127.0.0.1", port), backlog=128) as listener:
        listener.settimeout(0.1)
        runtime = FaultyRuntime(listener, fault)
        thread = threading.Thread(target=runtime.accept)
        thread.start()
        try:
            yield runtime
        finally:
            runtime.close()
            thread.join()
