"""HTTP requests as Lambda events and results as HTTP responses: API Gateway's payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

TEXT_TYPES = ("application/json", "application/javascript", "application/xml")
"""Content types that are text to API Gateway, besides text/*; any other body goes as Base64."""


class ResultError(Exception):
    """The function's result is no response in API Gateway's eyes."""


def build_event(request: Request, body: bytes, route: str, request_id: str) -> dict[str, Any]:
    """Build the event that API Gateway hands to a function for this request."""
    now = time.time()
    # Not of request.url, which drops tabs and line ends, and takes no query but UTF-8.
    path, raw_query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    headers = _join_headers(request)
    cookies = [cookie.strip() for cookie in headers.pop("cookie", "").split(";") if cookie.strip()]
    query = _join(request.query_params.multi_items())
    client = request.client.host if request.client else "127.0.0.1"
    host = headers.get("host", "localhost")
    text = _body_text(headers, body)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": raw_query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": host.split(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": f"HTTP/{request.scope['http_version']}",
                "sourceIp": client,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": route,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": bool(body) and text is None,
    }
    if body:
        event["body"] = base64.b64encode(body).decode() if text is None else text
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = query
    return event


def build_response(result: Any) -> Response:
    """Build the response that API Gateway makes of a function's result.

    Raises:
        ResultError: the result has a status code and yet is no response.
    """
    if not isinstance(result, dict) or "statusCode" not in result:
        return Response(json.dumps(result), media_type="application/json")
    try:
        status = int(result["statusCode"])
        body = result.get("body") or ""
        content = (
            base64.b64decode(body, validate=True)
            if result.get("isBase64Encoded")
            else body.encode()
        )
        headers = {name.lower(): str(value) for name, value in result.get("headers", {}).items()}
        response = Response(content, status, headers)
    except (AttributeError, TypeError, ValueError) as error:
        raise ResultError(f"result is no response: {error}") from error
    if "content-type" not in headers:
        response.headers["content-type"] = "text/plain;charset=UTF-8"
    for cookie in result.get("cookies", []):
        response.headers.append("set-cookie", cookie)
    return response


def _join_headers(request: Request) -> dict[str, str]:
    client = request.client.host if request.client else "127.0.0.1"
    _, port = request.scope.get("server") or ("", None)
    joined = _join([(name.lower(), value) for name, value in request.headers.items()])
    return joined | {
        "x-forwarded-for": client,
        "x-forwarded-port": str(port or 80),
        "x-forwarded-proto": request.scope["scheme"],
    }


def _join(pairs: list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _body_text(headers: dict[str, str], body: bytes) -> str | None:
    """The body as text; None when the gateway would not take it for text."""
    media_type = headers.get("content-type", "text/plain").split(";")[0].strip().lower()
    if headers.get("content-encoding", "identity") != "identity":
        return None
    if not media_type.startswith("text/") and media_type not in TEXT_TYPES:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
