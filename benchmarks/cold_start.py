"""The function's cold start in Lambda's container: AWS's image, its runtime client, its emulator
(the one that the SAM CLI brings, and mounts into the image as is done here).

The emulator starts the function when the first request comes, so what the first request takes more
than the next ones is INIT: Python, the handler's imports, its client and vocabulary. A function
that only makes a boto3 client is measured the same way, in turn. Both have the processor to
themselves, as INIT has in Lambda.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx

from benchmarks.chain import HANDLERS, NOWHERE, ROOT, bare_function, reeltone
from benchmarks.part import Bench, Claim, Part, medians, number, times
from benchmarks.results import BenchmarkError, Figures, MissingNeedError
from benchmarks.timing import median
from local_stack.functions import process_environment
from local_stack.servers import find_free_port
from local_stack.template import FunctionDefinition
from model_training.files import table

ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
EMULATOR = f"samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}"
"""Among the SAM CLI's modules."""
IMAGE = f"public.ecr.aws/lambda/python:3.13-{ARCHITECTURE}"
_INVOKE = "/2015-03-31/functions/function/invocations"
_EVENT = (ROOT / "events" / "model.json").read_text(encoding="utf-8")
"""A request that needs no endpoint."""
_PROGRAM = "/var/rapid/aws-lambda-rie"
_START_SECONDS = 60
_LATER = 9
"""Requests after the first."""
_MIN_SECONDS = 0.03
"""No Python imports boto3 faster; less means that the function was started before it was asked."""


def measure(bench: Bench) -> Figures:
    """Measure seconds of INIT [rounds], the function's and the bare one's.

    Raises:
        MissingNeedError: no Docker engine, no image, or no SAM CLI.
    """
    check_needs()
    rounds = 1 if bench.quick else 9
    seconds: dict[str, list[float]] = {"bare function": [], "function": []}
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        program = {find_emulator(): _PROGRAM}
        mounts = {
            "bare function": program | {HANDLERS: "/var/task"},
            "function": program
            | {
                Path(folder) / "SentimentFunction": "/var/task",
                Path(folder) / "VocabularyLayer": "/opt",
            },
        }
        functions = {"bare function": bare_function(), "function": reeltone().function(NOWHERE)}
        for _ in range(rounds):
            for name, function in functions.items():
                with emulator(function, mounts[name]) as url:
                    seconds[name].append(round(init_seconds(lambda: invoke(url)), 4))
        compiled = any((Path(folder) / "SentimentFunction").rglob("*.pyc"))
    return {"seconds": seconds, "image": IMAGE, "byte code in the package": compiled}


def check_needs() -> None:
    """See that this machine can measure it.

    Raises:
        MissingNeedError: it cannot; the message says what is missing.
    """
    if shutil.which("docker") is None:
        raise MissingNeedError("docker is not on PATH")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        raise MissingNeedError("the Docker engine is not running")
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True).returncode:
        raise MissingNeedError(f"the image is missing: docker pull {IMAGE}")
    if shutil.which(sam()) is None:
        raise MissingNeedError("there is no sam: make sam installs it, or set SAM to its path")
    find_emulator()


def find_emulator() -> Path:
    """Find the emulator's program for this machine's processor.

    Raises:
        MissingNeedError: the SAM CLI is not installed as pip does it.
    """
    program = Path(shutil.which(sam()) or sam()).resolve()
    found = sorted(program.parents[1].glob(f"lib/python3*/site-packages/{EMULATOR}"))
    if not found:
        raise MissingNeedError(
            f"{program} has no {EMULATOR} beside it: make sam installs one that has, or set SAM"
        )
    return found[0]


def sam() -> str:
    """Give the SAM CLI's command."""
    return os.environ.get("SAM", "sam")


def build(folder: Path) -> None:
    """Build the package as it is deployed.

    Raises:
        BenchmarkError: ``sam build`` fails.
    """
    ran = subprocess.run(
        [sam(), "build", "--build-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise BenchmarkError(f"sam build failed: {ran.stderr[-2_000:]}")


@contextlib.contextmanager
def emulator(function: FunctionDefinition, mounts: Mapping[Path, str]) -> Iterator[str]:
    """Give URL of AWS's emulator around a function that has not been asked yet."""
    port = find_free_port()
    ran = subprocess.run(
        docker_command(function, mounts, port), capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise BenchmarkError(f"docker run failed: {ran.stderr[-2_000:]}")
    url, name = f"http://127.0.0.1:{port}", ran.stdout.strip()
    try:
        wait_until_listening(url)
        yield url
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)


def docker_command(
    function: FunctionDefinition, mounts: Mapping[Path, str], port: int
) -> list[str]:
    """Give the command that starts the container in the background."""
    hidden = ("PATH", "HOME", "PYTHONPATH", "LANG")
    variables = process_environment(function).items()
    command = ["docker", "run", "--detach", "--publish", f"127.0.0.1:{port}:8080"]
    command += ["--entrypoint", _PROGRAM]
    for source, target in mounts.items():
        command += ["--volume", f"{source}:{target}:ro"]
    for key, value in variables:
        if key not in hidden:
            command += ["--env", f"{key}={value}"]
    if "VOCABULARIES_DIR" in dict(variables):
        # The layer's, not this folder.
        command += ["--env", "VOCABULARIES_DIR=/opt/vocabularies"]  # pragma: allowlist secret
    # As the image's own entry point starts it, where the image has one.
    return [*command, "--env", f"_HANDLER={function.handler}", IMAGE, "/var/runtime/bootstrap"]


def wait_until_listening(url: str) -> None:
    """Return when the emulator takes connections; it answers any GET without starting a function.

    Raises:
        BenchmarkError: it does not within a minute.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(url, trust_env=False)
            return
        time.sleep(0.05)
    raise BenchmarkError(f"the emulator did not listen within {_START_SECONDS} s")


def invoke(url: str) -> None:
    """Ask the function once.

    Raises:
        BenchmarkError: it does not answer as it should.
    """
    response = httpx.post(url + _INVOKE, content=_EVENT, timeout=_START_SECONDS, trust_env=False)
    if not response.is_success or response.json().get("statusCode") != 200:
        raise BenchmarkError(f"the function answered {response.text[:500]}")


def init_seconds(ask: Callable[[], None]) -> float:
    """Give what the first request takes more than the next ones.

    Raises:
        BenchmarkError: nothing, so the function had been started before.
    """
    times = []
    for _ in range(1 + _LATER):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
    init = times[0] - median(times[1:])
    if init < _MIN_SECONDS:
        raise BenchmarkError(
            f"the first request took {times[0]:.3f} s, the next ones {median(times[1:]):.3f} s: "
            "the emulator has started the function before it was asked"
        )
    return init


# --- What is shown --------------------------------------------------------------------------------


def claim(figures: Figures) -> list[Claim]:
    """Give INIT in Lambda's container."""
    seconds = medians(figures["seconds"])
    ratio = seconds["function"] / seconds["bare function"]
    what = "start in Lambda's container (INIT)"
    return [Claim(what, ratio, "times a bare boto3 client's", 1.4, at_most=True)]


def write(figures: Figures) -> str:
    """Write INIT in Lambda's container."""
    seconds = medians(figures["seconds"])
    rows = [
        [name, times(value / seconds["bare function"]), number(1000 * value)]
        for name, value in seconds.items()
    ]
    code = "with" if figures["byte code in the package"] else "**without**"
    note = (
        f"`{figures['image']}` with AWS's own runtime client and emulator; medians of "
        f"{len(figures['seconds']['function'])} starts each, in turn; package {code} byte code."
    )
    return note + "\n\n" + table(("INIT", "to the bare function", "ms"), rows)


PART = Part(
    name="cold-start",
    title="Cold start",
    measure=measure,
    write=write,
    claim=claim,
    long=True,
)
