"""A short soak, and that a soak notices what it is there for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.reliability.faulty_runtime import FAULTS, Outcome
from tests.reliability.soak import (
    MAX_GROWTH_MB,
    MAX_MORE_FILES,
    MAX_SECONDS,
    REFUSED,
    Report,
    Usage,
    make_plan,
    soak,
)


def test_some_hundred_requests_end_as_their_faults_say_and_leave_nothing(tmp_path: Path) -> None:
    report = soak(400, seed=7, log=tmp_path / "log", rounds=3)
    shown = "\n".join(report.lines())
    assert report.requests >= 400
    assert set(report.seconds) == {*FAULTS, REFUSED}
    assert len(report.after) == 5, shown
    assert not report.wrong, shown
    assert not report.growth(), shown


def test_a_plan_has_each_fault_and_its_size_and_depends_on_the_seed_alone() -> None:
    plan = make_plan(1_000, seed=3)
    assert set(plan) == set(FAULTS)
    assert 2 * len(plan) - plan.count("none") in (1_000, 1_001)
    assert plan == make_plan(1_000, seed=3) != make_plan(1_000, seed=4)


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("none", Outcome(503, "model-busy", "2", 0.1)),
        ("throttle", Outcome(503, "model-waking", "10", 0.1)),
        ("throttle", Outcome(503, "model-busy", None, 0.1)),
        ("failure", Outcome(502, "model-failed", "2", 0.1)),
        ("none", Outcome(200, "", None, MAX_SECONDS + 1)),
    ],
)
def test_another_end_than_the_faults_is_wrong(fault: str, seen: Outcome) -> None:
    report = Report(1)
    report.note("none", Outcome(200, "", None, 0.1))
    report.note("throttle", Outcome(503, "model-busy", "2", 0.1))
    assert not report.wrong
    report.note(fault, seen)
    assert report.wrong.total() == 1
    assert "WRONG" in "".join(report.lines())


@pytest.mark.parametrize(
    "more",
    [
        {"pid": 2},
        {"megabytes": 51 + MAX_GROWTH_MB},
        {"files": 6 + MAX_MORE_FILES},
        {"threads": 2},
    ],
)
def test_what_has_grown_is_named(more: dict[str, int]) -> None:
    usage = Usage(pid=1, megabytes=50, files=5, threads=1)
    assert not Report(1, before=[usage], after=[usage]).growth()
    assert Report(1, before=[usage], after=[replace(usage, **more)]).growth()
