"""HTTP servers inside the stack's own process, and the model's container in one of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
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
    """Give a listening socket; port 0 is any free one.

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
    """Find a port of the loopback address that nobody listens on right now."""
    with listen("127.0.0.1", 0) as unused:
        return port_of(unused)


def port_of(listener: socket.socket) -> int:
    """Give the port that a socket listens on."""
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


ROOT = Path(__file__).resolve().parent.parent
IMPORT_ROOTS = (ROOT, ROOT / "layers" / "vocabulary")
"""Where the server finds model_training and review_text; in the cloud its bundle carries both."""
HOST = "127.0.0.1"
START_TIMEOUT = 180.0
"""Seconds until /ping must answer; SageMaker waits no longer either."""
STOP_TIMEOUT = 2.0
"""Seconds that the container has to end by itself."""
PING_INTERVAL = 0.1
"""Seconds."""


class ModelContainer:
    """The process that serves the model."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url

    @classmethod
    async def start(cls, model: Path, port: int) -> ModelContainer:
        """Start the server for the model in that folder."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "model_training.serving.server"),
            *("--model-dir", str(model)),
            *("--host", HOST),
            *("--port", str(port)),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, IMPORT_ROOTS))},
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # the terminal's Ctrl-C is for the stack, which then ends us
        )
        return cls(process, f"http://{HOST}:{port}")

    async def wait_until_ready(self) -> None:
        """Return when /ping answers.

        Raises:
            StackError: it does not within three minutes.
        """
        try:
            async with (
                asyncio.timeout(START_TIMEOUT),
                httpx.AsyncClient(base_url=self.url, trust_env=False) as client,
            ):
                while not await _answers_ping(client):
                    await asyncio.sleep(PING_INTERVAL)
        except TimeoutError as error:
            message = f"the model's server did not answer /ping within {START_TIMEOUT:.0f} s"
            raise StackError(message) from error

    async def fail_when_it_ends(self) -> None:
        """Wait for the end of the process, which is never welcome.

        Raises:
            StackError: the process has ended.
        """
        code = await self._process.wait()
        raise StackError(f"the model's server ended with code {code}; its own message is above")

    async def stop(self) -> None:
        """End the process, by force if it does not listen."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


async def _answers_ping(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/ping")).is_success
    except httpx.TransportError:
        return False
