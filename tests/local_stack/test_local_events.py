"""Requests as payload 2.0 events, results as responses."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from local_stack.events import ResultError, build_event, build_response

SAMPLE = Path(__file__).resolve().parents[2] / "events" / "explain.json"


def make_request(
    headers: list[tuple[str, str]] | None = None, query: str = "", method: str = "POST"
) -> Request:
    return Request(
        {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": "/api/sentiment",
            "query_string": query.encode(),
            "headers": [(n.lower().encode(), v.encode()) for n, v in headers or []],
            "client": ("203.0.113.9", 50000),
            "server": ("127.0.0.1", 8000),
        }
    )


def event_for(headers: list[tuple[str, str]], body: bytes, query: str = "") -> dict[str, Any]:
    return build_event(make_request(headers, query), body, "POST /api/sentiment", "request-1")


def shape(value: Any) -> Any:
    """Names and types, without the values; of headers, only that they are text."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key != "headers"}
    return type(value).__name__


def test_an_event_has_the_shape_of_the_sample_events() -> None:
    sample = json.loads(SAMPLE.read_text(encoding="utf-8"))
    event = event_for([("Content-Type", "application/json"), ("Host", "x.example")], b"{}")
    assert shape(event) == shape(sample)


def test_an_event_says_who_asked_what_and_when() -> None:
    event = event_for([("User-Agent", "curl/8"), ("Host", "film.example")], b"")
    context = event["requestContext"]
    assert context["http"] == {
        "method": "POST",
        "path": "/api/sentiment",
        "protocol": "HTTP/1.1",
        "sourceIp": "203.0.113.9",
        "userAgent": "curl/8",
    }
    assert context["requestId"] == "request-1"
    assert (context["domainName"], context["domainPrefix"]) == ("film.example", "film")
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["time"])
    assert event["routeKey"] == context["routeKey"] == "POST /api/sentiment"


def test_header_names_are_lower_case_and_repeated_values_are_joined() -> None:
    event = event_for([("X-Thing", "a"), ("x-thing", "b")], b"")
    assert event["headers"]["x-thing"] == "a,b"


def test_cookies_stand_apart_from_the_headers() -> None:
    event = event_for([("Cookie", "a=1; b=2")], b"")
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]


def test_the_query_is_there_raw_and_parsed() -> None:
    event = event_for([], b"", query="a=1&a=2&b=%20")
    assert event["rawQueryString"] == "a=1&a=2&b=%20"
    assert event["queryStringParameters"] == {"a": "1,2", "b": " "}


@pytest.mark.parametrize("query", [b"a=\xff", b"a=%ff", b"%zz=%", b"&;=", b"\xc3\xa9"])
def test_a_query_may_be_any_bytes(query: bytes) -> None:
    request = make_request()
    request.scope["query_string"] = query
    event = build_event(request, b"", "POST /api/sentiment", "request-1")
    assert event["rawQueryString"].encode("latin-1") == query


@pytest.mark.parametrize("host", ["film:9", "film:x", "film:99999", "film:-1", "[", "", "a/b#d"])
def test_a_host_may_be_any_text_and_is_not_taken_for_the_port(host: str) -> None:
    event = event_for([("Host", host)], b"")
    assert event["requestContext"]["domainName"] == host
    assert event["headers"]["x-forwarded-port"] == "8000"


@pytest.mark.parametrize("path", ["/api/senti\tment", "/a?b", "/a#b", "//film/a", "/\ufffd\x00\n"])
def test_a_path_is_handed_on_as_it_is(path: str) -> None:
    request = make_request()
    request.scope["path"] = path
    event = build_event(request, b"", "POST /api/sentiment", "request-1")
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == path


def test_an_empty_body_is_left_out() -> None:
    event = event_for([("Content-Type", "image/png")], b"")
    assert "body" not in event
    assert event["isBase64Encoded"] is False


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain; charset=utf-8", "Application/JSON"]
)
def test_text_goes_as_text(content_type: str) -> None:
    event = event_for([("Content-Type", content_type)], "süß".encode())
    assert (event["body"], event["isBase64Encoded"]) == ("süß", False)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([("Content-Type", "image/png")], b"\x89PNG"),
        ([("Content-Type", "application/x-www-form-urlencoded")], b"a=1"),
        ([("Content-Type", "application/json"), ("Content-Encoding", "gzip")], b"\x1f\x8b"),
        ([("Content-Type", "application/json")], b'{"review": "\xff"}'),
    ],
)
def test_anything_else_goes_as_base64(headers: list[tuple[str, str]], body: bytes) -> None:
    event = event_for(headers, body)
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


def test_a_result_with_a_status_code_is_the_response() -> None:
    response = build_response(
        {
            "statusCode": 413,
            "headers": {"Content-Type": "application/problem+json", "Retry-After": 3},
            "cookies": ["a=1", "b=2"],
            "body": "{}",
        }
    )
    assert (response.status_code, response.body) == (413, b"{}")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "3"
    assert response.headers.getlist("set-cookie") == ["a=1", "b=2"]


def test_a_base64_body_is_decoded() -> None:
    result = {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(b"\0").decode()}
    assert build_response(result).body == b"\0"


@pytest.mark.parametrize("result", [{"a": 1}, "hello", [1], None])
def test_a_result_without_a_status_code_is_json_with_status_200(result: Any) -> None:
    response = build_response(result)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert json.loads(bytes(response.body)) == result


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "many"},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": ["not", "pairs"]},
        {"statusCode": 200, "isBase64Encoded": True, "body": "?"},
    ],
)
def test_a_result_that_is_no_response_is_an_error(result: Any) -> None:
    with pytest.raises(ResultError):
        build_response(result)
