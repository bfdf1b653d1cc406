"""Events and contexts as Lambda gives them to the handler, from whatever invokes it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

REQUEST_ID = "9f9f4a4e-0000-4000-8000-000000000000"
"""Lambda's own, of the invocation."""


def make_context(milliseconds: int = 29_000, request_id: str = REQUEST_ID) -> Any:
    """Make the context of an invocation that has so many ``milliseconds`` left."""
    return SimpleNamespace(
        function_name="sentiment",
        memory_limit_in_mb="256",
        invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:sentiment",
        aws_request_id=request_id,
        get_remaining_time_in_millis=lambda: milliseconds,
    )


def make_event(method: str, path: str, **changes: Any) -> dict[str, Any]:
    """Make an event of an HTTP API or a Function URL: payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "abc.execute-api.eu-west-1.amazonaws.com"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1"},
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    } | changes


def make_rest_event(method: str, path: str, **changes: Any) -> dict[str, Any]:
    """Make an event of a REST API, or of an HTTP API with payload format 1.0."""
    headers = changes.pop("headers", {"Host": "abc.execute-api.eu-west-1.amazonaws.com"})
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc",
            "httpMethod": method,
            "path": f"/live{path}",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "resourcePath": "/{proxy+}",
            "stage": "live",
        },
        "body": None,
        "isBase64Encoded": False,
    } | changes


def make_balancer_event(method: str, path: str, **changes: Any) -> dict[str, Any]:
    """Make an event of an Application Load Balancer."""
    target = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/film/6d0ecf831eec9f09"
    return {
        "requestContext": {"elb": {"targetGroupArn": target}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": {},
        "headers": {"host": "film-123.eu-west-1.elb.amazonaws.com"},
        "body": "",
        "isBase64Encoded": False,
    } | changes


def make_several_times_event(method: str, path: str, **changes: Any) -> dict[str, Any]:
    """Make an event of a load balancer whose target group has multi-value headers."""
    event = make_balancer_event(method, path, **changes)
    event["multiValueQueryStringParameters"] = event.pop("queryStringParameters")
    headers = event.pop("headers")
    return event | {"multiValueHeaders": {name: [value] for name, value in headers.items()}}
