"""Functions in worker processes, with what Lambda promises."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from local_stack.functions import (
    BOOTSTRAP,
    BusyError,
    FunctionError,
    FunctionPool,
    override_environment,
)
from local_stack.template import FunctionDefinition

T = TypeVar("T")

HANDLERS = Path(__file__).parent / "handlers"


def define(handler: str) -> FunctionDefinition:
    return FunctionDefinition(
        name="SampleFunction",
        handler=f"samples.{handler}",
        folders=(HANDLERS,),
        environment={"TOWN": "Oslo"},
        timeout=20,
        memory=128,
    )


def with_pool(
    function: FunctionDefinition, use: Callable[[FunctionPool], Awaitable[T]], capacity: int = 1
) -> T:
    async def run() -> T:
        pool = FunctionPool(function, capacity)
        try:
            return await use(pool)
        finally:
            await pool.close()

    return asyncio.run(run())


def invoke(function: FunctionDefinition, event: dict[str, Any]) -> Any:
    return with_pool(function, lambda pool: pool.invoke(event, "request-1"))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_handlers_result_comes_back() -> None:
    assert invoke(define("greet"), {"body": "you"})["body"] == "hello you"


def test_any_text_survives_the_way() -> None:
    event = {"body": "\ud800 \x00 \u2028 \u202e שלום 🎬 \r\n"}
    assert invoke(define("echo_event"), event) == event


def test_an_event_of_megabytes_survives_the_way() -> None:
    event = {"body": "é" * 2_500_000}
    assert invoke(define("echo_event"), event) == event


def test_the_function_sees_its_variables_and_nothing_of_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("SECRET", "of the host")
    seen = invoke(define("tell_environment"), {})
    variables = seen["variables"]
    assert variables["TOWN"] == "Oslo"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "SampleFunction"
    assert variables["AWS_ACCESS_KEY_ID"] == "local"
    assert not {"AWS_PROFILE", "SECRET"} & set(variables)


def test_the_function_imports_from_its_own_folders_only() -> None:
    seen = invoke(define("tell_environment"), {})
    assert seen["folder"] == str(HANDLERS)
    assert str(HANDLERS) in seen["path"]
    assert not [entry for entry in seen["path"] if entry.endswith("local_stack")]


def test_the_context_knows_the_request_and_the_time_left() -> None:
    context = invoke(define("tell_context"), {})
    assert context["request"] == "request-1"
    assert context["arn"].endswith(":function:SampleFunction")
    assert context["memory"] == "128"
    assert 19_000 < context["milliseconds"] <= 20_000


def test_what_the_handler_prints_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    assert invoke(define("misbehave"), {"body": "print"})["statusCode"] == 200
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "a line of log" in captured.err


def test_events_that_come_together_go_to_different_processes() -> None:
    async def use(pool: FunctionPool) -> list[int]:
        return list(await asyncio.gather(*(pool.invoke({}, "r") for _ in range(3))))

    assert len(set(with_pool(define("tell_process"), use, capacity=3))) == 3


def test_past_the_capacity_events_wait_for_a_free_process() -> None:
    async def use(pool: FunctionPool) -> list[int]:
        return list(await asyncio.gather(*(pool.invoke({}, "r") for _ in range(3))))

    assert len(set(with_pool(define("tell_process"), use, capacity=1))) == 1


def test_where_events_wait_long_another_is_turned_away_at_once() -> None:
    async def use(pool: FunctionPool) -> list[Any]:
        events = [asyncio.create_task(pool.invoke({"body": "sleep"}, "r")) for _ in range(2)]
        await asyncio.sleep(0.3)
        with pytest.raises(BusyError, match="1 events wait"):
            await pool.invoke({}, "r")
        return await asyncio.gather(*events, return_exceptions=True)

    async def run() -> list[Any]:
        pool = FunctionPool(replace(define("misbehave"), timeout=1), 1, most_wait=0.2)
        try:
            return await use(pool)
        finally:
            await pool.close()

    # Those that were taken are seen to: here each to its own time-out.
    assert [str(error) for error in asyncio.run(run())] == ["timed out after 1 s"] * 2


def test_a_warm_process_is_used_again_before_another_starts() -> None:
    async def use(pool: FunctionPool) -> list[int]:
        return [await pool.invoke({}, "r") for _ in range(3)]

    assert len(set(with_pool(define("tell_process"), use, capacity=3))) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise", "raised RuntimeError"),
        ("unserialisable", "raised TypeError"),
        ("die", "ended with code 3"),
        ("sleep", "timed out after 1 s"),
        ("talk", "answered 7,000,031 bytes; Lambda passes on 6,291,456"),
    ],
)
def test_after_a_failure_the_next_event_is_answered(body: str, reason: str) -> None:
    async def use(pool: FunctionPool) -> Any:
        with pytest.raises(FunctionError, match=reason):
            await pool.invoke({"body": body}, "r")
        return await pool.invoke({}, "r")

    function = replace(define("misbehave"), timeout=1)
    assert with_pool(function, use)["statusCode"] == 200


def test_a_process_that_died_idle_is_replaced() -> None:
    async def use(pool: FunctionPool) -> bool:
        first = int((await pool.invoke({}, "r"))["body"])
        os.kill(first, 9)
        while is_alive(first):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        return int((await pool.invoke({}, "r"))["body"]) != first

    assert with_pool(define("misbehave"), use)


def test_an_answer_that_nobody_waits_for_is_not_the_next_ones() -> None:
    async def use(pool: FunctionPool) -> Any:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await pool.invoke({"body": "sleep"}, "r")
        return await pool.invoke({"body": "print"}, "r")

    assert with_pool(define("misbehave"), use)["body"].isdigit()


def test_a_handler_that_cannot_be_imported_fails_the_event() -> None:
    with pytest.raises(FunctionError, match="ended with code 1"):
        invoke(replace(define("greet"), handler="nowhere.handler"), {})


def test_closing_ends_the_processes_and_fails_what_is_under_way() -> None:
    async def use(pool: FunctionPool) -> int:
        pid = int((await pool.invoke({}, "r"))["body"])
        under_way = asyncio.create_task(pool.invoke({"body": "sleep"}, "r"))
        await asyncio.sleep(0.1)
        await pool.close()
        with pytest.raises(FunctionError):
            await under_way
        with pytest.raises(FunctionError, match="ending"):
            await pool.invoke({}, "r")
        return pid

    assert not is_alive(with_pool(define("misbehave"), use))


def test_the_end_of_the_input_ends_the_process() -> None:
    environment = {
        "PYTHONPATH": str(HANDLERS),
        "AWS_LAMBDA_FUNCTION_NAME": "SampleFunction",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    }
    command = [sys.executable, str(BOOTSTRAP), "samples.greet"]
    line = '{"event": {"body": "you"}, "requestId": "r", "timeout": 1}\n'
    ended = subprocess.run(
        command, input=line, env=environment, capture_output=True, text=True, timeout=20
    )
    assert ended.returncode == 0
    imported, answer = map(json.loads, ended.stdout.splitlines())
    assert imported == {}
    assert answer["result"]["body"] == "hello you"


def test_only_declared_variables_can_be_overridden() -> None:
    function = define("greet")
    assert override_environment(function, {"TOWN": "Rome"}).environment == {"TOWN": "Rome"}
    with pytest.raises(KeyError, match="declares no VILLAGE"):
        override_environment(function, {"VILLAGE": "X"})
