#!/usr/bin/env python3
"""Runs Debian's Firefox for Playwright, which talks to it in WebDriver BiDi.

Playwright asks for `emulation.setMediaFeaturesOverride` before anything else, and this Firefox
does not know that command. So what Playwright starts is this program: it starts Firefox, tells
Playwright an address of its own, and passes every message on, except that one, which it answers
itself. Media features are set by preferences instead.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from contextlib import suppress

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

FIREFOX = "/usr/bin/firefox-esr"
UNKNOWN = "emulation.setMediaFeaturesOverride"
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
# Bytes of a message: screenshots travel as Base64.
MAX_MESSAGE = 256 * 1024 * 1024


async def run() -> int:
    """Run Firefox until it ends; gives its exit status."""
    firefox = await asyncio.create_subprocess_exec(
        FIREFOX, *sys.argv[1:], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, firefox.terminate)
    assert firefox.stdout
    address = ""

    async def relay(playwright: ServerConnection) -> None:
        assert playwright.request
        async with connect(f"{address}{playwright.request.path}", max_size=MAX_MESSAGE) as browser:

            async def answer() -> None:
                async for message in browser:
                    await playwright.send(message)

            answering = asyncio.create_task(answer())
            with suppress(ConnectionClosed):
                async for message in playwright:
                    command = json.loads(message)
                    if command["method"] == UNKNOWN:
                        reply = {"type": "success", "id": command["id"], "result": {}}
                        await playwright.send(json.dumps(reply))
                    else:
                        await browser.send(message)
            answering.cancel()

    async with serve(relay, "127.0.0.1", 0, max_size=MAX_MESSAGE) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async for line in firefox.stdout:
            said = line.decode(errors="replace").rstrip()
            if found := LISTENING.search(said):
                address = found[1]
                said = f"WebDriver BiDi listening on ws://127.0.0.1:{port}"
            print(said, file=sys.stderr, flush=True)
    return await firefox.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
