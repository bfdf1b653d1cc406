"""The stack as a stranger meets it: headers, the smoke test, and what is left in its log."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from checks import smoke
from local_stack.gateway import MAX_BODY, SECURITY_HEADERS
from tests.canary import CANARY, find_traces
from tests.local_stack.test_local_stack import ROOT, Stack, stack
from tests.servers import Quiet, handled

ONE, MANY = "/api/sentiment", "/api/sentiments"
JSON = {"content-type": "application/json"}
TEXT = {"content-type": "text/plain"}


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    with stack() as started:
        yield started


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/index.html", 200),
        ("GET", "/many.html", 200),
        ("GET", "/style.css", 200),
        ("GET", "/js/view.js", 200),
        ("GET", "/missing", 404),
        ("GET", "/js/", 404),
        ("GET", "/js/missing.js", 404),
        ("GET", "/%2e%2e/template.yaml", 404),
        ("POST", "/", 405),
        ("DELETE", "/style.css", 405),
        ("GET", "/api/health", 200),
        ("GET", "/api/model", 200),
        ("GET", "/api", 404),
        ("GET", "/api/", 404),
        ("GET", "/api/missing", 404),
        ("GET", ONE, 404),
        ("POST", ONE, 415),
    ],
)
def test_every_answer_has_the_security_headers(
    running: Stack, method: str, path: str, status: int
) -> None:
    answer = httpx.request(method, running.url + path)
    assert answer.status_code == status
    assert SECURITY_HEADERS.items() <= dict(answer.headers).items()


LONG = f"{CANARY} " * 2_000
REQUESTS: dict[str, tuple[str, dict[str, str], str | bytes, int]] = {
    "a review": (ONE, JSON, json.dumps({"review": f"A {CANARY} film", "explain": True}), 200),
    "in UTF-8": (ONE, JSON, json.dumps({"review": CANARY}, ensure_ascii=False), 200),
    "entities": (ONE, JSON, json.dumps({"review": "".join(f"&#{ord(c)};" for c in CANARY)}), 200),
    "plain text": (ONE, TEXT, CANARY, 200),
    "UTF-16": (ONE, {"content-type": "text/plain; charset=utf-16"}, CANARY.encode("utf-16"), 200),
    "Latin 1": (
        *(ONE, {"content-type": "text/plain; charset=iso-8859-1"}, CANARY.encode("latin-1"), 200),
    ),
    "no UTF-8": (ONE, TEXT, CANARY.encode() + b"\xff", 400),
    "as a charset": (ONE, {"content-type": f"text/plain; charset={CANARY[:9]}"}, "film", 415),
    "as a content type": (ONE, {"content-type": CANARY[:9]}, CANARY, 415),
    "JSON cut short": (ONE, JSON, f'{{"review": "{CANARY}', 400),
    "no JSON": (ONE, JSON, f'{{"review": {CANARY}}}', 400),
    "as a field": (ONE, JSON, json.dumps({CANARY: "film"}), 400),
    "as one more field": (ONE, JSON, json.dumps({"review": "film", CANARY: 1}), 400),
    "in a list": (ONE, JSON, json.dumps({"review": [CANARY]}), 400),
    "as a switch": (ONE, JSON, json.dumps({"review": "film", "explain": CANARY}), 400),
    "nothing": (ONE, JSON, json.dumps({"review": ""}), 400),
    "too long": (ONE, JSON, json.dumps({"review": LONG}), 413),
    "too deep": (ONE, JSON, "[" * 100_000 + CANARY, 400),
    "too large": (ONE, JSON, b"x" * MAX_BODY + CANARY.encode(), 413),
    "said to be packed": (ONE, JSON | {"content-encoding": "gzip"}, CANARY, 415),
    "several": (MANY, JSON, json.dumps({"reviews": [CANARY, "?", None, LONG]}), 200),
    "too many": (MANY, JSON, json.dumps({"reviews": [CANARY] * 101}), 413),
    "no list": (MANY, JSON, json.dumps({"reviews": CANARY}), 400),
    "in the path": (f"/api/{CANARY}", JSON, CANARY, 404),
    "in query and cookie": (
        *(f"{ONE}?{CANARY}", JSON | {"cookie": f"{CANARY[:9]}=1"}),
        *(json.dumps({"review": CANARY}), 200),
    ),
}


@pytest.mark.parametrize(("path", "headers", "body", "status"), REQUESTS.values(), ids=REQUESTS)
def test_the_api_takes_or_refuses_a_review_without_failing(
    running: Stack, path: str, headers: dict[str, str], body: str | bytes, status: int
) -> None:
    content = body.encode() if isinstance(body, str) else body
    answer = httpx.post(running.url + path, content=content, headers=headers, timeout=30)
    assert answer.status_code == status
    assert SECURITY_HEADERS.items() <= dict(answer.headers).items()


INVOCATIONS = {
    "a review": ("application/jsonlines", json.dumps({"id": CANARY, "review": CANARY})),
    "no JSON": ("application/jsonlines", f'{{"review": {CANARY}\n{{"review": "{CANARY}"'),
    "as an id": ("application/jsonlines", json.dumps({"id": [CANARY], "review": "film"})),
    "too long": ("application/jsonlines", json.dumps({"review": LONG})),
    "as a vocabulary": (
        "application/json",
        json.dumps({"vocabulary": CANARY, "windows": [], "lengths": []}),
    ),
    "as ids": (
        "application/json",
        json.dumps({"vocabulary": "x", "windows": [CANARY], "lengths": [1]}),
    ),
    "plain": ("application/json", CANARY),
    "as a content type": (CANARY[:9], CANARY),
}


@pytest.mark.parametrize(("content_type", "body"), INVOCATIONS.values(), ids=INVOCATIONS)
def test_the_models_server_never_fails_on_what_it_is_sent(
    running: Stack, content_type: str, body: str
) -> None:
    container = re.findall(r"http://127\.0\.0\.1:\d+", running.output)[0]
    answer = httpx.post(
        f"{container}/invocations",
        content=body.encode(),
        headers={"content-type": content_type},
    )
    assert answer.status_code < 500


def check(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it as a pipeline does: with Python alone, none of this environment's packages."""
    command = [sys.executable, "-S", "-m", "checks.smoke", url, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_stack_that_works_passes_the_smoke_test(running: Stack) -> None:
    result = check(running.url)
    assert result.returncode == 0, result.stdout + result.stderr
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        [name, "ok"] for name in smoke.CHECKS
    ]


def test_where_nobody_is_every_check_fails() -> None:
    result = check("http://127.0.0.1:9", "--waking", "0")
    assert result.returncode == 1
    assert f"{len(smoke.CHECKS)} of {len(smoke.CHECKS)} checks failed" in result.stderr
    assert "Traceback" not in result.stderr


@contextmanager
def answering(status: int, body: bytes, headers: dict[str, str]) -> Iterator[str]:
    """A server that says the same to everything."""

    class Handler(Quiet):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

    with handled(Handler) as url:
        yield url


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


def test_nothing_of_a_review_is_in_anything_that_the_stack_has_written(running: Stack) -> None:
    """Comes last: it ends the stack, to read all that its processes said to the tests above."""
    code, output = running.end(signal.SIGTERM)
    assert code == 0
    # The function logs one line for each request: without them, nothing would be proven here.
    assert output.count('"message":"request"') > 20
    assert find_traces(output) == []
