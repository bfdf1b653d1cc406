"""The model's container, as SageMaker runs it: a server that answers /ping and /invocations."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import httpx

from local_stack import StackError

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
