"""HTTP servers inside the stack's own process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette

from local_stack import StackError
from model_training.serving.connections import SERVER_LIMITS


class Server(uvicorn.Server):
    """A server that leaves signals to the stack, which has more than a server to end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """A listening socket; port 0 is any free one.

    Raises:
        StackError: somebody else has the port, or the host is not this machine's.
    """
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"port {port} is in use: stop what uses it or choose another with {option}"
            raise StackError(message) from error
        raise StackError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    # Connections inherit it. asyncio sets it itself, but not where the socket was made elsewhere;
    # without it, the end of each answer waits 40 ms for the client to acknowledge its beginning.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def find_free_port() -> int:
    """A port of the loopback address that nobody listens on right now."""
    with listen("127.0.0.1", 0) as unused:
        return port_of(unused)


def port_of(listener: socket.socket) -> int:
    """The port that a socket listens on."""
    port: int = listener.getsockname()[1]
    return port


@contextlib.asynccontextmanager
async def serving(app: Starlette, listener: socket.socket, grace: float = 1) -> AsyncIterator[None]:
    """Serve app while the block runs; requests under way have ``grace`` seconds after it."""
    config = uvicorn.Config(app, log_level="error", lifespan="on", **SERVER_LIMITS)
    # uvicorn's annotation says int; it only waits for so long.
    config.timeout_graceful_shutdown = grace  # type: ignore[assignment]
    server = Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        # A request that the end cuts off is no error; uvicorn would print its stack.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await task
