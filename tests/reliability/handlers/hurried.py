"""The function's own handler, in its own process, with the time limits of the tests."""

import json
import os
from functools import partial

import endpoint

# Before the handler is imported, which connects to the endpoint.
_limits = json.loads(os.environ["TEST_LIMITS"])
endpoint.TimeLimits = partial(endpoint.TimeLimits, **_limits)  # type: ignore[misc, assignment]

from app import handler as handler  # noqa: E402
