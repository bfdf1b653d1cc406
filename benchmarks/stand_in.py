"""SageMaker's runtime in front of a container that runs: python -m benchmarks.stand_in URL

The same stand-in as in ``make run``, alone, so that any container can be behind it. Prints its
address, then serves until SIGTERM.
"""

from __future__ import annotations

import asyncio
import sys

from local_stack.runtime import RuntimeStandIn
from local_stack.servers import listen, port_of, serving

ENDPOINT = "reeltone"


async def serve(container: str) -> None:
    """Serve until cancelled."""
    with listen("127.0.0.1", 0) as listener:
        app = RuntimeStandIn(ENDPOINT, container).create_app()
        async with serving(app, listener):
            print(f"http://127.0.0.1:{port_of(listener)}", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
