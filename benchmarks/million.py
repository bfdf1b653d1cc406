"""A file of a million reviews through the endpoint, as a Batch Transform job sends it.

The container's program answers JSON Lines over HTTP, in requests as large and as many at a time as
``model_training.jobs transform`` asks SageMaker for. Its memory must stay flat, and each tenth of
the reviews take as much processor time as any other: time of day would be that of the machine's
other work, too.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice, pairwise
from pathlib import Path

import httpx

from benchmarks.chain import container, reeltone
from benchmarks.part import Bench, Claim, Part, number, times
from benchmarks.results import BenchmarkError, Figures
from benchmarks.timing import peak_megabytes, processor_seconds, resident_megabytes
from model_training.files import table
from model_training.report.plots import BLUE, GREEN, VERMILION, picture
from model_training.serving.functions import JSON_LINES
from review_text.transform import PAYLOAD_MB, count_cores, write_line

CONCURRENT = count_cores("ml.c5.xlarge")
"""Requests at a time, as a batch transform on its usual machine sends them."""
QUICK_REVIEWS = 300
SAMPLES = 100
"""Measurements of time and memory on the way."""
TRIES = 4
"""Of a request that finds no free core: SageMaker sends what failed up to three more times."""

Sample = tuple[int, float, float | None, float | None]
"""Reviews scored, seconds since the start, the endpoint's processor seconds and resident megabytes,
where the system can say them."""


@dataclass
class Progress:
    """How far a job is."""

    reviews: int
    pid: int
    scored: int = 0
    failed: int = 0
    again: int = 0
    """Requests that were sent another time."""
    started: float = field(default_factory=time.monotonic)
    samples: list[Sample] = field(default_factory=list)

    def add(self, answers: list[bytes]) -> None:
        """Count the answers of one request."""
        self.scored += len(answers)
        self.failed += sum(b'"probability"' not in line for line in answers)
        if self.scored * SAMPLES >= self.reviews * len(self.samples):
            self.sample()
            print(f"\r{self.scored:,} of {self.reviews:,}", end="", file=sys.stderr, flush=True)

    def sample(self) -> None:
        """Measure time and memory now."""
        seconds = round(time.monotonic() - self.started, 2)
        megabytes = resident_megabytes(self.pid)
        spent = processor_seconds(self.pid)
        self.samples.append((self.scored, seconds, spent, megabytes and round(megabytes, 1)))


def measure(bench: Bench) -> Figures:
    """Time and memory on the way through so many reviews: the test reviews, repeated.

    Raises:
        BenchmarkError: not every review was scored.
    """
    source, quick = bench.source, bench.quick
    reviews = min(bench.reviews, QUICK_REVIEWS) if quick else bench.reviews
    texts = source.pick(len(source.test.texts))
    repeated = islice(cycle(texts), reviews)
    payload = PAYLOAD_MB * 1024**2 // (64 if quick else 1)
    with container(reeltone().container) as (url, process):
        progress = Progress(reviews, process.pid)
        progress.sample()
        asyncio.run(transform(url, payloads(repeated, payload), progress))
        print(file=sys.stderr)
        peak = peak_megabytes(process.pid)
    if progress.scored != reviews or progress.failed:
        raise BenchmarkError(
            f"{progress.scored:,} answers for {reviews:,} reviews, {progress.failed:,} of them "
            "without a probability"
        )
    return {
        "texts": source.name,
        "reviews": reviews,
        "seconds": progress.samples[-1][1],
        "samples": progress.samples,
        "peak megabytes": peak and round(peak, 1),
        "requests at a time": CONCURRENT,
        "requests sent again": progress.again,
        "megabytes a request": payload / 1024**2,
    }


def payloads(texts: Iterable[str], most: int) -> Iterator[bytes]:
    """Requests of whole lines, as SageMaker cuts them: as many as fit in ``most`` bytes."""
    lines: list[bytes] = []
    size = 0
    for count, text in enumerate(texts, 1):
        line = write_line(count, text)
        if lines and size + len(line) > most:
            yield b"".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield b"".join(lines)


async def transform(url: str, requests: Iterator[bytes], progress: Progress) -> None:
    """Send all requests, some at a time.

    Raises:
        BenchmarkError: one of them is refused.
    """

    async def send(client: httpx.AsyncClient) -> None:
        for body in requests:  # shared: each request is sent by whoever is free
            progress.add(await send_until_free(client, body, progress))

    async with httpx.AsyncClient(base_url=url, timeout=600, trust_env=False) as client:
        await asyncio.gather(*(send(client) for _ in range(CONCURRENT)))


async def send_until_free(
    client: httpx.AsyncClient, body: bytes, progress: Progress
) -> list[bytes]:
    """The answers to one request, sent again while the endpoint has no free core.

    Raises:
        BenchmarkError: it is refused, or the endpoint busy at each of the tries.
    """
    for attempt in range(TRIES):
        progress.again += attempt > 0
        response = await client.post(
            "/invocations", content=body, headers={"content-type": JSON_LINES}
        )
        if response.status_code != 503:
            break
    if response.status_code != 200:
        raise BenchmarkError(f"the endpoint answered {response.status_code}")
    return response.content.splitlines()


def tenths(samples: Sequence[Sample]) -> list[float]:
    """Reviews a second of processor time in each tenth of the way; of any time where the system
    can't tell."""
    times = [(n, seconds if spent is None else spent) for n, seconds, spent, _ in samples]
    reviews = times[-1][0]
    edges = [times[0]]
    for part in range(1, 11):
        edges.append(next(sample for sample in times if sample[0] * 10 >= reviews * part))
    return [
        (after[0] - before[0]) / (after[1] - before[1])
        for before, after in pairwise(edges)
        if after[1] > before[1]
    ]


# --- What is shown --------------------------------------------------------------------------------


def claim(figures: Figures) -> list[Claim]:
    """Linear time, flat memory."""
    rates = tenths(figures["samples"])
    claims = [
        Claim(
            f"{figures['reviews']:,} reviews in one file, slowest tenth",
            min(rates) / max(rates),
            "times as fast as the fastest",
        )
    ]
    memory = [megabytes for *_, megabytes in figures["samples"]]
    if None not in memory:
        early = max(memory[: max(1, len(memory) // 10)])
        claims.append(Claim("memory at their end", memory[-1] / early, "times the first tenth's"))
    return claims


def write(figures: Figures) -> str:
    """Totals, and how even the way was."""
    rates = tenths(figures["samples"])
    rows = [
        ["slowest to fastest tenth", times(min(rates) / max(rates))],
        ["reviews a second, all cores", number(figures["reviews"] / figures["seconds"])],
        ["minutes", number(figures["seconds"] / 60)],
    ]
    if again := figures["requests sent again"]:
        rows.append(["requests sent again, since no core was free", number(again)])
    spent = figures["samples"][-1][2]
    if spent is not None:
        rows.append(["of processor time, minutes", number(spent / 60)])
    memory = [megabytes for *_, megabytes in figures["samples"]]
    if None not in memory:
        last = len(memory) - 1
        for part, place in {"a tenth": last // 10, "half": last // 2, "all": last}.items():
            rows.append([f"memory of the endpoint after {part}, MB", number(memory[place])])
    if figures["peak megabytes"] is not None:
        rows.append(["its peak, MB", number(figures["peak megabytes"])])
    note = (
        f"{figures['reviews']:,} reviews, the {figures['texts']} over and over, in requests of "
        f"{number(figures['megabytes a request'])} MB, {figures['requests at a time']} at a time, "
        "as a Batch Transform job sends them."
    )
    return note + "\n\n" + table(("", "measured"), rows)


def draw(path: Path, figures: Figures) -> None:
    """Time and memory on the way through a large file."""
    reviews, seconds, spent, megabytes = (
        list(each) for each in zip(*figures["samples"], strict=True)
    )
    thousands = [count / 1000 for count in reviews]
    with picture(path, 8, 3.2) as figure:
        left, right = figure.subplots(1, 2)
        left.plot(thousands, [each / 60 for each in seconds], color=BLUE, label="all")
        if None not in spent:
            minutes = [each / 60 for each in spent]
            left.plot(thousands, minutes, "--", color=VERMILION, label="processor")
            left.legend()
        left.set(title="minutes", xlabel="thousand reviews scored")
        if None not in megabytes:
            right.plot(thousands, megabytes, color=GREEN)
            right.set_ylim(bottom=0)
        right.set(title="memory of the endpoint, MB", xlabel="thousand reviews scored")


PART = Part(
    name="million",
    title="A large file",
    measure=measure,
    write=write,
    claim=claim,
    draw=draw,
    caption="Time and memory on the way",
    long=True,
)
