"""Many reviews at a time: reviews a second of one core, text processing included, and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.chain import ROOT, import_environment
from benchmarks.part import Bench, Claim, Part, number, times
from benchmarks.results import BenchmarkError, Figures
from benchmarks.timing import median, one_core
from model_training.files import table
from model_training.paths import MODELS
from model_training.report.plots import BLUE, GREEN, picture
from review_text.transform import write_line

SIZES = (1, 8, 64, 512)
MODEL = "modern"


def measure(bench: Bench) -> Figures:
    """For each size of a request: reviews a second [rounds], and peak memory; the same reviews for
    all sizes, which take turns."""
    count, rounds = (64, 1) if bench.quick else (1_024, 5)
    texts = bench.source.pick(count)
    lines = make_lines(texts)
    found: dict[str, dict[str, list[float]]] = {
        str(size): {"reviews a second": [], "megabytes": []} for size in SIZES
    }
    with one_core():
        for _ in range(rounds):
            for size in SIZES:
                seconds, megabytes = run_scorer(lines, size)
                found[str(size)]["reviews a second"].append(round(len(texts) / seconds, 2))
                if megabytes is not None:
                    found[str(size)]["megabytes"].append(round(megabytes, 1))
    return {"texts": bench.source.name, "reviews": len(texts), "sizes": found}


def make_lines(texts: list[str]) -> bytes:
    """JSON Lines, as they are sent to the model."""
    return b"".join(write_line(number, text) for number, text in enumerate(texts, 1))


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


# --- What is shown --------------------------------------------------------------------------------


def claim(figures: Figures) -> list[Claim]:
    """What a batch gains."""
    sizes = figures["sizes"]
    rates = {size: median(found["reviews a second"]) for size, found in sizes.items()}
    return [
        Claim("64 reviews a request", rates["64"] / rates["1"], "times as fast as one a request")
    ]


def write(figures: Figures) -> str:
    """Reviews a second and memory, by size."""
    sizes = figures["sizes"]
    one = median(sizes["1"]["reviews a second"])
    rows = []
    for size, found in sizes.items():
        rate = median(found["reviews a second"])
        peak = max(found["megabytes"], default=None)
        memory = "–" if peak is None else number(peak)
        rows.append([size, times(rate / one), number(rate), memory])
    heads = ("reviews a request", "to one a request", "reviews a second, one core", "peak, MB")
    note = (
        f"{figures['reviews']:,} {figures['texts']} as JSON Lines, text processing included, each "
        "size in processes of its own."
    )
    return note + "\n\n" + table(heads, rows)


def draw(path: Path, figures: Figures) -> None:
    """Reviews a second, and peak memory, by the reviews of a request."""
    sizes = list(figures["sizes"])
    with picture(path, 8, 3.2) as figure:
        left, right = figure.subplots(1, 2)
        rates = [median(figures["sizes"][size]["reviews a second"]) for size in sizes]
        left.bar(sizes, rates, color=BLUE)
        left.set(title="reviews a second, one core", xlabel="reviews of a request")
        peaks = [figures["sizes"][size]["megabytes"] for size in sizes]
        if all(peaks):
            right.bar(sizes, [max(values) for values in peaks], color=GREEN)
        right.set(title="peak memory, MB", xlabel="reviews of a request")


PART = Part(
    name="batch",
    title="Many at a time",
    measure=measure,
    write=write,
    claim=claim,
    draw=draw,
    caption="By size of a request",
)
