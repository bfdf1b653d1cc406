"""An end to a call that takes too long, however many bytes keep its socket busy.

The publisher's build copies this file, so it needs no other.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class DeadlineError(BaseException):
    """The time is up.

    Not an ``Exception``, because botocore takes those for failed connections, and may try again.
    Whoever sets a deadline catches it.
    """


@contextmanager
def limit_time(seconds: float) -> Iterator[None]:
    """Let what is inside run for that long, or not begin where that is nothing.

    An alarm signal, which interrupts even a read that waits for the network; no thread, no socket
    of our own. Signals reach the main thread only, where Lambda calls handlers; in another one
    the sockets' own time-outs are what is left.

    Raises:
        DeadlineError: it did not end by itself.
    """
    if seconds <= 0:
        raise DeadlineError
    if threading.current_thread() is not threading.main_thread():
        yield
        return
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
    raise DeadlineError
