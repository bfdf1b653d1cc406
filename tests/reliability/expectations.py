"""How long the tests let the function wait, and what they note of a request's end."""

from __future__ import annotations

from dataclasses import dataclass

SECONDS = {"connect": 1.0, "read": 1.0, "handler": 1.5}
"""Of the endpoint's client, and of all of a handler's work: hangs end soon; production's limits are
a test of their own."""
SECONDS_BETWEEN_PROCESSES = {"connect": 2.0, "read": 2.0, "handler": 3.0}
"""The same for the whole stack, whose processes may have to wait for a core."""


@dataclass(frozen=True)
class Outcome:
    """What a caller saw."""

    status: int
    problem: str
    """After /problems/."""
    retry_after: str | None
    seconds: float
