"""Stand-in for the SageMaker runtime: InvokeEndpoint, relayed to the model's container.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from model_training.serving.connections import OneLength, read_body

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a request that a serverless endpoint takes."""
INVOCATION_TIMEOUT = 60.0
"""Seconds that SageMaker gives the container for an answer."""
RELAYED_HEADERS = ("content-type", "accept", "x-amzn-sagemaker-custom-attributes")
ACCOUNT = "123456789012"


class RuntimeStandIn:
    """One endpoint with one container behind it.

    Args:
        endpoint: the endpoint's name; any other is unknown.
        container: URL of the container, which answers /invocations.
        timeout: seconds that the container has for an answer.
    """

    def __init__(
        self, endpoint: str, container: str, *, timeout: float = INVOCATION_TIMEOUT
    ) -> None:
        self._endpoint = endpoint
        self._client = httpx.AsyncClient(base_url=container, timeout=timeout, trust_env=False)

    def create_app(self) -> Starlette:
        """Give the application that boto3 talks to."""
        path = "/endpoints/{name}/invocations"
        return Starlette(
            routes=[Route(path, self._invoke, methods=["POST"])],
            lifespan=self._lifespan,
            middleware=[Middleware(OneLength)],
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        async with self._client:
            yield

    async def _invoke(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            body = await read_body(request, MAX_BODY)
        except ClientDisconnect:
            return Response(status_code=400)
        except TimeoutError:
            return _error(408, "RequestTimeout", "The body did not arrive in time.")
        if name != self._endpoint:
            message = f"Endpoint {name} of account {ACCOUNT} not found."
            return _error(400, "ValidationError", message)
        if body is None:
            message = f"The body has more than {MAX_BODY:,} bytes."
            return _error(400, "ValidationError", message)
        try:
            answer = await self._ask_container(request, body)
        except httpx.TimeoutException:
            return _model_error(0, "Your invocation timed out while waiting for a response.")
        except httpx.TransportError:
            return _error(503, "ServiceUnavailable", "The container does not answer.")
        if not answer.is_success:
            return _model_error(answer.status_code, answer.text)
        return _success(answer)

    async def _ask_container(self, request: Request, body: bytes) -> httpx.Response:
        headers = {name: value for name in RELAYED_HEADERS if (value := request.headers.get(name))}
        return await self._client.post("/invocations", content=body, headers=headers)


def _success(answer: httpx.Response) -> Response:
    headers = {
        "x-amzn-requestid": str(uuid.uuid4()),
        "x-amzn-invoked-production-variant": "AllTraffic",
    }
    if content_type := answer.headers.get("content-type"):
        headers["content-type"] = content_type
    return Response(answer.content, headers=headers)


def _model_error(status: int, message: str) -> Response:
    """What SageMaker answers for a container that refused or failed: the container's own words."""
    kind = "client" if 400 <= status < 500 else "server"
    return _error(
        424,
        "ModelError",
        f'Received {kind} error ({status}) from primary with message "{message}".',
        OriginalStatusCode=status,
        OriginalMessage=message,
        LogStreamArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:local:log-stream:local",
    )


def _error(status: int, code: str, message: str, **details: Any) -> Response:
    headers = {"x-amzn-requestid": str(uuid.uuid4()), "x-amzn-errortype": code}
    return JSONResponse({"Message": message, **details}, status, headers)
