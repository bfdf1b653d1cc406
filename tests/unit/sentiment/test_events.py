"""Whatever brings a request, the answer is the same, in the form that it takes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

import app
from tests.invocations import (
    make_balancer_event,
    make_context,
    make_event,
    make_rest_event,
    make_several_times_event,
)
from tests.unit.sentiment.conftest import Api

ONE = "/api/sentiment"
SENDERS = [make_event, make_rest_event, make_balancer_event, make_several_times_event]
Sender = Callable[..., dict[str, Any]]


def ask(make: Sender, method: str = "POST", path: str = ONE, **changes: Any) -> Any:
    """The function's result, its headers as if each came once."""
    headers = {"Content-Type": "application/json"}
    event = make(method, path, **({"headers": headers, "body": '{"review": "film"}'} | changes))
    result = app.handler(event, make_context())
    if make is make_several_times_event:
        several = result.pop("multiValueHeaders")
        assert all(len(values) == 1 for values in several.values())
        result["headers"] = {name: values[0] for name, values in several.items()}
    return result


@pytest.mark.parametrize("make", SENDERS)
def test_a_review_is_answered(api: Api, make: Sender) -> None:
    result = ask(make)
    assert result == ask(make_event)
    assert (result["statusCode"], result["isBase64Encoded"]) == (200, False)
    assert result["headers"] == {"Content-Type": "application/json", "Cache-Control": "no-store"}
    assert json.loads(result["body"])["model"] == "modern-0123456789ab"


@pytest.mark.parametrize("make", SENDERS)
def test_base64_and_plain_text_are_read(api: Api, make: Sender) -> None:
    body = base64.b64encode("café".encode("latin-1")).decode()
    headers = {"content-type": "text/plain; charset=latin1"}
    result = ask(make, body=body, isBase64Encoded=True, headers=headers)
    assert (result["statusCode"], result["body"] in ("0", "1")) == (200, True)


@pytest.mark.parametrize("make", SENDERS)
def test_a_problem_names_the_request(api: Api, make: Sender) -> None:
    result = ask(make, "GET", "/api/nothing", headers={}, body=None)
    problem = json.loads(result["body"])
    assert (result["statusCode"], problem["type"]) == (404, "/problems/not-found")
    context = make("GET", "/")["requestContext"]
    assert problem["requestId"] == context.get("requestId", "9f9f4a4e-0000-4000-8000-000000000000")


@pytest.mark.parametrize("make", SENDERS)
def test_a_body_may_be_missing(api: Api, make: Sender) -> None:
    assert ask(make, body=None)["statusCode"] == 400
    assert ask(make, "GET", "/api/model", body=None)["statusCode"] == 200


def test_of_a_header_that_comes_several_times_the_last_one_counts(api: Api) -> None:
    event = make_several_times_event("POST", ONE, body="film", headers={})
    event["multiValueHeaders"] = {"Content-Type": ["application/json", "text/plain"], "x": []}
    assert app.handler(event, make_context())["statusCode"] == 200
