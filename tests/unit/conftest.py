"""What unit tests have in common: they are quick, or say that they are not."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

SECONDS = 1.0
"""A test that takes longer has the mark ``slow``."""
SLOWER = 3.0
"""How many times as long the same work may take on another machine, or beside other programs."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that takes too long: in processor time, which waiting for a core does not add to,
    of this process and of those that it has seen end."""
    started = sum(os.times()[:4])
    result = yield
    seconds = sum(os.times()[:4]) - started
    if seconds > SECONDS * SLOWER and item.get_closest_marker("slow") is None:
        pytest.fail(f"{seconds:.1f} s of processor time: make it quick, or mark it slow")
    return result
