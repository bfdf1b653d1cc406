"""Whatever event comes, the handler's answer is a response; and whatever a caller sends, it is a
success or says what is wrong with the request."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import app
from comprehend import MEDIA_TYPE
from model_training.serving.scorer import load_model
from tests import function, openapi
from tests.fuzz.invariants import CALLERS_FAULTS, check_answer
from tests.invocations import make_event

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
ANY_TEXT = st.text(st.characters(), max_size=12)
"""Lone surrogates among it."""

TYPES = ["application/json", "Application/JSON", "text/plain", "TEXT/PLAIN", "text/html", "*/*", ""]
CHARSETS = ["utf-8", '"UTF-8"', "utf8", "utf-16", "iso-8859-1", "windows-1252", "us-ascii"]
ODD_CHARSETS = ["idna", "zlib", "unicode_escape", "utf-7", "undefined", "*", "utf-8'en'utf-8"]
PARAMETERS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["charset", "Charset", " charset ", "boundary", "q"]),
    st.sampled_from(["=", " = ", "", "=="]),
    st.sampled_from(CHARSETS + ODD_CHARSETS) | ANY_TEXT,
)
CONTENT_TYPES = st.builds(
    lambda media_type, parameters, end: ";".join([media_type, *parameters]) + end,
    st.sampled_from(TYPES) | ANY_TEXT,
    st.lists(PARAMETERS, max_size=2),
    st.sampled_from(["", ";", " ", ",text/plain"]),
)
NAMES = st.sampled_from(["content-type", "Content-Type", "CONTENT-TYPE"])
OTHER_NAMES = st.sampled_from(["Accept", "accept-charset", "content-encoding", "host"]) | ANY_TEXT
ACCEPTED = st.sampled_from(["text/html, */*;q=0.1", "image/*", "gzip, br", "application/json;q=0"])
HEADERS = st.builds(
    lambda types, others: others | types,
    st.dictionaries(NAMES, CONTENT_TYPES, max_size=3),
    st.dictionaries(OTHER_NAMES, ACCEPTED | ANY_TEXT, max_size=3),
)

REVIEWS = st.sampled_from(["A great film.", "dull", "", " ", "?!", "\ud800", "film " * 600])
FIELDS = st.dictionaries(
    st.sampled_from(["review", "reviews", "explain"]) | ANY_TEXT,
    REVIEWS | st.lists(REVIEWS, max_size=3) | VALUES,
    max_size=3,
)
REQUESTS = st.builds(
    lambda fields, ascii_only: json.dumps(fields, ensure_ascii=ascii_only),
    st.builds(lambda review, explain: {"review": review, "explain": explain}, REVIEWS, VALUES)
    | st.builds(lambda reviews: {"reviews": reviews}, st.lists(REVIEWS | VALUES, max_size=3))
    | st.builds(
        lambda texts, one, code: {"TextList": texts, "Text": one, "LanguageCode": code},
        *(st.lists(REVIEWS | VALUES, max_size=3), REVIEWS | VALUES, st.just("en") | VALUES),
    )
    | FIELDS
    | VALUES,
    st.booleans(),
)
TEXT_BODIES = REQUESTS | ANY_TEXT | st.sampled_from(["\ud800", None])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
BYTES = st.builds(lambda text, encoding: text.encode(encoding, "replace"), REQUESTS, ENCODINGS)
BASE64 = (BYTES | st.binary(max_size=20)).map(lambda data: b64encode(data).decode())
BODIES = st.fixed_dictionaries(
    {},
    optional={"body": TEXT_BODIES | BASE64, "isBase64Encoded": st.booleans()},
)

PATHS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "/live", "/api", "//"]),
    st.sampled_from(list(app.ROUTES)) | ANY_TEXT,
    st.sampled_from(["", "/", "?x", "%00", "\x00", "/.."]),
)
METHODS = st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "post", "TRACE"]) | ANY_TEXT
QUERIES = st.fixed_dictionaries(
    {"rawQueryString": st.sampled_from(["", "a=1&a=2", "%ff=%zz&&=", "review=film"]) | ANY_TEXT},
    optional={
        "queryStringParameters": st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=2),
        "cookies": st.lists(ANY_TEXT, max_size=2),
    },
)
ROUTES = st.sampled_from([(route.method, path) for path, route in app.ROUTES.items()])
# Half of the requests reach a route; otherwise few would get past the first check.
TARGETS = ROUTES | st.tuples(METHODS, st.sampled_from(list(app.ROUTES)) | PATHS)
LEFT_OUT = st.sets(st.sampled_from(["version", "routeKey", "rawQueryString", "headers"]))


@pytest.fixture(scope="module", autouse=True)
def _connected() -> Iterator[None]:
    with function.connected("classic", load_model(function.BUNDLES / "classic")):
        yield


def send(event: object) -> int:
    """The status of the answer to an event, once it is seen to be as documented."""
    answer = function.call(event)
    check_answer(answer)
    status: int = answer["statusCode"]
    if status != 200:
        is_problem = answer["headers"]["Content-Type"] == app.PROBLEM
        name = "Problem" if is_problem else "ComprehendError"
        openapi.validate(json.loads(answer["body"]), {"$ref": f"#/components/schemas/{name}"})
    return status


def replace(event: Any, path: tuple[str, ...], value: object) -> Any:
    """``event`` with another value at ``path``."""
    if not path:
        return value
    return event | {path[0]: replace(event[path[0]], path[1:], value)}


def remove(event: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """``event`` without what is at ``path``."""
    if len(path) > 1:
        return event | {path[0]: remove(event[path[0]], path[1:])}
    return {name: value for name, value in event.items() if name != path[0]}


@settings(max_examples=400, deadline=None)
@given(
    target=TARGETS,
    headers=HEADERS | st.none(),
    body=BODIES,
    query=QUERIES,
    left_out=LEFT_OUT,
)
def test_any_request_is_answered_or_is_told_what_is_wrong_with_it(
    target: tuple[str, str],
    headers: dict[str, str] | None,
    body: dict[str, Any],
    query: dict[str, Any],
    left_out: set[str],
) -> None:
    event = make_event(*target, headers=headers, **(query | body))
    event = {name: value for name, value in event.items() if name not in left_out}
    assert send(event) in {200} | CALLERS_FAULTS


@settings(max_examples=200, deadline=None)
@given(
    target=ROUTES,
    content_type=st.sampled_from([*TYPES[:4], MEDIA_TYPE]),
    operation=st.sampled_from(["DetectSentiment", "BatchDetectSentiment", "DetectSyntax"]),
    charset=st.sampled_from(["", *(f"; charset={name}" for name in CHARSETS + ODD_CHARSETS)]),
    body=BODIES,
)
def test_any_body_is_answered_or_is_told_what_is_wrong_with_it(
    target: tuple[str, str], content_type: str, operation: str, charset: str, body: dict[str, Any]
) -> None:
    headers = {
        "content-type": content_type + charset,
        "x-amz-target": f"Comprehend_20171127.{operation}",
    }
    event = make_event(*target, headers=headers, **body)
    assert send(event) in {200} | CALLERS_FAULTS


GOOD = make_event(
    "POST",
    "/api/sentiment",
    body='{"review": "A great film."}',
    headers={"content-type": "application/json"},
)
WRONG = GOOD | {"body": ""}
PLACES = [
    (),
    *((name,) for name in GOOD),
    *(("requestContext", name) for name in GOOD["requestContext"]),
    *(("requestContext", "http", name) for name in GOOD["requestContext"]["http"]),
    ("headers", "content-type"),
]


@settings(max_examples=300, deadline=None)
@given(event=st.sampled_from([GOOD, WRONG]), place=st.sampled_from(PLACES), value=VALUES)
def test_an_event_that_no_http_api_sends_is_answered_too(
    event: dict[str, Any], place: tuple[str, ...], value: object
) -> None:
    send(replace(event, place, value))


@pytest.mark.parametrize("event", [GOOD, WRONG], ids=["good", "wrong"])
@pytest.mark.parametrize("place", PLACES[1:], ids=".".join)
def test_an_event_that_lacks_something_is_answered_too(
    event: dict[str, Any], place: tuple[str, ...]
) -> None:
    send(remove(event, place))


def test_half_a_character_as_utf_16_text_is_told_what_is_wrong_with_it() -> None:
    headers = {"content-type": "text/plain; charset=utf-16"}
    assert send(make_event("POST", "/api/sentiment", headers=headers, body="\ud800")) == 400


def test_a_request_id_that_is_no_text_becomes_text() -> None:
    send(replace(WRONG, ("requestContext", "requestId"), 7))
