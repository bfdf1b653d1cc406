"""An end to work that takes too long, even to a call that waits for the network."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from faults import OutOfTimeError


@contextmanager
def limit_time(seconds: float) -> Iterator[None]:
    """Let what is inside run for that long; only in the main thread, where Lambda calls handlers.

    Raises:
        OutOfTimeError: it did not end by itself.
    """
    if seconds <= 0:
        raise OutOfTimeError
    previous = signal.signal(signal.SIGALRM, _stop)
    # Again each second: Python drops an exception that comes up inside a destructor.
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        # An alarm that rang just now is raised by this call at the latest, so never outside.
        signal.signal(signal.SIGALRM, previous)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise OutOfTimeError
