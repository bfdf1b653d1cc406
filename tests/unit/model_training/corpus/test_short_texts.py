"""Excerpts and negated sentences."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model_training.corpus.reviews import Encoded
from model_training.corpus.short_texts import (
    NOT_BAD,
    NOT_BAD_AT_ALL,
    NOT_GOOD,
    NOT_GOOD_AT_ALL,
    cut_excerpts,
    negate_sentences,
)
from review_text import MODERN, Vocabulary

WORDS = "the film is was great awful very not isn't wasn't at all but it . ! ? a and never plot"
VOCABULARY = Vocabulary(MODERN, WORDS.split())


def encode(*reviews: str) -> Encoded:
    ids = [np.array(VOCABULARY.encode_ids(review), np.uint16) for review in reviews]
    return Encoded.of(ids, np.array([1, 0] * len(ids), np.int8)[: len(ids)])


def texts_of(reviews: Encoded) -> list[str]:
    return [" ".join(map(VOCABULARY.word, reviews[row].tolist())) for row in range(len(reviews))]


def judge(reviews: Encoded) -> npt.NDArray[np.float32]:
    """Sure of what is great or awful, and of nothing else."""
    found = []
    for text in texts_of(reviews):
        found.append(0.95 if "great" in text else 0.05 if "awful" in text else 0.6)
    return np.array(found, np.float32)


def test_an_excerpt_is_some_whole_sentences_of_a_review_with_its_label() -> None:
    reviews = encode(
        "the film is great. the plot is awful! it was a film. and the plot?",
        "the film is awful.",  # one sentence is no excerpt
        "it is very very great. the plot was awful",
    )
    seen = set()
    for seed in range(30):
        excerpts = cut_excerpts(reviews, VOCABULARY, seed)
        assert excerpts.labels.tolist() == [1, 1]
        first, second = texts_of(excerpts)
        assert first in "the film is great . the plot is awful ! it was a film . and the plot ?"
        assert first[-1] in ".!?"
        assert second in "it is very very great . the plot was awful"
        seen.add(first)
    assert len(seen) > 4


def test_an_excerpt_fits_a_window() -> None:
    reviews = encode("the film is great. " + "very " * 100 + "great.")
    for seed in range(5):
        assert cut_excerpts(reviews, VOCABULARY, seed).lengths.max() <= MODERN.window


def negated(*reviews: str) -> dict[str, float]:
    texts, targets = negate_sentences(encode(*reviews), VOCABULARY, judge, seed=0)
    assert texts.labels.tolist() == [int(target > 0.5) for target in targets]
    rounded = [round(float(target), 2) for target in targets]
    return dict(zip(texts_of(texts), rounded, strict=True))


def test_a_sentence_that_is_surely_positive_is_also_learned_negated() -> None:
    assert negated("the film is great. it was.") == {
        "the film is great .": 0.95,
        "the film is not great .": NOT_GOOD,
        "the film isn't great .": NOT_GOOD,
        "not great .": NOT_GOOD,
        "not great at all .": NOT_GOOD_AT_ALL,
        "the film is not great at all .": NOT_GOOD_AT_ALL,
    }


def test_what_is_not_awful_is_rather_positive() -> None:
    found = negated("the plot was very awful and it was. the plot was awful and a film.")
    assert found == {
        "the plot was awful and a film .": 0.05,
        "the plot was not awful and a film .": NOT_BAD,
        "the plot wasn't awful and a film .": NOT_BAD,
    }
    assert negated("it is awful!")["not awful at all !"] == NOT_BAD_AT_ALL


def test_sentences_that_turn_their_own_sense_are_left_alone() -> None:
    assert negated("it isn't great.", "it is not great.", "it is great but a film.") == {}


def test_sentences_that_the_judge_is_not_sure_of_are_left_alone() -> None:
    assert negated("the film is very very very the plot.") == {}
