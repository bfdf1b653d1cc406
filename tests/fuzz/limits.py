"""How long a search goes on."""

from __future__ import annotations

import os
import signal

SECONDS = "REELTONE_FUZZ_SECONDS"
"""The environment variable that says how much processor time a search has."""


def limit_processor_time() -> None:
    """End a search when its time is used up; libFuzzer itself knows the time of day only."""
    if seconds := os.environ.get(SECONDS):
        signal.signal(signal.SIGPROF, _end)
        signal.setitimer(signal.ITIMER_PROF, float(seconds))


def _end(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGUSR1)  # libFuzzer then ends in order, and says what it did
