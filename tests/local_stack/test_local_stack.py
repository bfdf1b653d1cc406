"""The whole stack as a person starts and ends it: python -m local_stack."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from benchmarks.chain import local_stack
from local_stack.__main__ import parse_options
from local_stack.servers import find_free_port
from tests.needs import need

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "model_training" / "models" / "modern"
START_SECONDS = 60
STOP_SECONDS = 5


@dataclass
class Stack:
    """A stack that runs, and what it has said so far."""

    process: subprocess.Popen[str]
    output: str
    url: str

    def descendants(self) -> set[int]:
        """The process and all that it has started, themselves or through others."""
        found = {self.process.pid}
        parents = dict(map(read_parent, Path("/proc").glob("[0-9]*/stat")))
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Exit code and last words after that signal."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        """Exit code and last words."""
        output, _ = self.process.communicate(timeout=STOP_SECONDS)
        return self.process.returncode, output


def read_parent(stat: Path) -> tuple[int, int]:
    with contextlib.suppress(OSError):  # a process that has ended meanwhile
        pid, rest = stat.read_text(encoding="utf-8", errors="replace").split(" ", 1)
        return int(pid), int(rest.rsplit(")", 1)[1].split()[1])
    return 0, 0


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def still_running(pids: set[int]) -> set[int]:
    """Those of them that do not end within a moment."""
    deadline = time.monotonic() + 1
    while (running := set(filter(is_running, pids))) and time.monotonic() < deadline:
        time.sleep(0.05)
    return running


def start_process(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local_stack", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextlib.contextmanager
def stack(*arguments: str, wait_for: str = "Ready: ") -> Iterator[Stack]:
    """A stack on a free port that has just printed that text."""
    need((MODEL / "model.onnx").is_file(), "model_training/models/modern is missing")
    port = find_free_port()
    process = start_process("--port", str(port), *arguments)
    assert process.stdout is not None
    output = ""
    deadline = time.monotonic() + START_SECONDS
    try:
        while wait_for not in output and time.monotonic() < deadline:
            line = process.stdout.readline()
            output += line
            if not line:
                break
        assert wait_for in output, output
        yield Stack(process, output, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.communicate(timeout=STOP_SECONDS)


def test_the_first_request_after_ready_is_answered() -> None:
    with stack() as running:
        assert running.url in running.output
        page = httpx.get(running.url)
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        answer = httpx.post(f"{running.url}/api/sentiment", json={"review": "A lovely film."})
        assert answer.status_code == 200
        assert answer.json()["sentiment"] in ("positive", "negative")


def test_the_output_says_what_runs_where() -> None:
    with stack() as running:
        container, runtime = re.findall(r"http://127\.0\.0\.1:\d+", running.output)[:2]
        assert httpx.get(f"{container}/ping").status_code == 200
        answer = httpx.post(f"{runtime}/endpoints/nobody/invocations", json={})
        assert answer.headers["x-amzn-errortype"] == "ValidationError"


def test_another_models_vocabulary_comes_with_the_model() -> None:
    with stack("--model", "classic") as running:
        model = httpx.get(f"{running.url}/api/model").json()
        answer = httpx.post(f"{running.url}/api/sentiment", json={"review": "Terribly boring."})
        assert model["name"] == "classic"
        assert answer.json()["model"] == model["version"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_process_without_a_word(number: signal.Signals) -> None:
    with stack() as running:
        processes = running.descendants()
        assert len(processes) >= 3, "stack, container and function"
        code, output = running.end(number)
        assert code == 0
        assert "Traceback" not in output
        assert "rror" not in output
        assert not still_running(processes)


def test_a_signal_before_it_is_ready_ends_every_process() -> None:
    with stack(wait_for="SageMaker runtime") as running:
        processes = running.descendants()
        code, output = running.end(signal.SIGINT)
        assert code == 0
        assert "Traceback" not in output
        assert not still_running(processes)


def test_a_signal_amid_a_request_ends_every_process() -> None:
    with stack() as running:
        processes = running.descendants()
        host, port = running.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                b"POST /api/sentiment HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
            )
            time.sleep(0.2)
            code, output = running.end(signal.SIGINT)
        assert code == 0
        assert "Traceback" not in output
        assert not still_running(processes)


def test_a_request_under_way_has_the_grace_that_is_asked_for() -> None:
    with stack("--grace", "4") as running:
        host, port = running.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            body = b'{"review": "A lovely film."}'
            head = "POST /api/sentiment HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            head += f"Content-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body[:5])
            time.sleep(0.2)
            running.process.send_signal(signal.SIGTERM)
            time.sleep(1.5)
            connection.sendall(body[5:])
            assert connection.recv(99).startswith(b"HTTP/1.1 200 OK")
        code, output = running.wait()
        assert code == 0
        assert "Traceback" not in output


def test_the_port_is_the_one_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9000")
    assert parse_options([]).port == 9000
    assert parse_options(["--port", "9001"]).port == 9001
    monkeypatch.setenv("PORT", "")
    assert parse_options([]).port == 8000


@pytest.mark.parametrize("option", ["--throttle", "--requests-per-address=9"])
def test_an_endpoint_alone_has_no_api_to_protect(
    capsys: pytest.CaptureFixture[str], option: str
) -> None:
    with pytest.raises(SystemExit):
        parse_options(["--endpoint-only", option])
    assert "--endpoint-only starts no API for --throttle and" in capsys.readouterr().err


def test_a_throttle_holds_for_each_route_by_itself() -> None:
    # This one's log goes to a file: a hundred requests' would fill the pipe of the other.
    with local_stack("--throttle") as (url, _), httpx.Client(base_url=url) as client:
        statuses = [client.get("/api/model").status_code for _ in range(150)]
        assert statuses[:100] == [200] * 100, "the burst"
        assert 429 in statuses
        assert client.get("/api/health").status_code == 200


def test_a_caller_who_hangs_up_leaves_no_trace() -> None:
    with stack() as running:
        runtime = re.findall(r"127\.0\.0\.1:\d+", running.output)[1]
        paths = {running.url: "/api/sentiment", runtime: "/endpoints/reeltone/invocations"}
        for server, path in paths.items():
            host, port = server.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port))) as connection:
                head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
                connection.sendall(head.encode())
                time.sleep(0.1)
        _, output = running.end(signal.SIGINT)
        assert "Traceback" not in output


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def test_the_end_of_the_models_server_ends_everything_with_a_message() -> None:
    with stack() as running:
        processes = running.descendants()
        [container] = [
            pid for pid in processes if "model_training.serving.server" in command_line(pid)
        ]
        os.kill(container, signal.SIGKILL)
        code, output = running.wait()
        assert code == 1
        assert "local_stack: the model's server ended with code -9" in output
        assert not still_running(processes)


def test_a_port_in_use_is_one_line_that_names_it_and_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start_process("--port", str(port))
        output, _ = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 1
    assert output.splitlines() == [
        f"local_stack: port {port} is in use: stop what uses it or choose another with --port"
    ]


def test_an_unknown_model_is_one_line_that_names_the_known_ones() -> None:
    process = start_process("--model", "imaginary")
    output, _ = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 1
    assert output == (
        "local_stack: there is no model 'imaginary': model_training/models holds classic, modern\n"
    )


def test_alone_the_stand_in_listens_where_it_is_told() -> None:
    manifest = json.loads((MODEL / "manifest.json").read_text(encoding="utf-8"))
    with stack("--endpoint-only", "--host", "0.0.0.0") as running:
        answer = httpx.post(
            f"{running.url}/endpoints/reeltone/invocations",
            json={"vocabulary": manifest["vocabulary"], "windows": [], "lengths": []},
        )
        assert answer.json()["model"] == manifest["version"]
        assert httpx.get(running.url).status_code == 404


def test_the_help_says_how_to_run_the_function_in_a_container() -> None:
    process = start_process("--help")
    output, _ = process.communicate(timeout=START_SECONDS)
    assert "python -m local_stack --endpoint-only --host 0.0.0.0 --port 8001" in output
    assert "sam local invoke SentimentFunction --event events/positive.json" in output
