"""What users make of each answer, in load test and attack."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from benchmarks import attack
from benchmarks.load import Tally, ask

Respond = Callable[[httpx.Request], httpx.Response]


def ask_once(respond: Respond) -> tuple[float, Tally]:
    async def run() -> tuple[float, Tally]:
        tally = Tally()
        transport = httpx.MockTransport(respond)
        async with httpx.AsyncClient(transport=transport, base_url="http://film") as client:
            return await ask(client, "Fine.", tally), tally

    return asyncio.run(run())


def fail(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("too late")


def test_an_answer_is_counted_and_the_user_asks_again_at_once() -> None:
    pause, tally = ask_once(lambda request: httpx.Response(200))
    assert (pause, len(tally.answered), tally.errors) == (0, 1, {})


def test_a_user_who_is_told_when_to_come_again_waits_so_long() -> None:
    pause, tally = ask_once(lambda request: httpx.Response(503, headers={"Retry-After": "2"}))
    assert (pause, len(tally.refused), tally.errors) == (2, 1, {})


@pytest.mark.parametrize(
    ("respond", "error"),
    [
        (lambda request: httpx.Response(503), "503"),
        (lambda request: httpx.Response(500), "500"),
        (fail, "ReadTimeout"),
    ],
    ids=["no Retry-After", "500", "time-out"],
)
def test_anything_else_is_an_error(respond: Respond, error: str) -> None:
    _, tally = ask_once(respond)
    assert tally.errors == {error: 1}
    assert not tally.answered + tally.refused


@pytest.mark.parametrize(
    ("refusals", "waits", "answered"),
    [
        ([], [], True),
        ([429, 429, 429, 503, 429], [1, 2, 2, 3.75, 2], True),
        ([429] * 12, [1, *[2] * 10], False),
        ([500], [], False),
    ],
    ids=["answered", "refused for a while", "refused for good", "failed"],
)
def test_an_attackers_victim_asks_again_as_the_website_does(
    refusals: list[int], waits: list[float], answered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    def respond(request: httpx.Request) -> httpx.Response:
        status = left.pop(0) if left else 200
        return httpx.Response(status, headers={"Retry-After": "3"} if status == 503 else {})

    async def visit() -> float | None:
        transport = httpx.MockTransport(respond)
        async with httpx.AsyncClient(transport=transport, base_url="http://film") as client:
            return await attack.ask(client, "Fine.", statuses)

    monkeypatch.setattr("benchmarks.attack.asyncio.sleep", sleep)
    monkeypatch.setattr("random.random", lambda: 1.0)
    left, statuses = list(refusals), Counter[str]()
    assert (asyncio.run(visit()) is not None) == answered
    assert slept == waits
    assert statuses == Counter(map(str, [*refusals, *[200] * answered]))


def test_figures_without_an_answer_have_no_times() -> None:
    figures = Tally(refused=[0.01]).figures(512, 2)
    assert figures["answers a second"] == 0
    assert figures["answer p99"] is None
    assert figures["refusal p99"] == 10
