"""Requests made up from docs/openapi.yaml, right and wrong, to gateway, function and model.

REELTONE_API_EXAMPLES=1000 tries more of them: make fuzz-api.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CheckContext, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, unsupported_method
from starlette.applications import Starlette

from model_training.inference import model_fn
from tests import in_process, openapi

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
# A gateway says 404 to other methods, not 405.
NOT_OURS = [unsupported_method]


@pytest.fixture(scope="module")
def api() -> Iterator[Starlette]:
    model = model_fn(str(in_process.BUNDLES / "modern"))
    with in_process.gateway("modern", model) as gateway:
        yield gateway


def names_its_request(
    _: CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Every answer has the request's id, and a problem has the same one."""
    [request_id] = response.headers["apigw-requestid"]
    [media_type] = response.headers["content-type"]
    if media_type == "application/problem+json":
        problem = response.json()
        assert (problem["requestId"], problem["status"]) == (request_id, response.status_code)


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_api_answers_as_the_document_says(case: schemathesis.Case[Any], api: Starlette) -> None:
    # One review that cannot be read does not spoil the others: see Unread in the document.
    spares = [negative_data_rejection] if case.path == "/api/sentiments" else []
    case.call_and_validate(
        app=api,
        additional_checks=[names_its_request],
        excluded_checks=[*NOT_OURS, *spares],
    )


@pytest.mark.parametrize(("path", "method"), [(path, m) for path, m, _ in openapi.operations()])
def test_the_documents_examples_are_what_the_api_answers(
    api: Starlette, path: str, method: str
) -> None:
    """All but the figures, which change with the model."""
    operation = openapi.load()["paths"][path][method.lower()]
    for media_type, content in operation.get("requestBody", {"content": {}})["content"].items():
        answers = operation["responses"]["200"]["content"][media_type]["examples"]
        assert answers.keys() == content["examples"].keys()
        for name, example in content["examples"].items():
            sent = example["value"]
            body = sent if isinstance(sent, str) else json.dumps(sent)
            answer = ask(api, path, body, media_type)
            given = answer.text if isinstance(sent, str) else answer.json()
            openapi.check_answer(operation, answer.status_code, dict(answer.headers), given)
            assert without_figures(given) == without_figures(answers[name]["value"])


def ask(api: Starlette, path: str, body: str, media_type: str) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(api)
        async with httpx.AsyncClient(transport=transport, base_url="http://film") as client:
            return await client.post(path, content=body, headers={"content-type": media_type})

    return asyncio.run(run())


def without_figures(answer: object) -> object:
    """An answer without what depends on the weights of the model."""
    if isinstance(answer, list):
        return [without_figures(each) for each in answer]
    if isinstance(answer, dict):
        return {
            name: "…" if isinstance(value, float) or name == "model" else without_figures(value)
            for name, value in answer.items()
        }
    return answer
