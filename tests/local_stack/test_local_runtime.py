"""The SageMaker runtime's stand-in, seen by boto3, before a container that does as it is asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_stack.runtime import MAX_BODY, RuntimeStandIn
from local_stack.servers import find_free_port, listen, port_of, serving


async def ping(request: Request) -> Response:
    return Response()


async def answer_as_asked(request: Request) -> Response:
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


CONTAINER = Starlette(
    routes=[Route("/ping", ping), Route("/invocations", answer_as_asked, methods=["POST"])],
)


T = TypeVar("T")


@contextlib.asynccontextmanager
async def running(container: bool, timeout: float) -> AsyncIterator[str]:
    """The stand-in's URL; without a container, nobody listens where it should be."""
    async with contextlib.AsyncExitStack() as stack:
        port = find_free_port()
        if container:
            listener = stack.enter_context(listen("127.0.0.1", 0))
            port = port_of(listener)
            await stack.enter_async_context(serving(CONTAINER, listener))
        stand_in = RuntimeStandIn("reeltone", f"http://127.0.0.1:{port}", timeout=timeout)
        listener = stack.enter_context(listen("127.0.0.1", 0))
        await stack.enter_async_context(serving(stand_in.create_app(), listener))
        yield f"http://127.0.0.1:{port_of(listener)}"


def ask(use: Callable[[Any], T], *, container: bool = True, timeout: float = 5) -> T:
    """What `use` makes of boto3's client."""

    def call(url: str) -> T:
        client = boto3.client(
            "sagemaker-runtime",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # pragma: allowlist secret
            config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
        )
        try:
            return use(client)
        finally:
            client.close()

    async def run() -> T:
        async with running(container, timeout) as url:
            return await asyncio.to_thread(call, url)

    return asyncio.run(run())


def invoke(client: Any, *, name: str = "reeltone", **body: Any) -> Any:
    return client.invoke_endpoint(
        EndpointName=name,
        Body=json.dumps(body).encode(),
        ContentType="application/json",
        Accept="application/json",
        CustomAttributes="trace-1",
    )


def refuse(container: bool = True, timeout: float = 5, **wanted: Any) -> tuple[Any, ClientError]:
    """The client's own exception classes, and the one that came."""

    def use(client: Any) -> tuple[Any, ClientError]:
        with pytest.raises(ClientError) as caught:
            invoke(client, **wanted)
        return client.exceptions, caught.value

    return ask(use, container=container, timeout=timeout)


def test_the_containers_answer_comes_back() -> None:
    def use(client: Any) -> tuple[Any, dict[str, Any]]:
        response = invoke(client, reviews=[[1, 2]])
        return response, json.loads(response["Body"].read())

    response, body = ask(use)
    assert response["ContentType"] == "application/json"
    assert response["InvokedProductionVariant"] == "AllTraffic"
    assert body["asked"] == {"reviews": [[1, 2]]}
    assert body["headers"] == {
        "accept": "application/json",
        "content-type": "application/json",
        "x-amzn-sagemaker-custom-attributes": "trace-1",
    }


@pytest.mark.parametrize("status", [400, 409, 500, 503])
def test_a_container_that_refuses_is_a_model_error_with_its_words(status: int) -> None:
    exceptions, error = refuse(refusal=status)
    assert isinstance(error, exceptions.ModelError)
    assert error.response["OriginalStatusCode"] == status
    assert json.loads(error.response["OriginalMessage"])["message"] == "as you wish"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 424


def test_a_container_that_takes_too_long_is_a_model_error() -> None:
    exceptions, error = refuse(timeout=0.3, sleep=2)
    assert isinstance(error, exceptions.ModelError)
    assert "timed out" in error.response["OriginalMessage"]


def test_a_container_that_is_down_is_service_unavailable() -> None:
    exceptions, error = refuse(container=False)
    assert isinstance(error, exceptions.ServiceUnavailable)


def test_an_unknown_endpoint_is_a_validation_error_that_names_it() -> None:
    _, error = refuse(name="nobody")
    assert error.response["Error"]["Code"] == "ValidationError"
    assert "Endpoint nobody of account" in error.response["Error"]["Message"]


def test_a_body_of_4_mb_is_taken_and_one_byte_more_is_not() -> None:
    frame = len(json.dumps({"filler": ""}))

    def use(client: Any) -> None:
        invoke(client, filler="x" * (MAX_BODY - frame))
        with pytest.raises(
            client.exceptions.ClientError, match=r"ValidationError.*more than 4,194,304 bytes"
        ):
            invoke(client, filler="x" * (MAX_BODY - frame + 1))

    ask(use)
