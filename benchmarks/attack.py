"""What a visitor notices of one attacker who sends all that the throttles let through.

The visitor asks for one review a second. The attacker sends the costliest requests there are, from
many connections at once: first the burst that the template allows, then as fast as tokens come. He
does so on the route for many reviews, and then on the visitor's own, whose tokens he takes away.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import httpx

from benchmarks.part import Bench, Claim, Part, number
from benchmarks.results import Figures
from benchmarks.start import local_stack
from benchmarks.timing import quantile
from model_training.documents import table

IN_TIME = 5.0
"""Seconds until an answer at most."""
CONNECTIONS = 20
"""Of the attacker."""
EXPLAINED = 20
"""Reviews of one request that says why: the function's limit."""
GOAL = 99.0
"""Percent of the visitor's requests."""
_TRY_AGAIN = 0.1
"""Seconds after which the attacker who was refused tries again."""
_PATIENCE = 35.0


def measure(bench: Bench) -> Figures:
    """For each attack, what became of the visitor's requests and of the attacker's."""
    [long] = bench.source.of_length(230 if bench.quick else 1_000, 1)
    many = {"reviews": [long] * EXPLAINED, "explain": True}
    attacks: dict[str, tuple[str, dict[str, Any]] | None] = {
        "nobody": None,
        "many reviews": ("/api/sentiments", many),
        "the visitor's route": ("/api/sentiment", {"review": long, "explain": True}),
    }
    seconds = bench.seconds
    if bench.quick:
        seconds, attacks = 1.0, {"many reviews": attacks["many reviews"]}
    found = {}
    for name, attack in attacks.items():
        with local_stack("--throttle") as (url, _):  # each with full buckets
            found[name] = asyncio.run(visit(url, bench.source.pick(1)[0], attack, seconds))
    return {"texts": bench.source.name, "in time": IN_TIME, "seconds": seconds, "attacks": found}


async def visit(
    url: str, review: str, attack: tuple[str, dict[str, Any]] | None, seconds: float
) -> Figures:
    """One visitor, with or without an attacker."""
    times: list[float] = []
    statuses: Counter[str] = Counter()
    sent: Counter[str] = Counter()
    limits = httpx.Limits(max_connections=None)
    options: dict[str, Any] = {"base_url": url, "timeout": _PATIENCE, "trust_env": False}
    async with (
        httpx.AsyncClient(limits=limits, **options) as visitor,
        httpx.AsyncClient(limits=limits, **options) as attacker,
    ):
        attacks = [
            asyncio.create_task(send(attacker, *attack, sent)) if attack else None
            for _ in range(CONNECTIONS)
        ]
        asks = []
        for _ in range(max(1, round(seconds))):
            body = {"review": review}
            asks.append(asyncio.create_task(ask(visitor, "/api/sentiment", body, statuses, times)))
            await asyncio.sleep(1)
        await asyncio.gather(*asks)
        for task in filter(None, attacks):
            task.cancel()
        await asyncio.gather(*filter(None, attacks), return_exceptions=True)
    in_time = sum(each <= IN_TIME for each in times)
    return {
        "asked": len(asks),
        "in time": in_time,
        "statuses": dict(statuses),
        "p99 ms": round(1000 * quantile(times, 0.99), 1) if times else None,
        "attacker": dict(sent),
    }


async def send(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], sent: Counter[str]
) -> None:
    """Send the same again and again."""
    while True:
        if await ask(client, path, body, sent, []) != "200":
            await asyncio.sleep(_TRY_AGAIN)


async def ask(
    client: httpx.AsyncClient,
    path: str,
    body: dict[str, Any],
    statuses: Counter[str],
    times: list[float],
) -> str:
    """Ask once; keeps the status, and the time of an answer."""
    started = time.monotonic()
    try:
        status = str((await client.post(path, json=body)).status_code)
    except httpx.TransportError as error:
        status = type(error).__name__
    statuses[status] += 1
    if status == "200":
        times.append(time.monotonic() - started)
    return status


# --- What is shown --------------------------------------------------------------------------------


def percent(attack: Figures) -> float:
    """Of the visitor's requests, those that were answered in time."""
    return 100 * float(attack["in time"]) / float(attack["asked"])


def claim(figures: Figures) -> list[Claim]:
    """The visitor's share under each attack."""
    return [
        Claim(
            f"a visitor's requests answered in time, attacked: {name}", percent(attack), "%", GOAL
        )
        for name, attack in figures["attacks"].items()
    ]


def write(figures: Figures) -> str:
    """What visitor and attacker saw."""
    rows = [
        [
            name,
            f"{percent(attack):.1f}",
            "–" if attack["p99 ms"] is None else number(attack["p99 ms"]),
            _list(attack["statuses"]),
            _list(attack["attacker"]) or "–",
        ]
        for name, attack in figures["attacks"].items()
    ]
    note = (
        f"A visitor who asks once a second for {figures['seconds']:.0f} s, and one attacker on "
        f"{CONNECTIONS} connections, at the template's throttles; in time is within "
        f"{figures['in time']:g} s. All of it shares this machine's cores; AWS has others for each "
        "request."
    )
    heads = ("attacked", "in time, %", "p99, ms", "visitor's statuses", "attacker's statuses")
    return note + "\n\n" + table(heads, rows)


def _list(statuses: dict[str, int]) -> str:
    return ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))


PART = Part(
    name="attack",
    title="Under attack",
    measure=measure,
    write=write,
    claim=claim,
    long=True,
)
