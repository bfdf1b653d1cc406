"""Run Reeltone on this machine: .venv/bin/python -m local_stack"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from local_stack import StackError
from local_stack.functions import FunctionPool, override_environment
from local_stack.gateway import create_gateway
from local_stack.runtime import RuntimeStandIn
from local_stack.servers import (
    START_TIMEOUT,
    ModelContainer,
    find_free_port,
    listen,
    port_of,
    serving,
)
from local_stack.template import Template

ROOT = Path(__file__).resolve().parent.parent
BUNDLES = ROOT / "model_training" / "models"
_IN_PACKAGE = ROOT / "reeltone" / "project"
PROJECT = _IN_PACKAGE if _IN_PACKAGE.is_dir() else ROOT
"""Where what is not Python lies; in an installed package it has a folder of its own."""
SITE = PROJECT / "frontend"
TEMPLATE = PROJECT / "template.yaml"

EPILOG = """\
To run the function as Lambda would, in a container (after `sam build`):
  .venv/bin/python -m local_stack --endpoint-only --host 0.0.0.0 --port 8001
  sam local invoke SentimentFunction --event events/positive.json
"""


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    host: str
    port: int
    model: str
    endpoint_only: bool
    capacity: int
    grace: float
    throttle: bool
    requests_per_address: int


def parse_options(arguments: Sequence[str]) -> Options:
    """Give options from command-line arguments; ends the process on wrong ones."""
    parser = argparse.ArgumentParser(
        prog="python -m local_stack",
        description="Run the website, the API and the model's endpoint on this machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add(
        "--port",
        type=int,
        default=os.environ.get("PORT") or None,
        help="port to listen on (default: PORT, or 8000; 8001 with --endpoint-only)",
    )
    add("--model", default="modern", help="a folder of model_training/models (default: modern)")
    add(
        "--endpoint-only",
        action="store_true",
        help="only the stand-in for the SageMaker runtime, for `sam local`",
    )
    add(
        "--capacity",
        type=int,
        default=4,
        help="events that the function handles at a time (default: %(default)s)",
    )
    add(
        "--grace",
        type=float,
        default=1.0,
        help="seconds that requests under way have left after a signal (default: %(default)s)",
    )
    add(
        "--throttle",
        action="store_true",
        help="answer 429 to more requests than the template's throttles let through",
    )
    add(
        "--requests-per-address",
        type=int,
        default=0,
        help="in a minute, to the API; more are answered 429, as by account.yaml's web ACL",
    )
    options = vars(parser.parse_args(arguments))
    if options["port"] is None:
        options["port"] = 8001 if options["endpoint_only"] else 8000
    if options["capacity"] < 1:
        parser.error("--capacity must be at least 1")
    if options["endpoint_only"] and (options["throttle"] or options["requests_per_address"]):
        parser.error("--endpoint-only starts no API for --throttle and --requests-per-address")
    return Options(**options)


async def run(options: Options) -> None:
    """Run what the options ask for, until cancelled.

    Raises:
        StackError or an ExceptionGroup of it: something is missing, in use or has ended.
    """
    model = find_model(options.model)
    async with contextlib.AsyncExitStack() as stack:
        public = stack.enter_context(listen(options.host, options.port))
        alone = options.endpoint_only
        runtime = public if alone else stack.enter_context(listen("127.0.0.1", 0))
        runtime_url = f"http://127.0.0.1:{port_of(runtime)}"
        template = Template(
            TEMPLATE, {"ModelName": options.model, "SageMakerRuntimeUrl": runtime_url}
        )
        container = await ModelContainer.start(model, find_free_port())
        stack.push_async_callback(container.stop)
        endpoint = RuntimeStandIn(endpoint_name(template), container.url)
        await stack.enter_async_context(serving(endpoint.create_app(), runtime))
        url = f"http://{options.host}:{port_of(public)}"
        print(f"model {model.name}: {container.url}")
        print(f"SageMaker runtime, endpoint {endpoint_name(template)}: {runtime_url}", flush=True)
        if not alone:
            site = serving_site(template, public, options)
            await stack.enter_async_context(site)
            print(f"website and API: {url}", flush=True)
        async with asyncio.TaskGroup() as group:
            group.create_task(container.fail_when_it_ends())
            await container.wait_until_ready()
            if not alone:
                await check_first_answer(port_of(public))
            print(f"\nReady: {url}  (Ctrl-C ends it)", flush=True)


@contextlib.asynccontextmanager
async def serving_site(
    template: Template, listener: socket.socket, options: Options
) -> AsyncIterator[None]:
    """Serve the website and the API while the block runs; requests under way have the options'
    grace after it."""
    pools = {
        name: FunctionPool(
            override_environment(template.function(name), {"VOCABULARIES_DIR": str(BUNDLES)}),
            options.capacity,
        )
        for name in {route.function for route in template.routes}
    }
    throttled = template.routes if options.throttle else []
    throttles = {route.key: template.throttle(route) for route in throttled}
    gateway = create_gateway(
        template.routes,
        pools,
        SITE,
        throttles=throttles,
        requests_per_address=options.requests_per_address,
    )
    try:
        async with serving(gateway, listener, options.grace):
            yield
    finally:
        await asyncio.gather(*(pool.close() for pool in pools.values()))


def find_model(name: str) -> Path:
    """Find the folder of the model with that name.

    Raises:
        StackError: there is none.
    """
    folder = BUNDLES / name
    if not (folder / "manifest.json").is_file():
        names = sorted(path.parent.name for path in BUNDLES.glob("*/manifest.json"))
        known = ", ".join(names) or "no model at all"
        raise StackError(f"there is no model {name!r}: model_training/models holds {known}")
    return folder


def endpoint_name(template: Template) -> str:
    """Give the endpoint that the function asks."""
    return template.function("SentimentFunction").environment["ENDPOINT_NAME"]


async def check_first_answer(port: int) -> None:
    """See that the whole chain answers: gateway, function, runtime, container.

    Raises:
        StackError: it does not.
    """
    url = f"http://127.0.0.1:{port}/api/health"
    async with httpx.AsyncClient(trust_env=False, timeout=START_TIMEOUT) as client:
        answer = await client.get(url)
    if not answer.is_success:
        raise StackError(f"GET /api/health gave {answer.status_code}: {answer.text}")


async def run_until_signal(options: Options) -> None:
    """Run until Ctrl-C or SIGTERM, then end everything in order."""
    task = asyncio.create_task(run(options))

    def stop() -> None:
        if not task.cancelling():  # a second Ctrl-C must not interrupt the tidying up
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stack; the exit code is 1 when it cannot start or go on."""
    options = parse_options(sys.argv[1:] if arguments is None else arguments)
    code = 0
    try:
        asyncio.run(run_until_signal(options))
    except* StackError as group:
        code = 1
        for error in group.exceptions:
            print(f"local_stack: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
