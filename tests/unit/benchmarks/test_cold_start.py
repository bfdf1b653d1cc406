"""Cold starts in Lambda's container: what is asked of Docker, and how INIT is told apart."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from benchmarks import cold_start
from benchmarks.__main__ import main
from benchmarks.chain import HANDLERS, NOWHERE, bare_function, reeltone
from benchmarks.part import Bench
from benchmarks.results import BenchmarkError, MissingNeedError


@pytest.fixture
def requests_that_take(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[], None]]:
    """Requests that take so many seconds of a clock that nothing else moves, and at last none."""
    now = 0.0
    monkeypatch.setattr(cold_start, "time", SimpleNamespace(perf_counter=lambda: now))

    def requests(*seconds: float) -> Callable[[], None]:
        left = iter(seconds)

        def ask() -> None:
            nonlocal now
            now += next(left, 0.0)

        return ask

    return requests


def test_init_is_what_the_first_request_takes_more_than_the_next(
    requests_that_take: Callable[..., Callable[[], None]],
) -> None:
    ask = requests_that_take(0.2, *[0.05] * 8, 3.0)
    assert cold_start.init_seconds(ask) == pytest.approx(0.15)


def test_a_function_that_was_started_before_is_not_measured(
    requests_that_take: Callable[..., Callable[[], None]],
) -> None:
    with pytest.raises(BenchmarkError, match="started the function before it was asked"):
        cold_start.init_seconds(requests_that_take(0.001))


def test_the_container_gets_code_layer_and_the_functions_own_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOWN", "of the host")
    mounts = {Path("/built/function"): "/var/task", Path("/built/layer"): "/opt"}
    command = cold_start.docker_command(reeltone().function(NOWHERE), mounts, 9000)
    text = " ".join(command)
    assert command[-3:] == ["_HANDLER=app.handler", cold_start.IMAGE, "/var/runtime/bootstrap"]
    assert "--volume /built/layer:/opt:ro" in text
    assert "--publish 127.0.0.1:9000:8080" in text
    folder = "VOCABULARIES_DIR=/opt/vocabularies"  # pragma: allowlist secret
    assert f"--env {folder}" in text
    assert f"--env AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME={NOWHERE}" in text
    assert "of the host" not in text
    assert "--env PATH=" not in text


def test_the_bare_function_gets_nothing_but_its_code() -> None:
    command = cold_start.docker_command(bare_function(), {HANDLERS: "/var/task"}, 9000)
    assert "_HANDLER=app.bare" in command
    assert not [word for word in command if word.startswith("VOCABULARIES_DIR")]


def test_where_docker_is_missing_the_part_is_skipped_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    page = "<!-- benchmarks:begin -->\n<!-- benchmarks:end -->"
    (tmp_path / "benchmarks.md").write_text(page)
    main(["cold-start", "--quick", "--docs", str(tmp_path)])
    assert "cold-start: skipped, docker is not on PATH" in capsys.readouterr().err
    assert not (tmp_path / "cold-start.json").exists()


@pytest.mark.parametrize(
    ("fails", "missing", "message"),
    [
        (["info"], "", "the Docker engine is not running"),
        (["image"], "", f"the image is missing: docker pull {cold_start.IMAGE}"),
        ([], "sam", "there is no sam: make sam installs it"),
    ],
    ids=["engine", "image", "sam"],
)
def test_each_need_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, fails: list[str], missing: str, message: str
) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, int(command[1] in fails))

    monkeypatch.setenv("SAM", "sam")
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else f"/bin/{name}")
    with pytest.raises(MissingNeedError, match=message):
        cold_start.check_needs()


def sam_with_emulator(folder: Path) -> Path:
    """The command of a SAM CLI as pip installs it."""
    program = folder / "bin" / "sam"
    emulator = folder / "lib" / "python3.13" / "site-packages" / cold_start.EMULATOR
    for path in (program, emulator):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return program


def test_the_emulator_is_the_sam_clis_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAM", str(sam_with_emulator(tmp_path)))
    monkeypatch.setattr(shutil, "which", lambda name: name)
    found = cold_start.find_emulator()
    assert found == tmp_path / "lib" / "python3.13" / "site-packages" / cold_start.EMULATOR
    found.unlink()
    with pytest.raises(MissingNeedError, match="has no samcli/local/rapid/aws-lambda-rie"):
        cold_start.find_emulator()


def test_a_build_or_a_container_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, stderr="no space left")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(BenchmarkError, match="sam build failed: no space left"):
        cold_start.build(Path("built"))
    with (
        pytest.raises(BenchmarkError, match="docker run failed: no space left"),
        cold_start.emulator(bare_function(), {}),
    ):
        pass


class Emulator(BaseHTTPRequestHandler):
    """Answers as AWS's emulator does; the first request to a server starts the function."""

    status = 200

    def do_GET(self) -> None:
        self.send_error(404)

    def do_POST(self) -> None:
        time.sleep(getattr(self.server, "init", 0))
        self.server.init = 0  # type: ignore[attr-defined]
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


class Docker:
    """Containers are servers of this process, whose functions take a second to start; ``sam build``
    writes a package without byte code."""

    def __init__(self) -> None:
        self.running: dict[str, HTTPServer] = {}
        self.started = 0

    def run(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        output = ""
        match command:
            case [_, "build", _, folder]:
                (Path(folder) / "SentimentFunction").mkdir()
            case ["docker", "run", _, _, published, *_]:
                output = self.start(int(published.split(":")[1]))
            case ["docker", "rm", _, name]:
                server = self.running.pop(name)
                server.shutdown()
                server.server_close()
        return subprocess.CompletedProcess(command, 0, stdout=output)

    def start(self, port: int) -> str:
        server = HTTPServer(("127.0.0.1", port), Emulator)
        server.init = 1  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, daemon=True).start()
        self.started += 1
        self.running[f"container {self.started}"] = server
        return f"container {self.started}\n"


@pytest.mark.slow
def test_the_function_and_a_bare_one_are_started_in_containers_that_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    docker = Docker()
    monkeypatch.setattr(subprocess, "run", docker.run)
    monkeypatch.setattr(shutil, "which", lambda name: str(sam_with_emulator(tmp_path)))
    figures = cold_start.measure(Bench(quick=True))
    assert figures["seconds"].keys() == {"bare function", "function"}
    for [seconds] in figures["seconds"].values():
        assert seconds > 0.5
    assert figures["byte code in the package"] is False
    assert docker.started == 2
    assert docker.running == {}
