"""Lambda on one machine: each execution environment is a process that handles one event at a time.

An environment starts when an event finds none idle, up to a capacity; past that, events wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from local_stack.template import FunctionDefinition

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
MAX_PAYLOAD = 6 * 1024 * 1024
"""Bytes of an event, and of an answer, that Lambda passes on."""
_MAX_LINE = 64 * 1024 * 1024
"""Bytes of one line from a worker: room for an answer that is refused for its size."""

INIT_TIMEOUT = 10
"""Seconds that Lambda gives a new environment, apart from the function's own time-out."""

# The stand-in checks no signature, but boto3 makes one.
_NOBODYS_KEY = "local"

AWS_ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": _NOBODYS_KEY,
    "AWS_SECRET_ACCESS_KEY": _NOBODYS_KEY,
    "AWS_EC2_METADATA_DISABLED": "true",
    # Nobody's own profile decides where the function's calls go.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


MAX_WAIT = 5.0
"""Seconds that an event may have waited for a free environment when another one comes; that other
one is turned away at once, as Lambda does past its limit, instead of waiting for its time-out."""


class BusyError(Exception):
    """More events wait than the function will handle soon."""


class TooLargeError(Exception):
    """Lambda takes no event of that size; the function never sees it."""


class FunctionError(Exception):
    """The function raised, ran out of time or died; its log says why."""


def override_environment(
    function: FunctionDefinition, values: Mapping[str, str]
) -> FunctionDefinition:
    """Give the function with other values for variables that the template declares for it.

    Raises:
        KeyError: the template declares no such variable; a deployed function would not see it.
    """
    if unknown := set(values) - set(function.environment):
        raise KeyError(f"template.yaml declares no {', '.join(sorted(unknown))}")
    return replace(function, environment={**function.environment, **values})


class Worker:
    """One execution environment."""

    def __init__(self, process: asyncio.subprocess.Process, function: FunctionDefinition) -> None:
        self._process = process
        self._function = function
        self._initialised = False

    @classmethod
    async def start(cls, function: FunctionDefinition) -> Worker:
        """Start the process; its first event waits until it has imported the handler."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # not the bootstrap's own folder: its modules are none of the function's
            "-u",  # the function's log appears when it is written
            str(BOOTSTRAP),
            function.handler,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_MAX_LINE,
            cwd=function.folders[0],
            env=process_environment(function),
            start_new_session=True,  # the terminal's Ctrl-C is for the stack, which then ends us
        )
        return cls(process, function)

    async def invoke(self, event: dict[str, Any], request_id: str) -> Any:
        """The handler's result.

        Raises:
            FunctionError: the answer is larger than Lambda lets it be, or the handler raised, ran
                out of time or took the process down; after the latter two the worker is not
                `alive`.
        """
        request = {"event": event, "requestId": request_id, "timeout": self._function.timeout}
        try:
            if not self._initialised:
                await self._read(INIT_TIMEOUT)
                self._initialised = True
            await self._write(request)
            answer = await self._read(self._function.timeout)
        except BaseException:
            # An answer that nobody waits for any more must not be taken for the next event's.
            await self.stop()
            raise
        if "errorType" in answer:
            raise FunctionError(f"raised {answer['errorType']}")
        if (size := payload_size(answer["result"])) > MAX_PAYLOAD:
            raise FunctionError(f"answered {size:,} bytes; Lambda passes on {MAX_PAYLOAD:,}")
        return answer["result"]

    async def _write(self, request: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            await self._process.stdin.drain()
        except ConnectionError as error:
            raise FunctionError(f"ended with code {await self._process.wait()}") from error

    async def _read(self, seconds: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                line = await self._process.stdout.readline()
        except TimeoutError as error:
            raise FunctionError(f"timed out after {seconds} s") from error
        if not line:
            raise FunctionError(f"ended with code {await self._process.wait()}")
        message: dict[str, Any] = json.loads(line)
        return message

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._process.returncode is None

    async def stop(self) -> None:
        """End the process at once, with whatever it has started."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


class FunctionPool:
    """A function with up to `capacity` execution environments."""

    def __init__(
        self, function: FunctionDefinition, capacity: int, most_wait: float = MAX_WAIT
    ) -> None:
        self._function = function
        self._most_wait = most_wait
        self._running: set[Worker] = set()
        self._closed = False
        self._waiting: deque[float] = deque()
        # Last in, first out: a warm environment, when one is idle, before a cold start (None).
        self._idle: asyncio.LifoQueue[Worker | None] = asyncio.LifoQueue()
        for _ in range(capacity):
            self._idle.put_nowait(None)

    async def invoke(self, event: dict[str, Any], request_id: str) -> Any:
        """The handler's result, once an environment is free.

        Raises:
            TooLargeError: the event is larger than Lambda takes.
            BusyError: others have waited too long already.
            FunctionError: the function failed; the pool is as ready as before.
        """
        if (size := payload_size(event)) > MAX_PAYLOAD:
            raise TooLargeError(f"an event of {size:,} bytes; Lambda takes {MAX_PAYLOAD:,}")
        worker = await self._find_idle()
        try:
            if self._closed:
                raise FunctionError("not started, for the stack is ending")
            if worker is None or not worker.alive:
                worker = None
                worker = await Worker.start(self._function)
                self._running.add(worker)
            return await worker.invoke(event, request_id)
        except FunctionError as error:
            print(f"{self._function.name}: {error}", file=sys.stderr)
            raise
        finally:
            if worker is not None and not worker.alive:
                self._running.discard(worker)
                worker = None
            self._idle.put_nowait(worker)

    async def _find_idle(self) -> Worker | None:
        """An idle environment, once there is one; who waited longest gets the next."""
        now = time.monotonic()
        if self._waiting and now - self._waiting[0] > self._most_wait:
            raise BusyError(f"{len(self._waiting)} events wait")
        self._waiting.append(now)
        try:
            return await self._idle.get()
        finally:
            self._waiting.remove(now)

    async def close(self) -> None:
        """End all environments; events under way fail."""
        self._closed = True
        await asyncio.gather(*(worker.stop() for worker in self._running))


def payload_size(payload: Any) -> int:
    """Give bytes of an event or an answer as Lambda counts them: of its JSON, with UTF-8 as it
    is."""
    return len(json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace"))


def process_environment(function: FunctionDefinition) -> dict[str, str]:
    """Give all variables of an execution environment: the function sees nothing else of the
    host."""
    inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return {
        **inherited,
        **AWS_ENVIRONMENT,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "PYTHONPATH": os.pathsep.join(map(str, function.folders)),
        **function.environment,
    }
