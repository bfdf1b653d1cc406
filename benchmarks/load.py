"""The local stack under many users at once: each asks, waits for the answer and asks again.

A user who is told to come back later (503 with Retry-After) does so. Whatever else is not an answer
is an error. Client and stack share this machine's cores.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import httpx

from benchmarks.chain import local_stack
from benchmarks.part import Bench, Claim, Part, number, or_dash
from benchmarks.results import Figures
from benchmarks.timing import median, quantile
from model_training.files import table
from model_training.report.plots import BLUE, VERMILION, picture

USERS = (1, 8, 32, 128, 512)
"""The last is more than the stack lets wait."""
TEXTS = 1_000
_PATIENCE = 35.0
"""Seconds that a client waits for an answer: CloudFront's."""


@dataclass
class Tally:
    """What the users of one level have seen."""

    answered: list[float] = field(default_factory=list)
    """Seconds until an answer with status 200."""
    refused: list[float] = field(default_factory=list)
    """Seconds until a 503 that says when to come back."""
    errors: Counter[str] = field(default_factory=Counter)
    """Everything else, by status or exception."""

    def figures(self, users: int, seconds: float) -> Figures:
        """Give what is kept of them."""
        return {
            "users": users,
            "seconds": round(seconds, 1),
            "answered": len(self.answered),
            "answers a second": round(len(self.answered) / seconds, 2),
            "refused": len(self.refused),
            "errors": dict(self.errors),
            **_quantiles("answer", self.answered),
            **_quantiles("refusal", self.refused),
        }


def measure(bench: Bench) -> Figures:
    """Measure each level's answers a second, p50 and p99 in milliseconds, refusals and errors."""
    users, seconds = (USERS[:2], 1.0) if bench.quick else (USERS, bench.seconds)
    texts = bench.source.pick(TEXTS)
    with local_stack() as (url, _):
        levels = [asyncio.run(press(url, texts, count, seconds)) for count in users]
    return {"texts": bench.source.name, "levels": levels}


async def press(url: str, texts: Sequence[str], users: int, seconds: float) -> Figures:
    """One level: so many users for so long."""
    tally, reviews = Tally(), cycle(texts)
    # A client each: one with hundreds of connections takes so long to find a free one that the
    # client would be measured, and leaves some unused until the server gives them up.
    context = ssl.create_default_context()
    clients = [
        httpx.AsyncClient(base_url=url, timeout=_PATIENCE, trust_env=False, verify=context)
        for _ in range(users)
    ]
    started = time.monotonic()
    end = started + seconds

    async def use(client: httpx.AsyncClient) -> None:
        async with client:
            while time.monotonic() < end:
                pause = await ask(client, next(reviews), tally)
                await asyncio.sleep(min(pause, max(0.0, end - time.monotonic())))

    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(use(client))
    return tally.figures(users, time.monotonic() - started)


async def ask(client: httpx.AsyncClient, review: str, tally: Tally) -> float:
    """Ask once; returns the seconds to wait before the next time."""
    started = time.monotonic()
    try:
        response = await client.post("/api/sentiment", json={"review": review})
    except httpx.TransportError as error:
        tally.errors[type(error).__name__] += 1
        return 1.0
    seconds = time.monotonic() - started
    if response.status_code == 200:
        tally.answered.append(seconds)
        return 0.0
    if response.status_code == 503 and "retry-after" in response.headers:
        tally.refused.append(seconds)
        return float(response.headers["retry-after"])
    tally.errors[str(response.status_code)] += 1
    return 1.0


def _quantiles(name: str, seconds: list[float]) -> dict[str, float | None]:
    if not seconds:
        return {f"{name} p50": None, f"{name} p99": None}
    return {
        f"{name} p50": round(1000 * median(seconds), 1),
        f"{name} p99": round(1000 * quantile(seconds, 0.99), 1),
    }


# --- What is shown --------------------------------------------------------------------------------


def claim(figures: Figures) -> list[Claim]:
    """Give errors under load."""
    most = max(level["users"] for level in figures["levels"])
    errors = sum(sum(level["errors"].values()) for level in figures["levels"])
    return [Claim(f"errors under 1 to {most} users at once", errors, "", 0, at_most=True)]


def write(figures: Figures) -> str:
    """Write the levels."""
    rows = []
    for level in figures["levels"]:
        cells = [f"{level['users']}", number(level["answers a second"])]
        cells += [or_dash(level[f"answer {name}"]) for name in ("p50", "p99")]
        cells += [f"{level['refused']:,}", or_dash(level["refusal p99"])]
        rows.append([*cells, f"{sum(level['errors'].values()):,}"])
    heads = (
        *("users", "answers a second", "p50, ms", "p99, ms"),
        *("503 with Retry-After", "their p99, ms", "errors"),
    )
    seconds = min(level["seconds"] for level in figures["levels"])
    note = (
        f"`make run`'s stack and the users on the same cores, {seconds:.0f} s and until the last "
        "answer for each number of users, who ask again as soon as they have their answer."
    )
    return note + "\n\n" + table(heads, rows)


def draw(path: Path, figures: Figures) -> None:
    """Draw answers a second, and their times, by the number of users."""
    levels = [level for level in figures["levels"] if level["answered"]]
    users = [str(level["users"]) for level in levels]
    with picture(path, 8, 3.2) as figure:
        left, right = figure.subplots(1, 2)
        left.bar(users, [level["answers a second"] for level in levels], color=BLUE)
        left.set(title="answers a second", xlabel="users")
        for name, color, style in (("p50", BLUE, "o-"), ("p99", VERMILION, "s--")):
            values = [level[f"answer {name}"] for level in levels]
            right.plot(users, values, style, color=color, label=name)
        right.set(title="milliseconds until the answer", xlabel="users", yscale="log")
        right.yaxis.set_major_formatter("{x:g}")
        right.legend()


PART = Part(
    name="load",
    title="Under load",
    measure=measure,
    write=write,
    claim=claim,
    draw=draw,
    long=True,
)
