"""The end that is put to work in time."""

from __future__ import annotations

import signal
import time

import pytest

from faults import OutOfTimeError
from time_limit import limit_time


def test_work_that_ends_by_itself_is_left_alone() -> None:
    with limit_time(0.5):
        pass
    time.sleep(0.6)


def test_work_that_does_not_is_stopped() -> None:
    started = time.monotonic()
    with pytest.raises(OutOfTimeError), limit_time(0.1):
        time.sleep(10)
    assert time.monotonic() - started < 5


def test_nothing_is_begun_without_time() -> None:
    with pytest.raises(OutOfTimeError), limit_time(0):
        pytest.fail("was begun")


def test_code_that_takes_errors_for_its_own_does_not_swallow_it() -> None:
    with pytest.raises(OutOfTimeError), limit_time(0.1):
        try:
            time.sleep(10)
        except Exception:
            time.sleep(10)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_destructor_that_swallows_it_gains_a_second() -> None:
    class Lingering:
        def __del__(self) -> None:
            time.sleep(0.3)

    started = time.monotonic()
    with pytest.raises(OutOfTimeError), limit_time(0.1):
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
