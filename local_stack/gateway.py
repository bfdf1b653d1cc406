"""The CDN and the HTTP API: the website at /, the functions' routes below /api/."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_stack import StackError, template
from local_stack.events import ResultError, build_event, build_response
from local_stack.functions import BusyError, FunctionError, FunctionPool, TooLargeError
from model_training.serving.connections import OneLength, read_body

MAX_BODY = 10 * 1024 * 1024
"""Bytes of a request that an HTTP API takes. Lambda takes less of it; see `MAX_PAYLOAD`."""
RETRY_AFTER = "2"
"""Seconds after which a request that was turned away may come again."""
API_TIMEOUT = 30.0
"""Seconds that an HTTP API waits for a function at most."""
_MINUTE = 60.0

DOCUMENTS = {
    "api.md": "docs/api.md",
    "licence.txt": "LICENSE",
    "model_card.md": "docs/model_card.md",
    "openapi.yaml": "docs/openapi.yaml",
}
"""What is served below /documents/, and where it lies beside the website's folder; the publisher's
Makefile copies the same."""
DOCUMENT_TYPES = {"": "text/plain", ".md": "text/plain", ".yaml": "application/yaml"}
"""Types of such files by their suffix, as the publisher stores them."""

SECURITY_HEADERS = {
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""What the CDN sets on every answer, of site and API alike, whatever was there before."""


def create_gateway(
    routes: list[template.Route],
    pools: Mapping[str, FunctionPool],
    site: Path,
    *,
    timeout: float = API_TIMEOUT,
    throttles: Mapping[str, template.Throttle] | None = None,
    requests_per_address: int = 0,
) -> Starlette:
    """Give the application that a browser talks to.

    Args:
        routes: the API's routes, from template.yaml.
        pools: the functions that they name.
        site: folder of the website's files.
        timeout: seconds until a request is given up, waiting for a free function included.
        throttles: by route; those that are not in it have none.
        requests_per_address: to the API, in a minute, of each address; 0: as many as it likes.

    Raises:
        StackError: the folder holds no website.
    """
    if not (site / "index.html").is_file():
        raise StackError(f"there is no website: {site / 'index.html'} is missing")
    api: ASGIApp = HttpApi(routes, pools, timeout, throttles or {})
    if requests_per_address:
        api = AddressLimit(api, requests_per_address)
    return Starlette(
        routes=[
            Route("/api/{path:path}", api),
            # A page that is being worked on must not come from the browser's cache.
            Mount("/", Headers(Site(site), {"cache-control": "no-cache"})),
        ],
        middleware=[Middleware(Headers, SECURITY_HEADERS), Middleware(OneLength)],
    )


class Headers:
    """Sets headers on every answer of an application, as CloudFront's response-headers policy."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app, self._headers = app, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class TokenBucket:
    """Lets requests through as API Gateway does, all callers of a route together."""

    def __init__(
        self, throttle: template.Throttle, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._throttle, self._clock = throttle, clock
        self._tokens, self._at = throttle.burst, clock()

    def take(self) -> bool:
        """Take a token for a request, if there is one."""
        now = self._clock()
        filled = self._tokens + (now - self._at) * self._throttle.rate
        self._tokens, self._at = min(self._throttle.burst, filled), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class AddressLimit:
    """Refuses an address that has asked too often within a minute, as account.yaml's web ACL.

    AWS WAF looks at the rates every few seconds, this at each request.
    """

    def __init__(
        self, app: ASGIApp, most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app, self._most, self._clock = app, most, clock
        self._times: dict[str, deque[float]] = {}
        self._swept = clock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_much = self._count(scope["client"][0]) > self._most
        app = Response(status_code=429, headers={"retry-after": "60"}) if is_much else self._app
        await app(scope, receive, send)

    def _count(self, address: str) -> int:
        """This request and those of the minute before; of more than the most, one more is kept."""
        now = self._clock()
        if now - self._swept > _MINUTE:  # addresses that have gone would be kept for ever
            self._times = {a: at for a, at in self._times.items() if at[-1] > now - _MINUTE}
            self._swept = now
        times = self._times.setdefault(address, deque(maxlen=self._most + 1))
        times.append(now)
        while times[0] <= now - _MINUTE:
            times.popleft()
        return len(times)


class HttpApi:
    """API Gateway's HTTP API with Lambda behind every route."""

    def __init__(
        self,
        routes: list[template.Route],
        pools: Mapping[str, FunctionPool],
        timeout: float,
        throttles: Mapping[str, template.Throttle],
    ) -> None:
        self._routes = {route.key: pools[route.function] for route in routes}
        self._timeout = timeout
        self._buckets = {route: TokenBucket(throttle) for route, throttle in throttles.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id = str(uuid.uuid4())
        try:
            response = await self._respond(Request(scope, receive), request_id)
        except ClientDisconnect:
            return
        response.headers["apigw-requestid"] = request_id
        await response(scope, receive, send)

    async def _respond(self, request: Request, request_id: str) -> Response:
        route = f"{request.method} {request.scope['path']}"
        if route not in self._routes:
            return _message(404, "Not Found")
        if route in self._buckets and not self._buckets[route].take():
            return _message(429, "Too Many Requests")
        try:
            body = await read_body(request, MAX_BODY)
        except TimeoutError:
            return _message(408, "Request Timeout")
        if body is None:
            return _message(413, "Request Entity Too Large")
        event = build_event(request, body, route, request_id)
        try:
            async with asyncio.timeout(self._timeout):
                return build_response(await self._routes[route].invoke(event, request_id))
        except TooLargeError:
            return _message(413, "Request Entity Too Large")
        except BusyError:
            response = _message(503, "Service Unavailable")
            response.headers["retry-after"] = RETRY_AFTER
            return response
        except TimeoutError:
            return _message(503, "Service Unavailable")
        except FunctionError:
            return _message(500, "Internal Server Error")
        except ResultError as error:
            print(f"{route}: {error}", file=sys.stderr)
            return _message(500, "Internal Server Error")


class Site:
    """The website's files, and the documents that a deployment copies to them."""

    def __init__(self, folder: Path) -> None:
        self._index = folder / "index.html"
        self._files = StaticFiles(directory=folder)
        self._documents = {
            f"/documents/{name}": folder.parent / path for name, path in DOCUMENTS.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; like CloudFront, only / has a default document."""
        apart = {"/": self._index, **self._documents} if scope["method"] in ("GET", "HEAD") else {}
        file = apart.get(scope["path"])
        app: ASGIApp = self._files
        if file is not None:
            app = FileResponse(file, media_type=DOCUMENT_TYPES.get(file.suffix))
        try:
            await app(scope, receive, send)
        except HTTPException as error:
            await PlainTextResponse(error.detail, error.status_code)(scope, receive, send)


def _message(status: int, message: str) -> Response:
    """What API Gateway itself has to say, in its own form."""
    return JSONResponse({"message": message}, status)
