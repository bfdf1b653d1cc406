"""The smoke test of a deployment, against the local stack, and against ones that fail."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from checks import smoke

from .test_local_stack import stack

ROOT = Path(__file__).resolve().parents[2]


def check(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it as a pipeline does: with Python alone, none of this environment's packages."""
    command = [sys.executable, "-S", "-m", "checks.smoke", url, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_stack_that_works_passes() -> None:
    with stack() as running:
        result = check(running.url)
    assert result.returncode == 0, result.stdout + result.stderr
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        [name, "ok"] for name in smoke.CHECKS
    ]


def test_nobody_there_is_a_failure() -> None:
    result = check("http://127.0.0.1:9", "--waking", "0")
    assert result.returncode == 1
    assert f"{len(smoke.CHECKS)} of {len(smoke.CHECKS)} checks failed" in result.stderr
    assert "Traceback" not in result.stderr


@contextmanager
def answering(status: int, body: bytes, headers: dict[str, str]) -> Iterator[str]:
    """A server that says the same to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *arguments: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (503, b"{}", {"retry-after": "1"}),
        (500, b"{}", {}),
        (200, b"<html></html>", {"content-type": "text/html"}),
        (200, b'{"sentiment": "positive"}', {"content-type": "application/json"}),
    ],
    ids=["asleep for ever", "broken", "a page for everything", "one opinion for everything"],
)
def test_a_stack_that_does_not_work_fails_every_check(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    with answering(status, body, headers) as url:
        failures = smoke.run(url, waking=2)
    assert [failure.partition(":")[0] for failure in failures] == list(smoke.CHECKS)
