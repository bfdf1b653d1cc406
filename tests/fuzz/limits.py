"""How long a search and each of its inputs may take.

In processor time, which other programs do not use up. libFuzzer itself knows the time of day only.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import wraps

SECONDS = "REELTONE_FUZZ_SECONDS"
"""The environment variable that says how much time a search has."""
SLOW_SECONDS = 10
"""An input that takes longer breaks a rule."""

Target = Callable[[bytes], None]


def limit_search() -> None:
    """End a search when its time is used up."""
    if seconds := os.environ.get(SECONDS):
        signal.signal(signal.SIGPROF, _end)
        signal.setitimer(signal.ITIMER_PROF, float(seconds))


def limit_inputs(target: Target) -> Target:
    """A target that fails where an input takes too long."""

    @wraps(target)
    def limited(data: bytes) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, SLOW_SECONDS)
        try:
            target(data)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    signal.signal(signal.SIGVTALRM, _fail)
    return limited


def _end(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGUSR1)  # libFuzzer then ends in order, and says what it did


def _fail(*_: object) -> None:
    raise AssertionError(f"the input takes more than {SLOW_SECONDS} s of processor time")
