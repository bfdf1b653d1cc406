"""A request that says its length in two ways: two servers in a row could read two requests."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.reliability.servers import NAMES, Served, running

HIDDEN = b"GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Served]]:
    with running() as served:
        yield served


def exchange(server: Served, request: bytes) -> bytes:
    """All that the server says until it closes the connection, or for two seconds."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=2) as connection:
        connection.sendall(request)
        said = b""
        while more := _receive(connection):
            said += more
        return said


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except TimeoutError:
        return b""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "lengths",
    [
        b"content-length: 4\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 4\r\n",
        b"Content-Length: 4\r\nTRANSFER-ENCODING: Chunked\r\n",
    ],
)
def test_a_request_with_two_lengths_is_refused_and_its_connection_closed(
    servers: dict[str, Served], name: str, lengths: bytes
) -> None:
    served = servers[name]
    said = exchange(served, served.head + lengths + b"\r\n0\r\n\r\n" + HIDDEN)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"not both" in said
    assert said.count(b"HTTP/1.1 ") == 1, "what came behind it is no request"


@pytest.mark.parametrize("name", NAMES)
def test_a_request_with_either_length_is_answered(servers: dict[str, Served], name: str) -> None:
    served = servers[name]
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(served.body), served.body)
    chunked = served.head + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n" + chunk
    assert exchange(served, chunked).startswith(b"HTTP/1.1 200 ")
    plain = served.request.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)
    assert exchange(served, plain).startswith(b"HTTP/1.1 200 ")
