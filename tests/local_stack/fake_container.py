"""A container that does what the request's body says, to see what becomes of it on the way."""

from __future__ import annotations

import asyncio
import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


async def ping(request: Request) -> Response:
    return Response()


async def invoke(request: Request) -> Response:
    wanted = json.loads(await request.body())
    if seconds := wanted.get("sleep"):
        await asyncio.sleep(seconds)
    if status := wanted.get("refusal"):
        return JSONResponse({"error": "invalid_request", "message": "as you wish"}, status)
    seen = {
        name: request.headers.get(name)
        for name in ("accept", "content-type", "x-amzn-sagemaker-custom-attributes")
    }
    return JSONResponse({"asked": wanted, "headers": seen})


app = Starlette(
    routes=[Route("/ping", ping), Route("/invocations", invoke, methods=["POST"])],
)
