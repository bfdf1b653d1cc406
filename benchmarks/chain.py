"""A review's way through handler and endpoint, in processes of their own as in the cloud:

    this process ── handler ── stand-in for SageMaker's runtime ── the model's container

The handler runs in the local stack's execution environment, the container is the real one, and the
usual code gets exactly the same ways and servers.

    .venv/bin/python -m benchmarks.chain URL    the stand-in alone, before a container that runs
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from benchmarks.results import BenchmarkError
from local_stack.functions import BOOTSTRAP, override_environment, process_environment
from local_stack.runtime import RuntimeStandIn
from local_stack.servers import IMPORT_ROOTS, find_free_port, listen, port_of, serving
from local_stack.template import FunctionDefinition, Template
from model_training.paths import MODELS

ROOT = Path(__file__).resolve().parent.parent
HANDLERS = Path(__file__).with_name("handlers")
ENDPOINT = "reeltone"
NOWHERE = "http://127.0.0.1:9"
"""Address of an endpoint that is not asked: starting sends nothing."""
START_SECONDS = 120
_EVENT: dict[str, Any] = json.loads((ROOT / "events" / "positive.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Application:
    """Something that answers reviews."""

    container: tuple[str, ...]
    """Arguments for Python that start its container, without the port."""
    function: Callable[[str], FunctionDefinition]
    """Its function, given the runtime's URL."""
    make_body: Callable[[str], str]
    """The body that asks for a review."""

    def event(self, review: str) -> dict[str, Any]:
        """Give the event that asks for a review."""
        return _EVENT | {"body": self.make_body(review), "isBase64Encoded": False}


def reeltone(model: str = "modern", explain: bool = False) -> Application:
    """Give our own application."""

    def function(runtime: str) -> FunctionDefinition:
        template = Template(
            ROOT / "template.yaml", {"ModelName": model, "SageMakerRuntimeUrl": runtime}
        )
        found = template.function("SentimentFunction")
        return override_environment(found, {"VOCABULARIES_DIR": str(MODELS)})

    return Application(
        (
            *("-m", "model_training.serving.server"),
            *("--host", "127.0.0.1"),
            "--model-dir",
            str(MODELS / model),
        ),
        function,
        lambda review: json.dumps({"review": review, "explain": explain}),
    )


def usual() -> Application:
    """Give the usual application."""

    def function(runtime: str) -> FunctionDefinition:
        variables = {"ENDPOINT_NAME": ENDPOINT, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": runtime}
        return FunctionDefinition("Usual", "app.usual", (HANDLERS,), variables, 60, 1024)

    return Application(("-m", "benchmarks.usual"), function, lambda review: review)


def bare_function() -> FunctionDefinition:
    """Give a function that only makes a boto3 client."""
    return FunctionDefinition("Bare", "app.bare", (HANDLERS,), {}, 60, 1024)


class Environment:
    """One execution environment of a function; it has imported its handler."""

    def __init__(self, function: FunctionDefinition) -> None:
        """Start it.

        Raises:
            BenchmarkError: the handler cannot be imported.
        """
        self._function = function
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-u", str(BOOTSTRAP), function.handler],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the function's log
            cwd=function.folders[0],
            env=process_environment(function),
        )
        self.pid = self._process.pid
        self._read()

    def invoke(self, event: dict[str, Any]) -> tuple[float, Any]:
        """Seconds, and the handler's result.

        Raises:
            BenchmarkError: the answer is not one of status 200.
        """
        request = {"event": event, "requestId": "request", "timeout": self._function.timeout}
        line = json.dumps(request).encode() + b"\n"
        assert self._process.stdin is not None
        started = time.perf_counter()
        self._process.stdin.write(line)
        self._process.stdin.flush()
        answer = self._read()
        seconds = time.perf_counter() - started
        result = answer.get("result", {})
        if result.get("statusCode") != 200:
            raise BenchmarkError(f"{self._function.name} answered {answer}")
        return seconds, result

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError(f"{self._function.name} does not start: {self._function.handler}")
        content: dict[str, Any] = json.loads(line)
        return content


@dataclass(frozen=True)
class Chain:
    """A running application."""

    application: Application
    environment: Environment
    container_pid: int
    container_url: str

    def seconds(self, review: str) -> float:
        """Measure it from event to answer."""
        return self.environment.invoke(self.application.event(review))[0]


@contextlib.contextmanager
def running(application: Application) -> Iterator[Chain]:
    """Give the whole chain, warm."""
    with (
        container(application.container) as (url, process),
        python(("-m", "benchmarks.chain", url)) as stand_in,
    ):
        assert stand_in.stdout is not None
        environment = Environment(application.function(stand_in.stdout.readline().strip()))
        try:
            chain = Chain(application, environment, process.pid, url)
            for _ in range(3):
                chain.seconds("A warm film.")
            yield chain
        finally:
            environment.stop()


@contextlib.contextmanager
def container(arguments: Sequence[str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Give URL and process of a container that answers /ping."""
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    with python((*arguments, "--port", str(port))) as process:
        wait_for_ping(url, process)
        yield url, process


def wait_for_ping(url: str, process: subprocess.Popen[str], interval: float = 0.005) -> None:
    """Return when /ping answers 200.

    Raises:
        BenchmarkError: the process ends before, or takes two minutes.
    """
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(base_url=url, trust_env=False) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise BenchmarkError(f"{process.args!r} ended with code {process.returncode}")
            with contextlib.suppress(httpx.TransportError):
                if client.get("/ping").status_code == 200:
                    return
            time.sleep(interval)
    raise BenchmarkError(f"{url}/ping did not answer within {START_SECONDS} s")


def import_environment() -> dict[str, str]:
    """Import variables with which Python finds the project's packages, installed or not."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, IMPORT_ROOTS))}


@contextlib.contextmanager
def python(
    arguments: Sequence[str], log: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Give a Python process that ends with the block; its log goes to this terminal or to
    ``log``."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=import_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextlib.contextmanager
def local_stack(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Give URL and process of ``make run`` on a free port, with these options.

    Raises:
        BenchmarkError: it does not start.
    """
    with (
        tempfile.TemporaryFile() as log,  # each request's line would fill the terminal
        python(("-m", "local_stack", "--port", "0", *options), log) as process,
    ):
        assert process.stdout is not None
        ready = (re.match(r"Ready: (http://\S+)", line) for line in process.stdout)
        url = next((found[1] for found in ready if found), None)
        if url is None:
            log.seek(0)
            tail = log.read()[-2_000:].decode(errors="replace")
            raise BenchmarkError(f"the local stack did not start: {tail}")
        yield url, process


async def stand_in(container_url: str) -> None:
    """Serve SageMaker's runtime in front of a container until cancelled; prints its address."""
    with listen("127.0.0.1", 0) as listener:
        app = RuntimeStandIn(ENDPOINT, container_url).create_app()
        async with serving(app, listener):
            print(f"http://127.0.0.1:{port_of(listener)}", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(stand_in(sys.argv[1]))
