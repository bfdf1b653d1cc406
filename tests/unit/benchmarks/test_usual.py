"""The usual path does the same work as the classic model: a slower way to the same numbers."""

from __future__ import annotations

import pytest

from benchmarks.chain import bare_function, reeltone, usual
from benchmarks.part import made_up
from benchmarks.usual import (
    STEPS,
    Usual,
    convert_and_pad,
    review_to_words,
    review_to_words_tidied,
)
from model_training.paths import MODELS
from review_text import load_vocabulary

REVIEWS = [*made_up(4).test.texts, "<br />It wasn't <b>his</b> best; 8/10!", "word " * 600]


@pytest.mark.parametrize("review", REVIEWS, ids=range(len(REVIEWS)))
def test_the_usual_code_finds_the_ids_of_the_classic_vocabulary(review: str) -> None:
    ids, length = convert_and_pad(Usual().numbers, review_to_words(review))
    vocabulary = load_vocabulary(MODELS / "classic" / "vocabulary.json")
    assert ids[:length] == vocabulary.encode_ids(review)
    assert len(ids) == STEPS
    assert set(ids[length:]) <= {0}


@pytest.mark.slow
def test_tidied_it_finds_the_same_words() -> None:
    for review in REVIEWS:
        assert review_to_words_tidied(review) == review_to_words(review)


def test_the_usual_model_answers_one_or_zero() -> None:
    assert {Usual().predict(review) for review in REVIEWS[:2]} <= {"0", "1"}


def test_each_application_asks_for_the_review_in_its_own_way() -> None:
    assert usual().event("Fine.")["body"] == "Fine."
    assert reeltone().event("Fine.")["body"] == '{"review": "Fine.", "explain": false}'
    assert bare_function().environment == {}


def test_made_up_reviews_are_the_same_each_time_and_half_of_them_positive() -> None:
    one, two = made_up(10), made_up(10)
    assert list(one.test.texts) == list(two.test.texts)
    assert one.test.labels.sum() == 5
    assert one.pick(3, start=2) == one.pick(5)[2:]


def test_texts_of_a_length_have_it() -> None:
    texts = made_up(10).of_length(230, 7)
    assert {len(text.split()) for text in texts} == {230}
    assert len(set(texts)) == 7
