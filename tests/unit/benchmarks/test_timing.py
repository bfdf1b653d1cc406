"""Both sides in turn, one core for all, and processes that end with what they were started for."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import IO

import pytest

from benchmarks import chain
from benchmarks.chain import python
from benchmarks.results import BenchmarkError
from benchmarks.timing import (
    children_seconds,
    median,
    one_core,
    quantile,
    resident_megabytes,
    take_turns,
)
from tests.needs import need


def test_tasks_take_turns_and_each_gets_its_own_times() -> None:
    order: list[str] = []
    now = iter([0, 1, 1, 3, 3, 4, 4, 6])  # a starts, a ends, b starts, b ends, and again

    def task(name: str) -> Callable[[], object]:
        return lambda: order.append(name)

    seconds = take_turns({"a": task("a"), "b": task("b")}, 2, lambda: next(now))
    assert order == ["a", "b", "a", "b"]
    assert seconds == {"a": [1, 1], "b": [2, 2]}


@pytest.mark.parametrize(("share", "value"), [(0, 1), (0.5, 3), (0.75, 4), (1, 5)])
def test_a_quantile_lies_between_the_values(share: float, value: float) -> None:
    assert quantile([5, 1, 4, 2, 3], share) == value
    assert median([1, 2]) == 1.5


def test_what_starts_on_one_core_sees_one_and_later_all_again() -> None:
    need(hasattr(os, "sched_getaffinity"), "this system binds no process to a core")
    before = os.sched_getaffinity(0)
    program = "import os; print(len(os.sched_getaffinity(0)))"
    with one_core():
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout == "1\n"
    assert os.sched_getaffinity(0) == before


@pytest.mark.slow
def test_the_clock_of_children_counts_their_work_and_not_their_waiting() -> None:
    def run(program: str) -> None:
        subprocess.run([sys.executable, "-c", program], check=True)

    tasks = {
        "work": lambda: run("import time\nwhile time.process_time() < 0.5: pass"),
        "wait": lambda: run("import time; time.sleep(0.5)"),
    }
    [work], [wait] = take_turns(tasks, 1, children_seconds).values()
    assert wait < 0.4 <= work


def test_memory_is_that_of_the_process_alone() -> None:
    need(os.path.isdir("/proc/self"), "this system has no /proc")
    # A child of this process, which is large; a figure that were inherited would be too.
    command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        resident = resident_megabytes(child.pid)
        child.kill()
    assert resident is not None
    assert 1 < resident < 30


def test_a_stack_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def fail(
        arguments: Sequence[str], log: IO[bytes] | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        with python(("-c", "import sys; sys.exit('port 80 is taken')"), log) as process:
            yield process

    monkeypatch.setattr(chain, "python", fail)
    with (
        pytest.raises(BenchmarkError, match="the local stack did not start: port 80 is taken"),
        chain.local_stack(),
    ):
        pass


def test_a_process_of_python_ends_with_the_block() -> None:
    with python(("-c", "import time; print('up', flush=True); time.sleep(600)")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
    assert process.returncode is not None
