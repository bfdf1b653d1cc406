"""Whatever bytes come as a request, the gateway and the model's server answer, and never with a
failure of their own."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from app import ROUTES
from local_stack.gateway import SECURITY_HEADERS
from model_training.serving.scorer import load_model
from model_training.serving.server import make_app
from tests import in_process, servers

SECONDS = 30
"""Until an answer counts as missing; a busy machine is slow."""
NO_HTTP = b"Invalid HTTP request received."
"""The server's own answer, before any application sees the request."""


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """A server on a port of this machine, and what it logged as an error."""

    port: int
    errors: list[str] = field(default_factory=list)

    def send(self, *parts: bytes, ended: bool = False) -> bytes:
        """All bytes of the answer; ``ended``: say that no more will come."""
        self.errors.clear()
        with socket.create_connection(("127.0.0.1", self.port), SECONDS) as client:
            client.sendall(b"".join(parts))
            if ended:
                client.shutdown(socket.SHUT_WR)
            received = b""
            while chunk := client.recv(65536):
                received += chunk
        assert self.errors == []
        return received


class Errors(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record, with its traceback if it has one."""
        self._kept.append(self.format(record))


@contextmanager
def served(app: Starlette) -> Iterator[Server]:
    """The application, served in a thread of its own, and its errors."""
    with servers.served(app) as port:
        server = Server(port)
        handler = Errors(server.errors)
        loggers = [logging.getLogger(name) for name in ("uvicorn.error", "asyncio")]
        for logger in loggers:
            logger.addHandler(handler)
        yield server
        for logger in loggers:
            logger.removeHandler(handler)


@pytest.fixture(scope="module")
def gateway() -> Iterator[Server]:
    model = load_model(in_process.BUNDLES / "classic")
    with in_process.gateway("classic", model) as app, served(app) as server:
        yield server


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Server]:
    with served(make_app(load_model(in_process.BUNDLES / "classic"))) as server:
        yield server


def joined(pieces: list[bytes], most: int = 4) -> st.SearchStrategy[bytes]:
    """Some of the pieces in a row, any bytes but a line's end among them."""
    anything = st.binary(max_size=3).map(lambda data: re.sub(rb"[\r\n]", b"?", data))
    return st.lists(st.sampled_from(pieces) | anything, max_size=most).map(b"".join)


PATHS = ["/api/sentiment", "/api/sentiments", "/api/model", "/", "/js/view.js", "/invocations"]
ODD = [b"%ff", b"%zz", b"%", b"%00", b"%0a", b"%09", b"\xff", b"%2e%2e/", b"../", b"//", b"\\"]
QUERY = [
    b"?",
    b"%3f",
    b"?a=%ff",
    b"&",
    b"=",
    b"%F0%9F",
    b";",
    b"#",
    b"?a=1&a=2",
    b"+",
    b"a" * 3_000,
]
STARTS = [*(path.encode() for path in PATHS), b"", b"*", b"http://film/", b"film:80", b"/a" * 999]
TARGETS = st.tuples(st.sampled_from(STARTS), joined([*ODD, *QUERY])).map(b"".join)
TOKENS = [b"GET", b"POST", b"HEAD", b"OPTIONS", b"CONNECT", b"get", b"!#$%", b"A" * 3_000, b"GE T"]
METHODS = st.sampled_from(TOKENS) | joined([b"GET", b"\xff"], 2)
HOST = [b"film", b":", b"80", b"99999999", b"-1", b"[", b"::1", b"]", b"/", b"@", b"\xb2", b"%"]
NAMES = [
    *(b"Content-Type", b"content-encoding", b"Content-Length", b"Cookie", b"Accept", b"Expect"),
    *(b"Range", b"If-Range", b"If-Modified-Since", b"If-None-Match", b"Upgrade", b"Host"),
]
VALUES = [
    *(b"application/json", b"text/plain", b"; charset=", b"utf-16", b"gzip", b",", b";", b"="),
    *(b"bytes=", b"0-", b"-1", b"9" * 5_000, b"Thu, 01 Jan 1970 ", b"00:00:00 GMT", b"\xb2"),
    *(b"100-continue", b"websocket", b"*", b'"', b"\x00", b"\t"),
]
HEADERS = st.lists(
    st.builds(b"%b: %b\r\n".__mod__, st.tuples(st.sampled_from(NAMES), joined(VALUES)))
    | joined([b":", b" "], 3).map(lambda line: line + b"\r\n" if line else b""),
    max_size=3,
).map(b"".join)
MEDIA_TYPES = [b"application/json", b"application/jsonlines", b"text/plain", b"; charset=", b"\xff"]
CONTENT_TYPES = joined(MEDIA_TYPES).map(lambda value: b"Content-Type: %b\r\n" % value)
REVIEWS = [b'{"review": "A film."}', b"A film.", b"[" * 999]
BODIES = st.sampled_from(REVIEWS) | st.binary(max_size=20)


def head(
    method: bytes, target: bytes, headers: bytes = b"", *, host: bytes = b"film", length: int = 0
) -> bytes:
    """A request's head, after whose answer the connection ends."""
    return (b"%b %b HTTP/1.1\r\nHost: %b\r\n%bContent-Length: %d\r\nConnection: close\r\n\r\n") % (
        method,
        target,
        host,
        headers,
        length,
    )


def read(received: bytes) -> Answer:
    """The answer among the bytes, after interim ones."""
    first, _, rest = received.partition(b"\r\n\r\n")
    status, *lines = first.decode("latin-1").split("\r\n")
    version, number, *_ = status.split(" ")
    assert version == "HTTP/1.1"
    if number == "100":
        return read(rest)
    headers = dict(line.split(": ", 1) for line in lines)
    return Answer(int(number), headers, rest)


def check_answer(answer: Answer) -> None:
    """No failure, and no word of how the server is made."""
    assert 200 <= answer.status < 500, answer
    assert b"Traceback" not in answer.body


def check_gateway_answer(answer: Answer, target: bytes) -> None:
    """Besides, what the gateway promises of its answers."""
    check_answer(answer)
    if NO_HTTP in answer.body:
        assert answer.status == 400
        return
    assert SECURITY_HEADERS.items() <= answer.headers.items()
    path = unquote(target.partition(b"?")[0].decode("latin-1"))
    if path.startswith("/api/") and path.isprintable():
        assert "apigw-requestid" in answer.headers
        if answer.status != 200:
            _check_problem(answer)
    if answer.headers.get("cache-control") == "no-store":  # the function's
        assert path in ROUTES


def _check_problem(answer: Answer) -> None:
    if answer.body:  # HEAD has none
        problem = json.loads(answer.body)
        # The gateway's own, Amazon Comprehend's, or the API's.
        assert problem.keys() in ({"message"}, {"__type", "Message"}) or problem["requestId"]


@settings(max_examples=300, deadline=None)
@given(method=METHODS, target=TARGETS, headers=HEADERS, host=joined(HOST), body=BODIES)
def test_any_request_is_answered_by_the_gateway(
    gateway: Server, method: bytes, target: bytes, headers: bytes, host: bytes, body: bytes
) -> None:
    sent = head(method, target, headers, host=host, length=len(body))
    check_gateway_answer(read(gateway.send(sent, body)), target)


@settings(max_examples=100, deadline=None)
@given(
    path=st.sampled_from(list(ROUTES)), at=st.integers(1, 15), odd=st.sampled_from([*ODD, *QUERY])
)
def test_a_path_that_is_nearly_a_routes_does_not_reach_the_function(
    gateway: Server, path: str, at: int, odd: bytes
) -> None:
    target = path[:at].encode() + odd + path[at:].encode()
    sent = head(ROUTES[path].method.encode(), target)
    check_gateway_answer(read(gateway.send(sent)), target)


@settings(max_examples=150, deadline=None)
@given(kind=CONTENT_TYPES, headers=HEADERS, host=joined(HOST), query=joined(QUERY), body=BODIES)
def test_any_headers_of_a_review_are_answered_by_the_gateway(
    gateway: Server, kind: bytes, headers: bytes, host: bytes, query: bytes, body: bytes
) -> None:
    target = b"/api/sentiment" + query
    sent = head(b"POST", target, kind + headers, host=host, length=len(body))
    check_gateway_answer(read(gateway.send(sent, body)), target)


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from(["/", "/index.html", "/js/view.js", "/missing"]), headers=HEADERS)
def test_any_headers_of_a_page_are_answered_by_the_gateway(
    gateway: Server, path: str, headers: bytes
) -> None:
    target = path.encode()
    check_gateway_answer(read(gateway.send(head(b"GET", target, headers))), target)


@settings(max_examples=150, deadline=None)
@given(method=METHODS, target=TARGETS, headers=HEADERS, host=joined(HOST), body=BODIES)
def test_any_request_is_answered_by_the_models_server(
    endpoint: Server, method: bytes, target: bytes, headers: bytes, host: bytes, body: bytes
) -> None:
    sent = head(method, target, headers, host=host, length=len(body))
    check_answer(read(endpoint.send(sent, body)))


@settings(max_examples=150, deadline=None)
@given(kind=CONTENT_TYPES, headers=HEADERS, host=joined(HOST), body=BODIES)
def test_any_headers_of_an_invocation_are_answered_by_the_models_server(
    endpoint: Server, kind: bytes, headers: bytes, host: bytes, body: bytes
) -> None:
    sent = head(b"POST", b"/invocations", kind + headers, host=host, length=len(body))
    check_answer(read(endpoint.send(sent, body)))


CHUNKED = b"POST /api/sentiment HTTP/1.1\r\nHost: film\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = [b"5\r\n", b"A film", b"\r\n", b"0\r\n\r\n", b"zz\r\n", b"-1\r\n", b"F" * 99, b"5;\xff"]
CHUNKED_BODIES = st.lists(st.sampled_from(CHUNKS), max_size=5).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=40) | CHUNKED_BODIES.map(CHUNKED.__add__))
def test_bytes_that_are_no_request_are_refused(gateway: Server, data: bytes) -> None:
    received = gateway.send(data, ended=True)
    if received:
        check_answer(read(received))
    assert read(gateway.send(head(b"GET", b"/api/model"))).status == 200
