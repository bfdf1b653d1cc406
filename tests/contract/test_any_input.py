"""No text and no request breaks text processing or the endpoint."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_training.serving.functions import JSON, JSON_LINES
from model_training.serving.scorer import Model
from tests.fuzz.corpus import read_corpus
from tests.fuzz.invariants import check_encoded_together, check_request, check_text
from tests.fuzz.targets import TARGETS, seeds

PIECES = [
    "<br />",
    "<rt>",
    "</rt>",
    "<!--",
    "-->",
    "&amp;",
    "&#x1F600;",
    "İ",
    "ﬁ",
    "\u0301",
    "\ud800",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=12).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_any_text_is_encoded_by_the_rules(model: Model, text: str) -> None:
    check_text(text, model.vocabulary)


@settings(max_examples=30, deadline=None)
@given(body=st.binary(max_size=80), content_type=st.sampled_from([JSON, JSON_LINES, "", "x/y"]))
def test_any_bytes_are_answered_or_refused(model: Model, body: bytes, content_type: str) -> None:
    check_request(body, content_type, model)


@settings(max_examples=60, deadline=None)
@given(reviews=st.lists(st.lists(st.integers(-1, 5_000) | VALUES, max_size=5), max_size=3))
def test_any_ids_are_answered_or_refused(model: Model, reviews: list[Any]) -> None:
    request = model.vocabulary.make_request(reviews) | {"contributions": True}
    check_request(json.dumps(request).encode(), JSON, model)


@settings(max_examples=60, deadline=None)
@given(fields=st.fixed_dictionaries({}, optional=dict.fromkeys(["windows", "lengths"], VALUES)))
def test_any_windows_are_answered_or_refused(model: Model, fields: dict[str, object]) -> None:
    request = model.vocabulary.make_request([[2, 3], [4]]) | fields
    check_request(json.dumps(request).encode(), JSON, model)


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(st.fixed_dictionaries({"id": VALUES, "review": TEXTS}) | VALUES, max_size=4))
def test_any_lines_are_answered_line_by_line(model: Model, lines: list[object]) -> None:
    check_request("\n".join(map(json.dumps, lines)).encode(), JSON_LINES, model)


@settings(max_examples=20, deadline=None)
@given(texts=st.lists(TEXTS, max_size=5), repeated=st.integers(1, 60))
def test_a_review_is_answered_the_same_in_any_company(
    model: Model, texts: list[str], repeated: int
) -> None:
    check_encoded_together([text * repeated for text in texts], model)


@pytest.mark.parametrize("name", TARGETS)
def test_the_inputs_that_the_fuzzer_kept_break_no_rule(name: str) -> None:
    for data in [*seeds(name), *read_corpus(name)]:
        TARGETS[name](data)
