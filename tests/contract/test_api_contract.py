"""Requests made up from docs/openapi.yaml, right and wrong, to gateway, function and model.

REELTONE_API_EXAMPLES=1000 tries more of them: make fuzz-api.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CheckContext, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)
from starlette.applications import Starlette

from model_training.serving.scorer import load_model
from tests import in_process, openapi
from tests.commands import Request, read_curl

EXAMPLES = int(os.environ.get("REELTONE_API_EXAMPLES", "100"))
"""For each operation; schemathesis adds its own edge cases."""

CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            # A review of the right length may yet have no word.
            "positive_data_acceptance": {"expected-statuses": ["2xx", "422"]},
            "negative_data_rejection": {"expected-statuses": ["400", "413", "415", "422"]},
        },
        "generation": {"deterministic": "REELTONE_API_EXAMPLES" not in os.environ},
    }
)
SCHEMA = schemathesis.openapi.from_path(openapi.PATH, config=CONFIG)

load_all_checks()
WITH_EXAMPLES = [(path, m) for path, m, what in openapi.operations() if "requestBody" in what]
COMPREHEND = "application/x-amz-json-1.1"


@schemathesis.serializer(COMPREHEND)
def write_json(_: Any, value: Any) -> bytes:
    """A body for clients of Amazon Comprehend."""
    return json.dumps(value).encode()


# A gateway says 404 to other methods, not 405.
NOT_OURS = [unsupported_method]


@pytest.fixture(scope="module")
def api() -> Iterator[Starlette]:
    model = load_model(in_process.BUNDLES / "modern")
    with in_process.gateway("modern", model) as gateway:
        yield gateway


def names_its_request(
    _: CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Every answer has the request's id, and a problem has the same one, and a type that its
    status may have."""
    [request_id] = response.headers["apigw-requestid"]
    [media_type] = response.headers["content-type"]
    if media_type == "application/problem+json":
        problem = response.json()
        assert (problem["requestId"], problem["status"]) == (request_id, response.status_code)
        operation = openapi.load()["paths"][case.path][case.method.lower()]
        described = openapi.resolve(operation["responses"][str(response.status_code)])
        assert problem["type"] in described["x-problem-types"]


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_api_answers_as_the_document_says(case: schemathesis.Case[Any], api: Starlette) -> None:
    spares = {
        # One review that cannot be read does not spoil the others: see Unread in the document. And
        # with reasons it takes fewer reviews than without, which the document says in words.
        "/api/sentiments": [positive_data_acceptance, negative_data_rejection],
        # Which fields a call needs depends on its operation, which the document cannot say.
        "/api/comprehend": [positive_data_acceptance, negative_data_rejection],
    }.get(case.path, [])
    case.call_and_validate(
        app=api,
        additional_checks=[names_its_request],
        excluded_checks=[*NOT_OURS, *spares],
    )


@pytest.mark.parametrize(("path", "method"), WITH_EXAMPLES)
def test_the_documents_examples_are_what_the_api_answers(
    api: Starlette, path: str, method: str
) -> None:
    operation = openapi.load()["paths"][path][method.lower()]
    for media_type, content in operation["requestBody"]["content"].items():
        answers = operation["responses"]["200"]["content"][media_type]["examples"]
        assert answers.keys() == content["examples"].keys()
        for name, example in content["examples"].items():
            sent = example["value"]
            body = sent if isinstance(sent, str) else json.dumps(sent)
            parameters = {p["name"]: p["example"] for p in operation.get("parameters", [])}
            headers = {"content-type": media_type, **parameters}
            answer = ask(api, Request(method, path, body, headers))
            given = answer.text if isinstance(sent, str) else answer.json()
            openapi.check_answer(operation, answer.status_code, dict(answer.headers), given)
            assert_same_answer(given, answers[name]["value"])


@pytest.mark.parametrize("document", ["README.md", "docs/api.md"])
def test_the_answers_that_are_shown_below_a_command_are_what_the_api_answers(
    api: Starlette, document: str
) -> None:
    text = (openapi.ROOT / document).read_text(encoding="utf-8")
    shown = re.findall(r"```sh\n(curl [^`]*)```\n\n```json\n([^`]*)```", text)
    assert shown
    for command, answer in shown:
        assert_same_answer(ask(api, read_curl(command)).json(), json.loads(answer))


def ask(api: Starlette, request: Request) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(api)
        async with httpx.AsyncClient(transport=transport, base_url="http://film") as client:
            return await client.request(
                request.method, request.path, content=request.body, headers=request.headers
            )

    return asyncio.run(run())


def assert_same_answer(given: Any, shown: Any) -> None:
    """Figures may differ as they do between processors, and each request has its own id."""
    if isinstance(shown, dict):
        assert given.keys() == shown.keys()
        for name in shown.keys() - {"requestId"}:
            assert_same_answer(given[name], shown[name])
    elif isinstance(shown, list):
        for one, other in zip(given, shown, strict=True):
            assert_same_answer(one, other)
    elif isinstance(shown, float):
        assert given == pytest.approx(shown, rel=0.02, abs=0.005)
    else:
        # For another model, take the answers anew: the version is one of its weights.
        assert given == shown
