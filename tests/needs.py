"""What a test needs that a machine may lack."""

from __future__ import annotations

import os

import pytest


def need(condition: bool, reason: str) -> None:
    """Skip the test for that reason unless the condition holds.

    With REELTONE_REQUIRE_ALL=1 the test fails instead.
    """
    if condition:
        return
    if os.environ.get("REELTONE_REQUIRE_ALL") == "1":
        pytest.fail(f"REELTONE_REQUIRE_ALL=1, but {reason}", pytrace=False)
    pytest.skip(reason)
