"""make bench-check: what holds, what is measured again, what fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks import check
from benchmarks.check import GROUPS, LIMITS, Limit, Ratios
from benchmarks.results import BenchmarkError

FAST = Limit("speed", "text", 10, False, "so")
SHORT = Limit("tail", "answers", 2, True, "so")


def series(name: str, *values: float) -> Callable[[], Ratios]:
    """A measurement that gives one value after the other."""
    left = iter(values)
    return lambda: {name: next(left)}


def run(speed: list[float], tail: list[float]) -> tuple[Ratios, list[str]]:
    measures = {"text": series("speed", *speed), "answers": series("tail", *tail)}
    ratios, slow = check.check(measures, [FAST, SHORT])
    return ratios, [limit.name for limit in slow]


def test_what_holds_is_measured_once() -> None:
    assert run([10], [2]) == ({"speed": 10, "tail": 2}, [])


def test_what_misses_once_is_measured_again_and_the_better_value_counts() -> None:
    assert run([9, 11], [3, 1.5]) == ({"speed": 11, "tail": 1.5}, [])


def test_what_misses_twice_fails() -> None:
    assert run([9, 8], [1]) == ({"speed": 9, "tail": 1}, ["speed"])
    assert run([20], [2.5, 3]) == ({"speed": 20, "tail": 2.5}, ["tail"])


def test_a_limit_of_nothing_measured_is_an_error() -> None:
    with pytest.raises(BenchmarkError, match="nothing measures tail"):
        check.check({"text": series("speed", 99)}, [FAST, SHORT])


def test_every_limit_has_its_group_and_says_why_it_is_there() -> None:
    assert {limit.group for limit in LIMITS} == set(GROUPS)
    assert all(limit.reason for limit in LIMITS)


def test_the_command_prints_each_limit_and_fails_with_the_names_of_the_missed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {limit.name: limit.bound for limit in LIMITS} | {LIMITS[0].name: 1.0}

    def measure(group: str) -> check.Measure:
        names = [limit.name for limit in LIMITS if limit.group == group]
        return lambda source, sizes: {name: values[name] for name in names}

    monkeypatch.setattr(check, "GROUPS", {group: measure(group) for group in GROUPS})
    with pytest.raises(BenchmarkError) as failure:
        check.main([])
    assert str(failure.value) == f"slower than it may be: {LIMITS[0].name}"
    printed = capsys.readouterr().out
    assert printed.count("| yes |") == len(LIMITS) - 1
    assert printed.count("| NO |") == 1
