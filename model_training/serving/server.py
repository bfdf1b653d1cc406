"""The endpoint's program: SageMaker's container contract around the four functions.

    .venv/bin/python -m model_training.serving.server --model-dir model_training/models/modern

GET /ping answers 200 once the model is loaded; POST /invocations scores. SIGTERM lets running
requests finish. In a container the defaults are SageMaker's own: /opt/ml/model and 8080.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from anyio import CapacityLimiter, fail_after, to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from model_training.errors import BundleError
from model_training.serving.connections import BODY_SECONDS, SERVER_LIMITS, OneLength, read_body
from model_training.serving.functions import Refusal, input_fn, output_fn, predict_fn
from model_training.serving.scorer import Model, load_model

MAX_BODY_BYTES = 6 * 1024 * 1024
"""Maximum request body, bytes. SageMaker stops JSON at 4 MB; a batch transform may send 6."""
QUEUE_SECONDS = 60.0
"""That a request waits for a free core: SageMaker itself gives up then."""
# A container is reached from outside it, or not at all; `make run` passes 127.0.0.1.
_EVERYWHERE = "0.0.0.0"  # nosec B104


def make_app(model: Model) -> Starlette:
    """Make the application around a loaded model."""

    @asynccontextmanager
    async def load(app: Starlette) -> AsyncIterator[None]:
        app.state.model = model
        # As many at a time as there are cores; the others wait here, where waiting is cheap.
        app.state.cores, app.state.threads = CapacityLimiter(_cores()), CapacityLimiter(_cores())
        yield

    return Starlette(
        routes=[
            Route("/ping", ping, methods=["GET"]),
            Route("/invocations", invoke, methods=["POST"]),
        ],
        lifespan=load,
        middleware=[Middleware(OneLength)],
    )


async def ping(request: Request) -> Response:
    """Healthy: the server only listens once the model is loaded."""
    return JSONResponse({"model": request.app.state.model.version})


async def invoke(request: Request) -> Response:
    """Score one request."""
    try:
        body = await read_body(request, MAX_BODY_BYTES)
    except ClientDisconnect:
        return Response(status_code=400)
    except TimeoutError:
        return _error(408, "timeout", f"the body did not arrive within {BODY_SECONDS:.0f} s")
    if body is None:
        return _error(413, "too_large", f"the body has more than {MAX_BODY_BYTES:,} bytes")
    cores: CapacityLimiter = request.app.state.cores
    try:
        with fail_after(QUEUE_SECONDS):
            await cores.acquire()
    except TimeoutError:
        return _error(503, "busy", f"no core was free within {QUEUE_SECONDS:.0f} s")
    try:
        if await request.is_disconnected():
            return Response(status_code=400)
        return await _score(request, body)
    finally:
        cores.release()


async def _score(request: Request, body: bytes) -> Response:
    state, content_type = request.app.state, request.headers.get("content-type", "")
    answer = await to_thread.run_sync(
        _transform, state.model, body, content_type, limiter=state.threads
    )
    if isinstance(answer, Refusal):
        return Response(answer.body, answer.status, media_type="application/json")
    return Response(answer[0], media_type=answer[1])


def _transform(model: Model, body: bytes, content_type: str) -> Any:
    return output_fn(predict_fn(input_fn(body, content_type), model), "*/*")


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": code, "message": message}, status)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="model_training.serving.server",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # SageMaker starts a container with the argument "serve".
    parser.add_argument("command", nargs="?", choices=["serve"], help=argparse.SUPPRESS)
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
    parser.add_argument("--host", default=_EVERYWHERE)
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    )
    options = parser.parse_args(arguments)
    try:
        model = load_model(Path(options.model_dir))
    except BundleError as error:
        sys.exit(f"error: {error}")
    # Uvicorn's access log has a line for each ping; functions.py logs what fails.
    uvicorn.run(
        make_app(model),
        host=options.host,
        port=options.port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=25,
        **SERVER_LIMITS,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
