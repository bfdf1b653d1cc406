"""Answers of the whole local path: gateway, function, SageMaker runtime stand-in, endpoint."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

import httpx

from model_training.data import Corpus

REQUESTS = 500
WORDS = 230  # of a review: the mean of the data set


@contextmanager
def local_stack() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The URL of a running stack, and its process."""
    command = [sys.executable, "-m", "local_stack", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield _wait_for_url(process), process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _wait_for_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.match(r"Ready: (http://\S+)", line):
            return found[1]
    raise RuntimeError("the local stack did not start; see above")


def resident_megabytes(pid: int) -> float:
    """Memory that a process has in RAM (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def processes_of(pid: int) -> dict[str, list[int]]:
    """The stack's children by what they run: the endpoint's and the function's."""
    found: dict[str, list[int]] = {"endpoint": [], "function": []}
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in map(int, children):
        command = Path(f"/proc/{child}/cmdline").read_text()
        found["endpoint" if "model_training.serve" in command else "function"].append(child)
    return found


def milliseconds(client: httpx.Client, review: str, explain: bool) -> list[float]:
    """[requests] time of each answer, one request after the other."""
    times = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        response = client.post("/api/sentiment", json={"review": review, "explain": explain})
        times.append(1000 * (time.perf_counter() - started))
        response.raise_for_status()
    return times


def measure(corpus: Corpus) -> list[tuple[str, str]]:
    """Rows of a table: what was measured, and its figure."""
    texts = corpus.split("test").texts
    review = " ".join(" ".join(texts[row] for row in range(10)).split()[:WORDS])
    rows = []
    started = time.perf_counter()
    with local_stack() as (url, process), httpx.Client(base_url=url, timeout=30) as client:
        seconds = time.perf_counter() - started
        rows.append(("local stack, start to first answer", f"{seconds:.1f} s"))
        milliseconds(client, review, explain=False)  # warm
        for explain in (False, True):
            cuts = quantiles(milliseconds(client, review, explain), n=100)
            kind = "explained answer" if explain else "answer"
            rows.append(
                (
                    f"{kind}, {WORDS} words, {REQUESTS} requests",
                    f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms",
                )
            )
        if os.path.isdir("/proc/self/task"):
            for kind, pids in processes_of(process.pid).items():
                most = max(map(resident_megabytes, pids))
                rows.append((f"memory of the {kind}", f"{most:.0f} MB resident"))
    return rows
