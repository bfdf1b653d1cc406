"""Gateway and function processes in a process of their own, before a runtime that may fail.

    python -m tests.reliability.whole_stack http://127.0.0.1:9000

prints the gateway's port, and serves until its input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from local_stack.__main__ import BUNDLES, SITE, TEMPLATE
from local_stack.functions import FunctionPool
from local_stack.gateway import create_gateway
from local_stack.servers import listen, port_of, serving
from local_stack.template import FunctionDefinition, Template
from tests.reliability.faulty_runtime import SECONDS_BETWEEN_PROCESSES

CAPACITY = 4
"""Function processes, as `make run` has them."""
MAX_WAIT = 30.0
"""Seconds that events may wait for one: the gateway turns nobody away here."""
HANDLERS = Path(__file__).with_name("handlers")


async def serve(runtime_url: str) -> None:
    """Serve until the input ends."""
    template = Template(TEMPLATE, {"ModelName": "classic", "SageMakerRuntimeUrl": runtime_url})
    names = {route.function for route in template.routes}
    pools = {
        name: FunctionPool(_hurry(template.function(name)), CAPACITY, MAX_WAIT) for name in names
    }
    with listen("127.0.0.1", 0) as listener:
        async with serving(create_gateway(template.routes, pools, SITE), listener):
            print(port_of(listener), flush=True)
            await asyncio.to_thread(sys.stdin.read)
            await asyncio.gather(*(pool.close() for pool in pools.values()))


def _hurry(function: FunctionDefinition) -> FunctionDefinition:
    """The function of template.yaml with time limits that a test can wait for."""
    limits = json.dumps(SECONDS_BETWEEN_PROCESSES)
    environment = {"TEST_LIMITS": limits, "VOCABULARIES_DIR": str(BUNDLES)}
    return replace(
        function,
        handler="hurried.handler",
        folders=(HANDLERS, *function.folders),
        environment=function.environment | environment,
    )


@dataclass(frozen=True)
class WholeStack:
    """The stack's process, and where it answers."""

    process: subprocess.Popen[bytes]
    url: str

    def processes(self) -> list[int]:
        """The gateway's process, then the function's that it has started."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return [pid, *sorted(map(int, children))]


@contextlib.contextmanager
def whole_stack(runtime_url: str, log: Path) -> Iterator[WholeStack]:
    """The stack, while the block runs; what it and the function log goes to the file ``log``."""
    with log.open("wb") as logged:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.whole_stack", runtime_url],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=logged,
        )
        assert process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            assert port, log.read_text(encoding="utf-8")
            yield WholeStack(process, f"http://127.0.0.1:{int(port)}")
        finally:
            process.communicate(timeout=30)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
