"""What invokes the function, and the form in which each wants its answer.

    HTTP API, Function URL              payload format 2.0
    REST API, HTTP API (format 1.0)     payload format 1.0
    load balancer                       much the same, with the headers once or several times

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any

from errors import UnknownEventError, WrongOriginError


@dataclass(frozen=True)
class Request:
    """An HTTP request, whatever brought it."""

    method: str
    path: str
    stage: str
    """The API's stage, which may or may not be the first part of ``path``; may be empty."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: str
    is_base64: bool
    """Whether ``body`` is the Base64 of what was sent."""


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    media_type: str
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


def read_event(event: object) -> Request:
    """Read the request that an event carries.

    Raises:
        UnknownEventError: it carries none.
    """
    event = _members(event)
    context = _members(event.get("requestContext"))
    if "http" in context:
        method, path = _members(context["http"]).get("method"), event.get("rawPath")
    else:
        method, path = event.get("httpMethod"), event.get("path")
    body = event.get("body") or ""
    if not (isinstance(method, str) and isinstance(path, str) and isinstance(body, str)):
        raise UnknownEventError
    return Request(
        method=method,
        path=path,
        stage=str(context.get("stage") or ""),
        headers=_read_headers(event),
        body=body,
        is_base64=bool(event.get("isBase64Encoded")),
    )


def write_result(response: Response, event: object) -> dict[str, Any]:
    """Shape a response as whatever sent ``event`` takes it from a function."""
    headers = {"Content-Type": response.media_type, "Cache-Control": "no-store", **response.headers}
    result: dict[str, Any] = {
        "statusCode": response.status,
        "headers": headers,
        "body": response.body,
        "isBase64Encoded": False,
    }
    if _has_headers_several_times(event):
        result["multiValueHeaders"] = {
            name: [value] for name, value in result.pop("headers").items()
        }
    return result


def _has_headers_several_times(event: object) -> bool:
    """Whether a load balancer sent the event that takes no headers but in this form."""
    return isinstance(event, dict) and "multiValueHeaders" in event and "headers" not in event


def _members(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnknownEventError
    return value


def _read_headers(event: dict[str, Any]) -> dict[str, str]:
    """The headers; of those that came several times, the last."""
    several = _members(event.get("multiValueHeaders") or {})
    headers = {
        name: values[-1] for name, values in several.items() if isinstance(values, list) and values
    }
    headers |= _members(event.get("headers") or {})
    return {name.lower(): value for name, value in headers.items() if isinstance(value, str)}


HEADER = "x-reeltone-origin"
"""The API's own address is public, and API Gateway cannot close it to everybody but CloudFront. So
CloudFront, behind which are WAF and the website's headers, adds one that only it and the function
know."""


def check_origin(headers: Mapping[str, str], secret: str) -> None:
    """Check that the header has the secret value; an empty ``secret`` asks for none.

    Args:
        headers: names in lower case.
        secret: what CloudFront sends.

    Raises:
        WrongOriginError: it has not.
    """
    if secret and not compare_digest(headers.get(HEADER, "").encode(), secret.encode()):
        raise WrongOriginError("Ask at the website's address, below /api/; this one is not public.")
