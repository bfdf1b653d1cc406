"""A deadline strikes through whatever waits, and leaves the process as it was."""

from __future__ import annotations

import signal
import socket
import threading
import time

import pytest

from deadline import DeadlineError, limit_time


def test_a_read_that_waits_for_the_network_is_interrupted() -> None:
    started = time.monotonic()
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(DeadlineError), limit_time(0.1):
        ours.recv(1)
    assert time.monotonic() - started < 3


def test_work_that_ends_by_itself_leaves_no_alarm_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with limit_time(0.05):
        pass
    time.sleep(0.1)
    assert signal.getsignal(signal.SIGALRM) is before


def test_another_thread_keeps_working_without_a_deadline() -> None:
    done = []

    def work() -> None:
        with limit_time(0.01):
            time.sleep(0.05)
        done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
