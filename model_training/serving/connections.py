"""What a client may do to our servers: the container's, and the local stack's in front of it."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

BODY_SECONDS = 30.0
"""Maximum time for a request's body to arrive, seconds."""

SERVER_LIMITS: dict[str, Any] = {"http": "h11", "ws": "none", "limit_concurrency": 600}
"""Uvicorn's settings. 600 connections are well below the 1,024 files that a process may usually
have open; with more, uvicorn answers 503."""


class OneLength:
    """Refuses a request that says its length twice, which two servers in a row may read as two
    different requests (RFC 9112, section 6.1)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it and close its connection."""
        app = self._app
        names = {name for name, _ in scope.get("headers", ())}
        if {b"content-length", b"transfer-encoding"} <= names:
            message = "send Content-Length or Transfer-Encoding, not both"
            app = JSONResponse({"message": message}, 400, {"connection": "close"})
        await app(scope, receive, send)


async def read_body(request: Request, most: int) -> bytes | None:
    """A request's body; None where it has more than ``most`` bytes, of which no more are read.

    Raises:
        TimeoutError: it does not come to an end within ``BODY_SECONDS``.
        ClientDisconnect: it never will.
    """
    if int(request.headers.get("content-length", 0)) > most:
        return None
    parts, size = [], 0
    async with asyncio.timeout(BODY_SECONDS):
        async for part in request.stream():
            size += len(part)
            if size > most:
                return None
            parts.append(part)
    return b"".join(parts)
