"""docs/api.md against the code: nothing is left out, and its examples work."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import app
from body import MAX_EXPLAINED, MAX_REQUEST_CHARACTERS
from errors import PROBLEMS
from review_text.predict import MAX_CHARACTERS, MAX_REVIEWS
from tests.commands import read_curl

from .conftest import Api, HttpResponse

REFERENCE = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```sh\n(curl .*?)\n```", REFERENCE, re.MULTILINE | re.DOTALL)


def test_names_every_route_and_the_limits() -> None:
    for path, route in app.ROUTES.items():
        assert f"`{route.method} {path}`" in REFERENCE
    assert f"{MAX_CHARACTERS:,} characters" in REFERENCE
    assert f"1 to {MAX_REVIEWS} reviews" in REFERENCE
    assert f"{MAX_EXPLAINED} reviews with `explain`" in REFERENCE
    assert f"{MAX_REQUEST_CHARACTERS:,} characters together" in REFERENCE


def test_names_every_problem_with_its_status_and_no_other() -> None:
    listed = re.findall(r"^\| `/problems/([a-z-]+)` \| (\d+) ", REFERENCE, re.MULTILINE)
    existing = [(problem.slug, str(problem.status)) for problem in PROBLEMS.values()]
    assert sorted(listed) == sorted(existing)


@pytest.mark.parametrize("metric", ["Answered", "Refused", "Unavailable", "Failed"])
def test_names_every_metric(metric: str) -> None:
    assert f"`{metric}`" in REFERENCE


def test_has_examples_of_every_route() -> None:
    assert len(EXAMPLES) == 8
    assert {read_curl(example).path for example in EXAMPLES} == set(app.ROUTES)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_work(api: Api, example: str) -> None:
    response = run_curl(api, example)
    # Under "Problems" the request is wrong on purpose.
    assert response.status == (400 if '"review": ""' in example else 200)


def test_shows_a_problem_as_it_is(api: Api) -> None:
    [shown] = re.findall(r'^\{"type".*', REFERENCE, re.MULTILINE)
    assert run_curl(api, EXAMPLES[-1]).json == json.loads(shown)


def run_curl(api: Api, command: str) -> HttpResponse:
    request = read_curl(command)
    if request.method == "GET":
        return api.get(request.path)
    return api.request("POST", request.path, body=request.body, headers=request.headers)
