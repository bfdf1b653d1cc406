"""A review gets the same answer to the last digit: alone or among others, in any order, as JSON, as
plain text or as a line of a batch transform."""

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
from tests.fuzz.invariants import ask
from tests.invocations import make_event

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
