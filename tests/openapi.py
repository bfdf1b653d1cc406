"""docs/openapi.yaml as tests use it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[1]
PATH = ROOT / "docs" / "openapi.yaml"
PROBLEM = "application/problem+json"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@cache
def load() -> dict[str, Any]:
    """The document."""
    document: dict[str, Any] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return document


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method in capitals, and what is said of each operation."""
    for path, item in load()["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method.upper(), item[method]


def resolve(part: dict[str, Any]) -> dict[str, Any]:
    """``part``, or what its ``$ref`` points at."""
    if "$ref" not in part:
        return part
    found = load()
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def validate(value: object, schema: dict[str, Any]) -> None:
    """Hold ``value`` against ``schema``, taking fields that are not listed for wrong.

    Raises:
        jsonschema.ValidationError: it does not fit.
    """
    closed = {**schema, "components": {"schemas": _closed_schemas()}}
    Draft202012Validator(closed).validate(value)


def check_answer(
    operation: dict[str, Any], status: int, headers: dict[str, str], body: Any
) -> None:
    """Hold an answer against what is said of its operation: status, media type, headers, fields.

    ``headers`` have names in lower case; ``body``: read from JSON, or the text.
    """
    check_response(operation["responses"][str(status)], headers, body)
    if headers["content-type"] == PROBLEM:
        assert body["status"] == status


def check_response(response: dict[str, Any], headers: dict[str, str], body: Any) -> None:
    """The same for one of the document's responses."""
    response = resolve(response)
    media_type = headers["content-type"].partition(";")[0]
    validate(body, response["content"][media_type]["schema"])
    if media_type == PROBLEM:
        assert body["type"] in response["x-problem-types"]
    for name, given in response["headers"].items():
        header = resolve(given)
        if name in headers:
            numeric = header["schema"].get("type") == "integer"
            validate(int(headers[name]) if numeric else headers[name], header["schema"])
        # The gateway adds its own.
        assert name in headers or name == "apigw-requestid" or not header.get("required"), name


@cache
def _closed_schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = copy.deepcopy(load()["components"]["schemas"])
    for schema in schemas.values():
        _close(schema)
    return schemas


def _close(schema: Any) -> None:
    """Allow no fields in objects but the listed ones, unless the document says otherwise."""
    if isinstance(schema, list):
        for inner in schema:
            _close(inner)
    elif isinstance(schema, dict):
        if schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
        for inner in schema.values():
            _close(inner)
