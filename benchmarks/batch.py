"""Many reviews at a time: reviews a second of one core, text processing included, and memory."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.chain import ROOT, import_environment
from benchmarks.results import BenchmarkError, Figures
from benchmarks.reviews import Source
from benchmarks.timing import one_core
from model_training.jobs.transform import write_line
from model_training.paths import MODELS

SIZES = (1, 8, 64, 512)
MODEL = "modern"


def measure(source: Source, quick: bool = False, sizes: tuple[int, ...] = SIZES) -> Figures:
    """For each size of a request: reviews a second [rounds], and peak memory; the same reviews for
    all sizes, which take turns."""
    count, rounds = (64, 1) if quick else (1_024, 5)
    texts = source.pick(count)
    lines = make_lines(texts)
    found: dict[str, dict[str, list[float]]] = {
        str(size): {"reviews a second": [], "megabytes": []} for size in sizes
    }
    with one_core():
        for _ in range(rounds):
            for size in sizes:
                seconds, megabytes = run_scorer(lines, size)
                found[str(size)]["reviews a second"].append(round(len(texts) / seconds, 2))
                if megabytes is not None:
                    found[str(size)]["megabytes"].append(round(megabytes, 1))
    return {"texts": source.name, "reviews": len(texts), "sizes": found}


def make_lines(texts: list[str]) -> bytes:
    """JSON Lines, as they are sent to the model."""
    return b"".join(write_line(number, {"review": text}) for number, text in enumerate(texts, 1))


def run_scorer(lines: bytes, size: int) -> tuple[float, float | None]:
    """Processor seconds and peak memory of scoring ``lines``.

    Raises:
        BenchmarkError: it fails.
    """
    command = [sys.executable, "-m", "benchmarks.scorer", str(MODELS / MODEL), str(size)]
    ran = subprocess.run(
        command, input=lines, capture_output=True, cwd=ROOT, env=import_environment(), check=False
    )
    if ran.returncode != 0:
        raise BenchmarkError(f"{' '.join(command)} failed: {ran.stderr.decode()[-2_000:]}")
    found = json.loads(ran.stdout)
    return found["seconds"], found["megabytes"]
