"""The function's own handler, in its own process, with the time limits of the tests."""

import json
import os
from types import SimpleNamespace
from typing import Any

import endpoint

# Before the handler is imported, which connects to the endpoint.
_limits = json.loads(os.environ["TEST_LIMITS"])
endpoint.CONNECT_SECONDS, endpoint.READ_SECONDS = _limits["connect"], _limits["read"]

from app import ANSWER_SECONDS  # noqa: E402
from app import handler as unhurried  # noqa: E402


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an event as if less time was left."""
    left = round((_limits["handler"] + ANSWER_SECONDS) * 1000)
    names = ("function_name", "memory_limit_in_mb", "invoked_function_arn", "aws_request_id")
    known = {name: getattr(context, name) for name in names}
    hurried: Any = SimpleNamespace(**known, get_remaining_time_in_millis=lambda: left)
    result: dict[str, Any] = unhurried(event, hurried)
    return result
