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


def test_nothing_is_begun_without_time() -> None:
    with pytest.raises(DeadlineError), limit_time(0):
        pytest.fail("was begun")


def test_code_that_takes_errors_for_its_own_does_not_swallow_it() -> None:
    with pytest.raises(DeadlineError), limit_time(0.1):
        try:
            time.sleep(10)
        except Exception:
            time.sleep(10)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_destructor_that_swallows_it_gains_a_second() -> None:
    class Lingering:
        def __del__(self) -> None:
            time.sleep(0.3)

    started = time.monotonic()
    with pytest.raises(DeadlineError), limit_time(0.1):
        Lingering()
        time.sleep(10)
    assert 1 < time.monotonic() - started < 5


def test_alarms_of_others_stay_as_they_were() -> None:
    handler = signal.getsignal(signal.SIGALRM)
    timer = signal.setitimer(signal.ITIMER_REAL, 200)
    try:
        with limit_time(5):
            pass
        assert 190 < signal.getitimer(signal.ITIMER_REAL)[0] <= 200
        assert signal.getsignal(signal.SIGALRM) is handler
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)


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
