"""Starts on this machine, without Docker: the function's, the endpoint's, the whole stack's."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

from benchmarks.chain import (
    Environment,
    bare_function,
    import_environment,
    python,
    reeltone,
    running,
    wait_for_ping,
)
from benchmarks.part import Bench, Claim, Part, medians, number
from benchmarks.results import BenchmarkError, Figures
from benchmarks.timing import median, resident_megabytes, take_turns
from local_stack.servers import find_free_port
from local_stack.template import FunctionDefinition
from model_training.files import table

NOWHERE = "http://127.0.0.1:9"
"""Of an endpoint that is not asked: starting sends nothing."""


def measure(bench: Bench) -> Figures:
    """Seconds of each start [rounds], and what the processes keep in memory once they are warm."""
    rounds = 1 if bench.quick else 9
    seconds = take_turns(starts(), rounds, time.perf_counter)
    reviews = bench.source.pick(5 if bench.quick else 500)
    with running(reeltone()) as chain:
        for review in reviews:
            chain.seconds(review)
        memory = {
            "endpoint": resident_megabytes(chain.container_pid),
            "function": resident_megabytes(chain.environment.pid),
        }
    return {
        "seconds": {name: [round(each, 4) for each in times] for name, times in seconds.items()},
        "megabytes": {name: value and round(value, 1) for name, value in memory.items()},
    }


def starts() -> dict[str, Callable[[], None]]:
    """What is started: each to the moment when it can take its first request, then stopped."""
    return {
        "bare function": lambda: start_function(bare_function()),
        "function": lambda: start_function(reeltone().function(NOWHERE)),
        "imports of the endpoint": start_imports,
        "endpoint": start_endpoint,
        "local stack": start_local_stack,
    }


def start_function(function: FunctionDefinition) -> None:
    """Until the handler is imported."""
    Environment(function).stop()


def start_imports() -> None:
    """What a server with onnxruntime imports in any case: the endpoint's lower bound."""
    program = "import numpy, onnxruntime, starlette.applications, uvicorn"
    command = [sys.executable, "-c", program]
    subprocess.run(command, check=True, env=import_environment() | {"ORT_DISABLE_TELEMETRY": "1"})


def start_endpoint() -> None:
    """Until /ping answers 200."""
    port = find_free_port()
    with python((*reeltone().container, "--port", str(port))) as process:
        wait_for_ping(f"http://127.0.0.1:{port}", process)


def start_local_stack() -> None:
    """Until a request has gone all the way."""
    with local_stack():
        pass


@contextlib.contextmanager
def local_stack(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """URL and process of ``make run`` on a free port, with these options.

    Raises:
        BenchmarkError: it does not start.
    """
    with (
        tempfile.TemporaryFile() as log,  # each request's line would fill the terminal
        python(("-m", "local_stack", "--port", "0", *options), log) as process,
    ):
        url = _wait_for_url(process)
        if url is None:
            log.seek(0)
            tail = log.read()[-2_000:].decode(errors="replace")
            raise BenchmarkError(f"the local stack did not start: {tail}")
        yield url, process


def _wait_for_url(process: subprocess.Popen[str]) -> str | None:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.match(r"Ready: (http://\S+)", line):
            return found[1]
    return None


# --- What is shown --------------------------------------------------------------------------------


def claim(figures: Figures) -> list[Claim]:
    """Starts outside Docker."""
    seconds = medians(figures["seconds"])
    return [
        Claim(
            "the function's start, in this Python",
            seconds["function"] / seconds["bare function"],
            "times a bare boto3 client's",
        ),
        Claim("the endpoint's start, to its first /ping", seconds["endpoint"], "s", 1.5, True),
    ]


def write(figures: Figures) -> str:
    """Seconds and megabytes."""
    rows = [
        [name, number(median(seconds)), number(max(seconds))]
        for name, seconds in figures["seconds"].items()
    ]
    memory = [
        [name, number(value)] for name, value in figures["megabytes"].items() if value is not None
    ]
    shown = table(("start to first request, s", "median", "slowest"), rows)
    return shown + ("\n\n" + table(("resident when warm", "MB"), memory) if memory else "")


PART = Part(
    name="start",
    title="Starts on this machine",
    measure=measure,
    write=write,
    claim=claim,
)
