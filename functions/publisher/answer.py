"""The answer to CloudFormation.

Source of the form: AWS CloudFormation User Guide, "Custom resource response objects".
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from faults import AnswerError, log
from request import Envelope

PAUSES = (1, 2, 4, 8, 16)
"""Seconds after each attempt that failed; with the last, CloudFormation cannot be reached."""

_EXPIRED = "HTTP 403"
_ATTEMPT_SECONDS = 5.0
_MAX_REASON = 1000
"""Characters; CloudFormation takes 4,096 bytes in all."""


@dataclass(frozen=True)
class Outcome:
    """What came of the request."""

    reason: str = ""
    """Why it could not be carried out; empty: it was."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What the template can ask for with ``!GetAtt``."""

    @property
    def status(self) -> str:
        """As CloudFormation spells it."""
        return "FAILED" if self.reason else "SUCCESS"


def make_body(envelope: Envelope, outcome: Outcome) -> bytes:
    """Make the answer as CloudFormation reads it, JSON in ASCII."""
    reason = outcome.reason.encode("ascii", "backslashreplace").decode()
    content = {
        "Status": outcome.status,
        "PhysicalResourceId": envelope.physical_id,
        "StackId": envelope.stack_id,
        "RequestId": envelope.request_id,
        "LogicalResourceId": envelope.logical_id,
        "Data": dict(outcome.attributes),
        # One of them is a secret: CloudFormation shows none.
        "NoEcho": True,
    }
    if reason:
        content["Reason"] = reason[:_MAX_REASON]
    return json.dumps(content).encode()


def send_answer(url: str, body: bytes, seconds_left: Callable[[], float]) -> None:
    """Put the answer where CloudFormation waits for it, in several attempts if need be.

    Raises:
        AnswerError: it was not taken; it is worth carrying the request out once more.
    """
    for pause in (*PAUSES, None):
        problem = _put(url, body, min(_ATTEMPT_SECONDS, seconds_left()))
        if problem is None:
            return
        if problem == _EXPIRED:
            # CloudFormation has given up. To publish once more now could undo its rollback.
            log("ERROR", "CloudFormation waits no longer for the answer", problem=problem)
            return
        log("WARNING", "the answer was not taken", problem=problem)
        if pause is None or pause >= seconds_left():
            raise AnswerError(f"CloudFormation did not take the answer: {problem}")
        time.sleep(pause)


def _put(url: str, body: bytes, timeout: float) -> str | None:
    """What went wrong, in words that cannot hold the URL; ``timeout`` in seconds."""
    # The signature covers an empty content type; urllib would send one of its own.
    headers = {"Content-Type": ""}
    try:
        request = Request(url, body, headers, method="PUT")
        # Another address than CloudFormation's, by https, is no answer address to stack.py.
        with urlopen(request, timeout=timeout):  # nosec B310
            return None
    except HTTPError as error:
        error.close()
        return f"HTTP {error.code}"
    except URLError as error:
        reason = error.reason
        return type(reason).__name__ if isinstance(reason, Exception) else type(error).__name__
    except (OSError, HTTPException, ValueError) as error:
        return type(error).__name__
