"""Fair times on a machine that others use too: both sides in turn, medians, one core. Memory of a
process, where the system has /proc to ask (Linux)."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

Clock = Callable[[], float]


def take_turns(
    tasks: Mapping[str, Callable[[], object]], rounds: int, clock: Clock = time.process_time
) -> dict[str, list[float]]:
    """Measure seconds of each task [rounds]; they take turns, so that what slows the machine slows
    all.

    The default clock counts this process's own processor time: others do not count.
    """
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            started = clock()
            task()
            seconds[name].append(clock() - started)
    return seconds


def children_seconds() -> float:
    """Give processor time of the processes that this one has started and seen end: a clock for
    starts, to which it makes no difference what else the machine does."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def quantile(values: Sequence[float], share: float) -> float:
    """Give the value that ``share`` of the values are below; between two, on the line between
    them."""
    return float(np.quantile(values, share))


def median(values: Sequence[float]) -> float:
    """Give the middle one."""
    return quantile(values, 0.5)


@contextmanager
def one_core() -> Iterator[None]:
    """Everything that runs or starts in the block shares one core, where the system allows it."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def resident_megabytes(pid: int) -> float | None:
    """Give memory that a process has in RAM; none where there is no /proc to ask."""
    path = Path(f"/proc/{pid}/status")
    if not path.exists():
        return None
    return int(path.read_text().split("VmRSS:")[1].split()[0]) / 1024
