"""Handlers that behave in all the ways that a function can."""

import json
import os
import sys
import time
from typing import Any

Event = dict[str, Any]


def greet(event: Event, context: Any) -> dict[str, Any]:
    return {"statusCode": 200, "body": f"hello {event.get('body', '')}"}


def tell_process(event: Event, context: Any) -> int:
    time.sleep(0.2)
    return os.getpid()


def tell_environment(event: Event, context: Any) -> dict[str, Any]:
    return {"variables": dict(os.environ), "folder": os.getcwd(), "path": sys.path}


def tell_context(event: Event, context: Any) -> dict[str, Any]:
    return {
        "request": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "milliseconds": context.get_remaining_time_in_millis(),
    }


def echo_event(event: Event, context: Any) -> Event:
    return event


def misbehave(event: Event, context: Any) -> Any:
    """Do what the body says."""
    body = event.get("body", "")
    if body == "raise":
        raise RuntimeError("on purpose")
    if body == "die":
        os._exit(3)
    if body == "sleep":
        time.sleep(60)
    if body == "print":
        print("a line of log")
        print(json.dumps({"result": "not the answer"}))
    if body == "talk":
        return {"statusCode": 200, "body": "a" * 7_000_000}
    if body == "nonsense":
        return {"statusCode": "many"}
    if body == "unserialisable":
        return {"statusCode": 200, "body": b"bytes"}
    return {"statusCode": 200, "body": str(os.getpid())}
