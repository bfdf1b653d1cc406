"""What a client may do to our servers: the container's, and the local stack's in front of it.

uvicorn itself limits nothing but the pause between two requests of a connection.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

WAIT_SECONDS = 20.0
"""For a request's head, from the opening of the connection or the end of the answer before; and
for the client to take what is ready for it."""
BODY_SECONDS = 30.0
"""For a request's body."""
MAX_CONNECTIONS = 600
"""Well below the 1,024 files that a process may usually have open."""


class LimitedProtocol(H11Protocol):
    """HTTP on one connection, with an end to each wait for the client.

    A client that does not keep up is cut off. Where there are too many connections, those go first
    that wait for their client: slow ones keep nobody else out. With too many others, uvicorn
    answers 503.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.limit_concurrency = MAX_CONNECTIONS
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()
        self._make_room()

    def handle_events(self) -> None:
        """Wait no longer once there is a request; for its body, ``read_body`` does. The answer to
        the one before may not have been taken yet."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before and not self.flow.write_paused:
            self._wait_no_longer()

    def pause_writing(self) -> None:
        """Begin to wait until the client takes what is written."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """The client has taken it; whoever answers goes on."""
        super().resume_writing()
        if not self.cycle.response_complete:
            self._wait_no_longer()

    def on_response_complete(self) -> None:
        """Begin to wait until the answer is taken, and for the next request."""
        self._wait()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nobody left to wait for."""
        super().connection_lost(exc)
        self._wait_no_longer()

    def _wait(self) -> None:
        self._wait_no_longer()
        self._end = self.loop.call_later(WAIT_SECONDS, self.transport.abort)

    def _wait_no_longer(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _make_room(self) -> None:
        """Cut off who would be cut off first anyway, where there are too many."""
        if len(self.connections) < MAX_CONNECTIONS:
            return
        others = [c for c in self.connections if isinstance(c, LimitedProtocol) and c is not self]
        others = [other for other in others if not other.transport.is_closing()]
        ends = {other._end.when(): other for other in others if other._end is not None}
        if ends and len(others) + 1 >= MAX_CONNECTIONS:
            ends[min(ends)].transport.abort()


SERVER_LIMITS: dict[str, Any] = {"http": LimitedProtocol, "ws": "none"}
"""Of uvicorn's settings."""


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
