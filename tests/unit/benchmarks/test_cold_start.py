"""Cold starts in Lambda's container: what is asked of Docker, and how INIT is told apart."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from benchmarks import cold_start
from benchmarks.__main__ import main
from benchmarks.chain import HANDLERS, bare_function, reeltone
from benchmarks.results import BenchmarkError
from benchmarks.start import NOWHERE


def sleeper(*seconds: float) -> Callable[[], None]:
    """Requests that take so long, and at last no time at all."""
    left: Iterator[float] = iter(seconds)
    return lambda: time.sleep(next(left, 0))


def test_init_is_what_the_first_request_takes_more_than_the_next() -> None:
    assert cold_start.init_seconds(sleeper(0.2, *[0.05] * 9)) == pytest.approx(0.15, abs=0.04)


def test_a_function_that_was_started_before_is_not_measured() -> None:
    with pytest.raises(BenchmarkError, match="started the function before it was asked"):
        cold_start.init_seconds(sleeper(0.001))


def test_the_container_gets_code_layer_and_the_functions_own_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOWN", "of the host")
    mounts = {Path("/built/function"): "/var/task", Path("/built/layer"): "/opt"}
    command = cold_start.docker_command(reeltone().function(NOWHERE), mounts, 9000)
    text = " ".join(command)
    assert command[-2:] == [cold_start.IMAGE, "app.handler"]
    assert "--volume /built/layer:/opt:ro" in text
    assert "--publish 127.0.0.1:9000:8080" in text
    folder = "VOCABULARIES_DIR=/opt/vocabularies"  # pragma: allowlist secret
    assert command[-4:-2] == ["--env", folder]
    assert f"--env AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME={NOWHERE}" in text
    assert "of the host" not in text
    assert "--env PATH=" not in text


def test_the_bare_function_gets_nothing_but_its_code() -> None:
    command = cold_start.docker_command(bare_function(), {HANDLERS: "/var/task"}, 9000)
    assert command[-1] == "bare.handler"
    assert not [word for word in command if word.startswith("VOCABULARIES_DIR")]


def test_where_docker_is_missing_the_part_is_skipped_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    page = "<!-- benchmarks:begin -->\n<!-- benchmarks:end -->"
    (tmp_path / "benchmarks.md").write_text(page)
    main(["cold-start", "--quick", "--results", str(tmp_path), "--docs", str(tmp_path)])
    assert "cold-start: skipped, docker is not on PATH" in capsys.readouterr().err
    assert not (tmp_path / "cold-start.json").exists()


class Emulator(BaseHTTPRequestHandler):
    """Answers as AWS's emulator does."""

    status = 200

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert event["rawPath"] == "/api/model"
        body = json.dumps({"statusCode": self.status}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def emulator() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Emulator) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_function_is_asked_through_the_emulators_address(
    emulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cold_start.wait_until_listening(emulator)
    cold_start.invoke(emulator)
    monkeypatch.setattr(Emulator, "status", 500)
    with pytest.raises(BenchmarkError, match="the function answered"):
        cold_start.invoke(emulator)
