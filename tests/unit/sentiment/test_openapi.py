"""docs/openapi.yaml and docs/api.md describe the API that is there."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import app
import body
import comprehend
from body import MAX_EXPLAINED, MAX_REQUEST_CHARACTERS
from errors import (
    PROBLEMS,
    BadAnswerError,
    CallerError,
    ModelBusyError,
    ModelFailedError,
    ModelUnreachableError,
    ModelWakingError,
    OutOfTimeError,
    SetUpError,
    find_problem,
)
from local_stack.template import Template
from review_text.predict import MAX_CHARACTERS, MAX_REVIEWS
from tests import openapi
from tests.commands import read_curl
from tests.unit.sentiment.conftest import Api, HttpResponse

DOCUMENT = openapi.load()
SCHEMAS = DOCUMENT["components"]["schemas"]
RESPONSES = DOCUMENT["components"]["responses"]
OPERATIONS = {(path, method): content for path, method, content in openapi.operations()}
ONE, MANY = OPERATIONS["/api/sentiment", "POST"], OPERATIONS["/api/sentiments", "POST"]
COMPREHEND = "/api/comprehend"
SERVICE_ERRORS: list[Exception] = [
    SetUpError("no"),
    ModelFailedError("no"),
    BadAnswerError("no"),
    ModelWakingError("no"),
    ModelBusyError("no"),
    ModelUnreachableError("no"),
    OutOfTimeError("no"),
    KeyError("no"),
]


def parse(response: HttpResponse) -> Any:
    return response.json if "json" in response.headers["content-type"] else response.body


def types_of(response: dict[str, Any]) -> set[str]:
    """The types of problem that a response of the document may have."""
    return set(openapi.resolve(response).get("x-problem-types", []))


def test_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_has_the_projects_version_and_licence() -> None:
    project = tomllib.loads((openapi.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert DOCUMENT["info"]["version"] == project["project"]["version"]
    assert DOCUMENT["info"]["license"]["identifier"] == project["project"]["license"]


def test_has_the_routes_of_the_code_and_of_the_template_and_no_other() -> None:
    routes = {
        (route.path, route.method) for route in Template(openapi.ROOT / "template.yaml").routes
    }
    declared = {(path, route.method) for path, route in app.ROUTES.items()}
    assert set(OPERATIONS) == declared == routes


def test_has_the_media_types_of_the_code() -> None:
    assert set(ONE["requestBody"]["content"]) == {body.JSON, body.TEXT}
    assert set(MANY["requestBody"]["content"]) == {body.JSON}
    assert set(OPERATIONS[COMPREHEND, "POST"]["requestBody"]["content"]) == {comprehend.MEDIA_TYPE}
    answered = {
        media_type
        for operation in OPERATIONS.values()
        for response in operation["responses"].values()
        for media_type in openapi.resolve(response)["content"]
    }
    assert answered == {body.JSON, body.TEXT, app.PROBLEM, comprehend.MEDIA_TYPE}


def test_names_the_charsets_of_the_code() -> None:
    named = set(re.findall(r"`((?:utf|us|iso|windows)-[\w-]+)`", ONE["description"]))
    assert named | {"utf-8"} == set(body.CHARSETS)


def test_has_the_limits_of_the_code() -> None:
    assert SCHEMAS["Review"]["maxLength"] == MAX_CHARACTERS
    assert SCHEMAS["ReviewsRequest"]["properties"]["reviews"]["maxItems"] == MAX_REVIEWS
    assert SCHEMAS["Predictions"]["properties"]["results"]["maxItems"] == MAX_REVIEWS
    limits = SCHEMAS["Model"]["properties"]["limits"]["properties"]
    assert limits["characters"]["examples"] == [MAX_CHARACTERS]
    assert limits["reviews"]["examples"] == [MAX_REVIEWS]
    assert limits["explained"]["examples"] == [MAX_EXPLAINED]
    assert limits["request_characters"]["examples"] == [MAX_REQUEST_CHARACTERS]
    assert SCHEMAS["ComprehendText"]["maxLength"] == comprehend.MAX_BYTES
    texts = SCHEMAS["ComprehendCall"]["properties"]["TextList"]
    assert texts["maxItems"] == comprehend.MAX_TEXTS
    in_words = {MAX_CHARACTERS, MAX_REVIEWS, MAX_EXPLAINED, MAX_REQUEST_CHARACTERS, 25_000}
    in_words.add(comprehend.MAX_BYTES)
    text = openapi.PATH.read_text(encoding="utf-8")
    found = re.findall(r"\d+(?:,\d{3})+|\d+(?= reviews)", text)
    assert set(found) == {f"{number:,}" for number in in_words}


def test_has_every_problem_at_its_status_and_no_other() -> None:
    documented = {
        (status, kind)
        for operation in OPERATIONS.values()
        for status, response in operation["responses"].items()
        for kind in types_of(response)
    }
    documented |= {("403", kind) for kind in types_of(RESPONSES["WrongOrigin"])}
    documented |= {("404", kind) for kind in types_of(RESPONSES["NotFound"])}
    documented |= {("405", kind) for kind in types_of(RESPONSES["MethodNotAllowed"])}
    documented.add(("400", "/problems/unknown-event"))  # of an invocation that is no request
    assert documented == {
        (str(problem.status), f"/problems/{problem.slug}") for problem in PROBLEMS.values()
    }


def test_a_response_lists_the_types_of_its_problem_and_no_other_does() -> None:
    for response in RESPONSES.values():
        assert bool(types_of(response)) == (app.PROBLEM in response["content"])


def test_every_value_has_a_type_which_generators_of_clients_need() -> None:
    def look(part: Any, where: str) -> Iterator[str]:
        if isinstance(part, dict):
            if {"const", "enum"} & part.keys() and "type" not in part:
                yield where
            for name, inner in part.items():
                if name not in ("example", "examples", "value"):
                    yield from look(inner, f"{where}/{name}")
        elif isinstance(part, list):
            for inner in part:
                yield from look(inner, where)

    assert list(look(DOCUMENT, "")) == []


def test_every_response_that_is_described_is_used() -> None:
    text = openapi.PATH.read_text(encoding="utf-8")
    used = set(re.findall(r'"#/components/responses/(\w+)"', text))
    assert set(RESPONSES) - used == {"WrongOrigin", "NotFound", "MethodNotAllowed"}
    assert set(SCHEMAS) == set(re.findall(r'"#/components/schemas/(\w+)"', text))


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_has_the_gateways_own_answers(path: str, method: str) -> None:
    """What docs/api.md says that a program must expect of AWS."""
    responses = OPERATIONS[path, method]["responses"]
    for status in ("429", "500", "503", "504", *(["413"] if method == "POST" else [])):
        schema = openapi.resolve(responses[status])["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/GatewayMessage"}


GOOD: list[tuple[str, object, str]] = [
    ("/api/sentiment", {"review": "I loved it. Great film!"}, body.JSON),
    ("/api/sentiment", {"review": "I hated it.  Dull\n<b>film</b>", "explain": True}, body.JSON),
    ("/api/sentiment", {"review": "film " * 600, "explain": False}, body.JSON),
    ("/api/sentiment", {"review": "film", "explain": True, "effects": False}, body.JSON),
    ("/api/sentiment", "I loved it", body.TEXT),
    ("/api/sentiments", {"reviews": ["film", "", "?!", 7, "x" * 20_001, None]}, body.JSON),
    ("/api/sentiments", {"reviews": ["film", "great"], "explain": True}, body.JSON),
    ("/api/sentiments", {"reviews": ["?!"]}, body.JSON),
]
BAD: list[tuple[str, object, str]] = [
    ("/api/sentiment", "{", body.JSON),
    ("/api/sentiment", {"review": ""}, body.JSON),
    ("/api/sentiment", "", body.TEXT),
    ("/api/sentiment", {"review": "?!"}, body.JSON),
    ("/api/sentiment", {"review": "x" * 20_001}, body.JSON),
    ("/api/sentiment", "film", "text/html"),
    ("/api/sentiments", {"reviews": []}, body.JSON),
    ("/api/sentiments", {"reviews": ["film"] * 101}, body.JSON),
    ("/api/sentiments", {"reviews": ["film"] * 21, "explain": True}, body.JSON),
    ("/api/sentiments", "film", body.TEXT),
]


@pytest.mark.parametrize(("path", "content", "content_type"), [*GOOD, *BAD])
def test_describes_what_the_function_answers(
    api: Api, path: str, content: object, content_type: str
) -> None:
    response = api.post(path, content, content_type)
    assert (response.status == 200) == ((path, content, content_type) in GOOD)
    openapi.check_answer(
        OPERATIONS[path, "POST"], response.status, response.headers, parse(response)
    )


@pytest.mark.parametrize("path", ["/api/model", "/api/health"])
def test_describes_what_the_function_says_of_the_model(api: Api, path: str) -> None:
    response = api.get(path)
    openapi.check_answer(OPERATIONS[path, "GET"], 200, response.headers, parse(response))


def ask(api: Api, path: str) -> HttpResponse:
    """What a request without a fault is answered."""
    content = {"/api/sentiment": {"review": "film"}, "/api/sentiments": {"reviews": ["film"]}}
    if path == COMPREHEND:
        return api.call_comprehend("DetectSentiment", {"Text": "film", "LanguageCode": "en"})
    return api.post(path, content[path]) if path in content else api.get(path)


@pytest.mark.parametrize("error", SERVICE_ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_describes_how_every_operation_fails(
    api: Api, path: str, method: str, error: Exception
) -> None:
    api.endpoint.error = error
    response = ask(api, path)
    if path == "/api/model":  # does not ask the model
        assert response.status == 200
    elif path == COMPREHEND:
        assert response.status == (503 if find_problem(error).status == 503 else 500)
    else:
        assert response.status == find_problem(error).status
        assert ("retry-after" in response.headers) == (response.status == 503)
    operation = OPERATIONS[path, method]
    openapi.check_answer(operation, response.status, response.headers, parse(response))


@pytest.mark.parametrize(
    ("operation", "content"),
    [
        ("DetectSentiment", {"Text": "film", "LanguageCode": "en"}),
        ("DetectSentiment", {"Text": "film", "LanguageCode": "fr"}),
        ("DetectSentiment", {"Text": "x" * 5_001, "LanguageCode": "en"}),
        ("BatchDetectSentiment", {"TextList": ["film", "x" * 5_001, "?!"], "LanguageCode": "en"}),
        ("BatchDetectSentiment", {"TextList": ["film"] * 26, "LanguageCode": "en"}),
        ("BatchDetectSentiment", {"LanguageCode": "en"}),
        ("DetectEntities", {"Text": "film", "LanguageCode": "en"}),
    ],
)
def test_describes_what_clients_of_comprehend_are_answered(
    api: Api, operation: str, content: object
) -> None:
    response = api.call_comprehend(operation, content)
    described = OPERATIONS[COMPREHEND, "POST"]
    openapi.check_answer(described, response.status, response.headers, response.json)


def test_names_every_error_of_comprehend() -> None:
    errors = SCHEMAS["ComprehendError"]["properties"]["__type"]["enum"]
    named = {*comprehend.CODES.values(), "ServiceUnavailable", "InternalServerException"}
    assert set(errors) == named


def test_every_error_of_the_service_is_tried_above() -> None:
    tried = {find_problem(error).slug for error in SERVICE_ERRORS}
    theirs = {problem.slug for kind, problem in PROBLEMS.items() if issubclass(kind, CallerError)}
    assert tried | theirs == {problem.slug for problem in PROBLEMS.values()}


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [("GET", "/api/nothing", "NotFound"), ("GET", "/api/sentiment", "MethodNotAllowed")],
)
def test_describes_what_other_paths_and_methods_get(
    api: Api, method: str, path: str, name: str
) -> None:
    response = api.request(method, path)
    openapi.check_response(RESPONSES[name], response.headers, response.json)


@pytest.mark.parametrize(
    "review", ["x", "x" * MAX_CHARACTERS, "🎬 film" + "🎬" * (MAX_CHARACTERS - 6)]
)
def test_what_the_schema_of_a_review_allows_is_taken(api: Api, review: str) -> None:
    openapi.validate({"review": review}, SCHEMAS["ReviewRequest"])
    assert api.post("/api/sentiment", {"review": review}).status == 200


def test_the_example_of_a_problem_is_the_answer(api: Api) -> None:
    examples = RESPONSES["MalformedOrEmpty"]["content"][app.PROBLEM]["examples"]
    assert api.post("/api/sentiment", {"review": ""}).json == examples["empty"]["value"]


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
