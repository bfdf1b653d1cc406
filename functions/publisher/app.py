"""A custom resource of CloudFormation: publishes website and model with the stack.

Properties: ModelName; Serving, MinInstances and MaxInstances, what the
endpoint will be started with; and Release, any text that changes when the package does, because
CloudFormation sends an Update only for a changed property. Attributes: ModelDataUrl, SiteVersion,
ServingVersion, 16 hex digits that change with the model or with Serving, OriginSecret, by which the
function knows CloudFront, and OriginVersion, 8 hex digits that change with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from answer import Outcome, make_body, send_answer
from buckets import connect
from deadline import DeadlineError, limit_time
from faults import PublisherError, find_places, log
from publish import clear_up, publish
from request import Envelope, read_envelope, read_publication, read_request_type
from stack import Stack, check_request, is_answer_address, read_stack

PACKAGE = Path(__file__).parent
"""Where site/ and models/ are."""

ANSWER_SECONDS = 30
"""Kept back from the function's time, for an answer that is not taken at once. The function's
time-out must be well over it."""


class Context(Protocol):
    """The part of Lambda's context that is used here."""

    def get_remaining_time_in_millis(self) -> int:
        """Until Lambda ends this process."""


def handler(event: Any, context: Context) -> None:
    """Carry out one request of CloudFormation and answer it, whatever comes.

    Raises:
        AnswerError: CloudFormation did not take the answer; Lambda sends the event again.
    """
    envelope = read_envelope(event)
    fields = {
        "request_type": envelope.request_type,
        "stack": envelope.stack_id,
        "request": envelope.request_id,
    }
    stack = read_stack(os.environ)
    if not is_answer_address(envelope.response_url, stack.region):
        # CloudFormation does not wait, so nothing is touched and nobody is told.
        log("ERROR", "ResponseURL is no address of CloudFormation's", **fields)
        return

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    log("INFO", "request", **fields)
    outcome = carry_out(event, envelope, stack, seconds_left)
    level = "ERROR" if outcome.reason else "INFO"
    log(level, "outcome", status=outcome.status, reason=outcome.reason, **fields)
    send_answer(envelope.response_url, make_body(envelope, outcome), seconds_left)


def carry_out(
    event: Mapping[str, Any], envelope: Envelope, stack: Stack, seconds_left: Callable[[], float]
) -> Outcome:
    """Answer any event: everything that goes wrong becomes an outcome."""
    try:
        with limit_time(seconds_left() - ANSWER_SECONDS):
            return Outcome(attributes=fulfil(event, envelope, stack))
    except PublisherError as error:
        return Outcome(str(error))
    except DeadlineError:  # what is left of the function's time is needed for the answer
        return Outcome("the function's time is up; repeat the deployment to go on from here")
    except Exception as error:
        name = type(error).__name__
        log("ERROR", "unexpected error", error=name, places=find_places(error))
        return Outcome(f"unexpected {name}; see the publisher's log")


def fulfil(event: Mapping[str, Any], envelope: Envelope, stack: Stack) -> dict[str, str]:
    """Do what the event asks for; gives the resource's attributes.

    Raises:
        PublisherError: it cannot be done.
    """
    request_type = read_request_type(event)
    check_request(stack, envelope.stack_id, request_type)
    if request_type == "Delete":
        clear_up(stack, connect())
        return {}
    return publish(read_publication(event), stack, PACKAGE, connect())
