"""A site in front of the site: passes everything on, except when it is told to go wrong."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.browser.review_page import Fake

HANG = "hang"
RESET = "reset"
Fault = Fake | str
"""An answer of its own, HANG (no answer before it is released) or RESET (the connection breaks)."""

HOP_BY_HOP = {"connection", "content-length", "date", "server", "transfer-encoding"}


@dataclass
class FaultySite:
    """Where it is, and what goes wrong with the next requests for a review."""

    url: str = ""
    faults: deque[Fault] = field(default_factory=deque)
    seen: list[bytes] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def faulty_site(site: str) -> Iterator[FaultySite]:
    """Run a faulty site in front of ``site`` while the block runs."""
    faulty = FaultySite()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _pass_on(self, site, b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            faulty.seen.append(body)
            fault = faulty.faults.popleft() if faulty.faults else None
            if fault == RESET:
                self.close_connection = True
                self.connection.close()
            elif isinstance(fault, Fake):
                _answer(self, fault.status, fault.headers, fault.body.encode())
            else:
                if fault == HANG:
                    faulty.released.wait(timeout=60)
                _pass_on(self, site, body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the page may hang up
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    faulty.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield faulty
    finally:
        faulty.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _pass_on(handler: BaseHTTPRequestHandler, site: str, body: bytes) -> None:
    connection = http.client.HTTPConnection(urlsplit(site).netloc, timeout=60)
    with contextlib.closing(connection):
        kept = {k: v for k, v in handler.headers.items() if k.lower() not in {"host", "connection"}}
        connection.request(handler.command, handler.path, body or None, kept)
        answer = connection.getresponse()
        _answer(handler, answer.status, dict(answer.getheaders()), answer.read())


def _answer(
    handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes
) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        if name.lower() not in HOP_BY_HOP:
            handler.send_header(name, value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
