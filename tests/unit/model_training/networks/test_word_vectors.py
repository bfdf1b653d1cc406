"""Skip-gram vectors: words that stand in the same places come to lie near each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.networks import word_vectors
from model_training.networks.word_vectors import SkipGram, load_or_train, train_vectors
from review_text import MODERN, build_vocabulary
from tests.small_corpus import REVIEWS

SMALL = SkipGram(vector_size=8, window=2, sample=0, epochs=20)


def reviews_of_two_topics() -> Encoded:
    """Words 2 to 5 in some reviews, 6 to 9 in the others; 10 and 11 in none."""
    draw = np.random.default_rng(0)
    reviews = [draw.integers(2, 6, 20) + 4 * (number % 2) for number in range(200)]
    return Encoded.of([review.astype(np.uint16) for review in reviews])


def similarity(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_words_of_one_topic_are_nearer_than_those_of_two() -> None:
    vectors = train_vectors([reviews_of_two_topics()], 12, SMALL, workers=1)
    assert vectors.shape == (12, 8)
    assert vectors.dtype == np.float32
    within = [similarity(vectors[2], vectors[other]) for other in (3, 4, 5)]
    across = [similarity(vectors[2], vectors[other]) for other in (6, 7, 8, 9)]
    assert min(within) > max(across)


def test_padding_is_nothing_and_words_that_never_occur_are_almost_nothing() -> None:
    vectors = train_vectors([reviews_of_two_topics()], 12, SMALL, workers=1)
    assert not vectors[0].any()
    unseen = np.abs(vectors[[10, 11]])
    assert 0 < unseen.max() < 0.3 < np.abs(vectors[2:10]).max()


def test_vectors_come_from_the_cache_the_second_time(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vocabulary = corpus.vocabulary(MODERN)
    first = load_or_train(corpus, vocabulary, SMALL, tmp_path, workers=1)
    assert first.shape == (len(vocabulary), 8)
    monkeypatch.setattr(word_vectors, "train_vectors", None)
    again = load_or_train(corpus, vocabulary, SMALL, tmp_path, workers=1)
    assert np.array_equal(first, again)


def test_other_settings_and_other_words_have_vectors_of_their_own(
    corpus: Corpus, tmp_path: Path
) -> None:
    vocabulary = corpus.vocabulary(MODERN)
    other = build_vocabulary(["a wonderful film"], MODERN)
    load_or_train(corpus, vocabulary, SMALL, tmp_path, workers=1)
    wide = SkipGram(vector_size=9, epochs=1)
    assert load_or_train(corpus, vocabulary, wide, tmp_path, workers=1).shape[1] == 9
    assert len(load_or_train(corpus, other, SMALL, tmp_path, workers=1)) == len(other)
    assert len(list(tmp_path.glob("word-vectors-*.npy"))) == 3


def test_they_are_trained_on_training_and_unlabelled_reviews_and_not_on_test_reviews(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[list[int]] = []

    def train(splits: list[Encoded], entries: int, *_: object) -> npt.NDArray[np.float32]:
        read.extend(split.labels.tolist() for split in splits)
        return np.zeros((entries, 8), np.float32)

    monkeypatch.setattr(word_vectors, "train_vectors", train)
    load_or_train(corpus, corpus.vocabulary(MODERN), SMALL, tmp_path, workers=1)
    assert read == [[1] * REVIEWS + [0] * REVIEWS, [-1] * REVIEWS]
