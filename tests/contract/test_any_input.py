"""No text and no request breaks text processing or the endpoint; and a review gets the same answer
to the last digit: alone or among others, in any order, as JSON, plain text or a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_training.serving.functions import JSON, JSON_LINES
from model_training.serving.scorer import Model
from tests import function
from tests.fuzz.invariants import ask, check_encoded_together, check_request, check_text
from tests.fuzz.targets import TARGETS, read_corpus, seeds
from tests.invocations import make_event

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


ONE, MANY = "/api/sentiment", "/api/sentiments"
HUGE = ("A great film, or a dull one? " * 700)[:20_000]
SENTENCES = [
    "A great film!",
    "Dull, awful and far too long...",
    "I'd give it 8/10 :-)",
    "<b>Not</b> bad at all.<br />",
    "سينما رائعة",
    "映画は最高でした",
    "🎬 \u200bfilm\u200b 🎬",
    "İstanbul’da ﬁlm e\u0301",
    "loved \ud800 it\0",
]
# Of one token, of a window and a bit, of all that is read, of more than that.
READABLE = st.builds(
    lambda sentences, times: " ".join(sentences * times),
    st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=3),
    st.sampled_from([1, 2, 7, 13, 60]),
)
UNREADABLE: list[Any] = ["", " \n", "?! :-)", "<br />", HUGE + "!", 7, None, ["film"], {}]
REVIEWS = READABLE | st.sampled_from([*UNREADABLE, HUGE])


@pytest.fixture(autouse=True, scope="module")
def _connected(bundle: Path, model: Model) -> Iterator[None]:
    with function.connected(bundle.name, model):
        yield


def post(path: str, content: object, content_type: str = JSON) -> Any:
    """The answer's content; a problem's without the request's id."""
    body = content if isinstance(content, str) else json.dumps(content)
    event = make_event("POST", path, body=body, headers={"content-type": content_type})
    answer = json.loads(function.call(event)["body"])
    if isinstance(answer, dict):
        answer.pop("requestId", None)
    return answer


def alone(review: object, explain: bool) -> Any:
    """What a review gets alone, as it is shown among others: without effects."""
    answer = post(ONE, {"review": review, "explain": explain})
    for word in answer.get("words", []):
        del word["effect"]
    return {"problem": answer} if "type" in answer else answer


def check_company(reviews: Sequence[object], explain: bool) -> None:
    together = post(MANY, {"reviews": reviews, "explain": explain})["results"]
    assert together == [alone(review, explain) for review in reviews]


@settings(max_examples=40, deadline=None)
@given(reviews=st.lists(REVIEWS, min_size=1, max_size=6), explain=st.booleans())
def test_a_review_is_answered_alone_as_among_any_others(
    reviews: list[object], explain: bool
) -> None:
    check_company(reviews, explain)


@pytest.mark.parametrize(("count", "explain"), [(90, False), (10, True)])
def test_so_are_a_hundred_reviews_of_all_lengths(count: int, explain: bool) -> None:
    """With reasons, as many as a request may have."""
    random = Random(3)
    words = " ".join(SENTENCES).split()
    base = 624 ** (1 / count)  # more than are read
    lengths = [round(base**number) for number in range(1, count + 1)]
    reviews: list[Any] = [" ".join(random.choices(words, k=length)) for length in lengths]
    reviews += [*UNREADABLE, HUGE]
    random.shuffle(reviews)
    check_company(reviews, explain)


@settings(max_examples=25, deadline=None)
@given(review=READABLE | st.sampled_from([each for each in UNREADABLE if isinstance(each, str)]))
def test_a_review_is_answered_the_same_by_every_way(model: Model, review: str) -> None:
    answer = alone(review, explain=True)
    text = post(ONE, review, "text/plain")
    line = json.loads(ask(json.dumps({"review": review}).encode(), JSON_LINES, model))
    if "problem" in answer:
        assert text == answer["problem"]
        assert line.keys() == {"error"}
        return
    assert text == int(answer["sentiment"] == "positive")
    figures = ("sentiment", "probability", "logit", "verdict", "truncated")
    assert line == {name: answer[name] for name in figures}


@settings(max_examples=15, deadline=None)
@given(reviews=st.lists(REVIEWS, min_size=1, max_size=4), before=st.integers(0, 120))
def test_a_line_is_answered_alone_as_among_any_others(
    model: Model, reviews: list[object], before: int
) -> None:
    """Lines are scored a hundred at a time, so these may be in one such part or in two."""
    others = [json.dumps({"id": number, "review": "A film."}) for number in range(before)]
    lines = [json.dumps({"id": None, "review": review}) for review in reviews]
    answers = ask("\n".join(others + lines).encode(), JSON_LINES, model).split("\n")
    assert answers[before:] == [ask(line.encode(), JSON_LINES, model) for line in lines]
