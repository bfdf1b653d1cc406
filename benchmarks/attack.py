"""What a visitor notices of one attacker who sends all that the throttles let through.

The visitor asks for one review a second, and does with a refusal what the website does: asks again,
some times, when the answer says or after a second or two. The attacker sends the costliest requests
there are, from many connections at once: first the burst that the template allows, then as fast as
tokens come. He does so on the route for many reviews, and then on the visitor's own, whose tokens
he takes away; there once more where each address has a limit of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import httpx

from benchmarks.chain import local_stack
from benchmarks.part import Bench, Claim, Part, number
from benchmarks.results import BenchmarkError, Figures
from benchmarks.timing import quantile
from model_training.files import table
from reeltone.stack import TRIES, pause

IN_TIME = 10.0
"""Seconds from a visitor's first attempt to the answer at most: as long as a person waits before
turning to something else. Source: Nielsen, "Response Times: The 3 Important Limits" (1993)."""
LONGEST_GUESS = 2.0
"""Seconds to the visitor's next attempt at most where the refusal says none: the website's."""
CONNECTIONS = 20
"""The attacker's connections, all at once."""
EXPLAINED = 20
"""Reviews of one request that says why: the function's limit."""
GOAL = 99.0
"""Percent of the visitor's requests."""
LIMITED = "the visitor's route, with a limit for each address"
PER_ADDRESS = 120
"""Requests in a minute, where each address has a limit: the operations guide's example."""
_ATTACKER = "127.0.0.2"
"""Where the attacker's requests come from; the visitor's are from 127.0.0.1."""
_TRY_AGAIN = 0.1
"""Seconds after which the attacker who was refused tries again."""
_PATIENCE = 35.0


def measure(bench: Bench) -> Figures:
    """For each attack, what became of the visitor's requests and of the attacker's."""
    [long] = bench.source.of_length(230 if bench.quick else 1_000, 1)
    many = {"reviews": [long] * EXPLAINED, "explain": True}
    one = ("/api/sentiment", {"review": long, "explain": True})
    attacks: dict[str, tuple[str, dict[str, Any]] | None] = {
        "nobody": None,
        "many reviews": ("/api/sentiments", many),
        "the visitor's route": one,
        LIMITED: one,
    }
    seconds = bench.seconds
    if bench.quick:
        seconds, attacks = 1.0, {"many reviews": attacks["many reviews"]}
    found = {}
    for name, attack in attacks.items():
        more = [f"--requests-per-address={PER_ADDRESS}"] if name == LIMITED else []
        with local_stack("--throttle", *more) as (url, _):  # each with full buckets
            found[name] = asyncio.run(visit(url, bench.source.pick(1)[0], attack, seconds))
    return {
        "texts": bench.source.name,
        "tries": TRIES,
        "in time": IN_TIME,
        "per address": PER_ADDRESS,
        "seconds": seconds,
        "attacks": found,
    }


async def visit(
    url: str, review: str, attack: tuple[str, dict[str, Any]] | None, seconds: float
) -> Figures:
    """One visitor, with or without an attacker."""
    statuses: Counter[str] = Counter()
    sent: Counter[str] = Counter()
    options: dict[str, Any] = {"base_url": url, "timeout": _PATIENCE, "trust_env": False}
    limits = httpx.Limits(max_connections=None)
    elsewhere = httpx.AsyncHTTPTransport(limits=limits, local_address=_ATTACKER)
    async with (
        httpx.AsyncClient(limits=limits, **options) as visitor,
        httpx.AsyncClient(transport=elsewhere, **options) as attacker,
    ):
        attacks = [
            asyncio.create_task(flood(attacker, *attack, sent)) if attack else None
            for _ in range(CONNECTIONS)
        ]
        asks = []
        for _ in range(max(1, round(seconds))):
            asks.append(asyncio.create_task(ask(visitor, review, statuses)))
            await asyncio.sleep(1)
        times = [each for each in await asyncio.gather(*asks) if each is not None]
        for task in filter(None, attacks):
            task.cancel()
        await asyncio.gather(*filter(None, attacks), return_exceptions=True)
    if attack and not sent["200"]:
        raise BenchmarkError(f"no request from {_ATTACKER} was answered: {dict(sent)}")
    in_time = sum(each <= IN_TIME for each in times)
    return {
        "asked": len(asks),
        "in time": in_time,
        "statuses": dict(statuses),
        "p99 ms": round(1000 * quantile(times, 0.99), 1) if times else None,
        "attacker": dict(sent),
    }


async def ask(client: httpx.AsyncClient, review: str, statuses: Counter[str]) -> float | None:
    """Ask as the website does; seconds until the answer, if there was one in the end."""
    started = time.monotonic()
    for refusals in range(1, TRIES + 1):
        status, said = await send(client, "/api/sentiment", {"review": review}, statuses)
        if status not in ("429", "503"):
            return time.monotonic() - started if status == "200" else None
        if refusals < TRIES:
            await asyncio.sleep(pause(said, refusals, LONGEST_GUESS))
    return None


async def flood(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], statuses: Counter[str]
) -> None:
    """Send the same again and again."""
    while True:
        status, _ = await send(client, path, body, statuses)
        if status != "200":
            await asyncio.sleep(_TRY_AGAIN)


async def send(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], statuses: Counter[str]
) -> tuple[str, str | None]:
    """Send once and count the status, which is given with what the answer says of coming back."""
    try:
        response = await client.post(path, json=body)
    except httpx.TransportError as error:
        status, said = type(error).__name__, None
    else:
        status, said = str(response.status_code), response.headers.get("retry-after")
    statuses[status] += 1
    return status, said


# --- What is shown --------------------------------------------------------------------------------


def percent(attack: Figures) -> float:
    """Give the share of the visitor's requests that were answered in time, per cent."""
    return 100 * float(attack["in time"]) / float(attack["asked"])


def claim(figures: Figures) -> list[Claim]:
    """Give the visitor's share under each attack."""
    return [
        Claim(
            f"a visitor's requests answered within {figures['in time']:g} s, attacked: {name}",
            percent(attack),
            "%",
            GOAL,
        )
        for name, attack in figures["attacks"].items()
    ]


def write(figures: Figures) -> str:
    """Write what visitor and attacker saw."""
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
        f"A visitor with a review a second for {figures['seconds']:.0f} s, sent "
        f"{_times(figures['tries'])}, and one attacker on {CONNECTIONS} connections, at the "
        f"template's throttles; in time is within {figures['in time']:g} s of the first try. The "
        f"limit for each address is {figures['per address']} requests in a minute, counted at "
        "once; AWS WAF takes some seconds to notice. All of it shares this machine's cores; AWS "
        "has others for each request."
    )
    heads = ("attacked", "in time, %", "p99, ms", "visitor's statuses", "attacker's statuses")
    return note + "\n\n" + table(heads, rows)


def _times(tries: int) -> str:
    return "once" if tries == 1 else f"up to {tries} times, at the website's intervals"


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
