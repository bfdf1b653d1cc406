"""The linear side path of n-grams, and skip-gram vectors."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.networks import word_vectors
from model_training.networks.ngrams import NGrams, fit_ngrams, keys_of, load_ngrams, save_ngrams
from model_training.networks.word_vectors import SkipGram, load_or_train, train_vectors
from review_text import MODERN, build_vocabulary
from tests.small_corpus import REVIEWS

ENTRIES = 60


def make_split(reviews: int, seed: int = 0, longest: int = 40) -> Encoded:
    """Reviews of random ids; positive ones have the phrase 50 51 52, negative ones 52 51 50."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, reviews).astype(np.int8)
    texts = []
    for label in labels:
        text = random.integers(1, 50, random.integers(4, longest)).tolist()
        place = random.integers(0, len(text))
        texts.append(text[:place] + ([50, 51, 52] if label else [52, 51, 50]) + text[place:])
    offsets = np.cumsum([0, *map(len, texts)])
    return Encoded(np.concatenate(texts).astype(np.uint16), offsets, labels)


@pytest.fixture(scope="module")
def ngrams() -> NGrams:
    return fit_ngrams(make_split(300), entries=500)


def test_the_keys_of_ngrams_are_the_same_for_the_same_ids_only() -> None:
    ids = np.random.default_rng(1).integers(1, 30_000, 4_000).astype(np.uint16)
    for length, keys in enumerate(keys_of(ids), 1):
        phrases = [tuple(ids[start : start + length]) for start in range(len(ids) - length + 1)]
        assert len(keys) == len(phrases)
        assert len(set(keys.tolist())) == len(set(phrases))
        assert (keys > 0).all()


def test_a_review_shorter_than_an_ngram_has_none_of_it() -> None:
    assert [len(keys) for keys in keys_of(np.array([7, 8], np.uint16))] == [2, 1, 0]


def test_it_learns_the_order_of_words(ngrams: NGrams) -> None:
    unseen = make_split(200, seed=9)
    right = (ngrams.logits(unseen) > 0) == (unseen.labels == 1)
    assert right.mean() > 0.95


def test_an_ngram_counts_once_however_often_it_is_there(ngrams: NGrams) -> None:
    once = np.array([50, 51, 52, 7], np.uint16)
    again = np.concatenate([once, once[:3]])
    added = {tuple(again[at : at + n]) for n in (1, 2, 3) for at in range(8 - n)} - {
        tuple(once[at : at + n]) for n in (1, 2, 3) for at in range(5 - n)
    }
    said = sum(
        (ngrams.logit(np.array(gram, np.uint16)) - ngrams.bias) * len(gram) ** 0.5
        for gram in added
        if len(gram) == 1
    )
    assert said == 0  # no new word; what is new are the phrases around the joint
    before = (ngrams.logit(once) - ngrams.bias) * 2.0
    after = (ngrams.logit(again) - ngrams.bias) * 7**0.5
    assert abs(after - before) < abs(before)


def test_a_review_without_tokens_says_nothing_but_the_bias(ngrams: NGrams) -> None:
    assert ngrams.logit(np.zeros(0, np.uint16)) == ngrams.bias


def test_phrases_in_one_review_only_are_not_learned() -> None:
    split = make_split(6)
    counts = Counter(key for row in range(6) for keys in keys_of(split[row]) for key in set(keys))
    learned = fit_ngrams(split, entries=500)
    assert np.count_nonzero(learned.levels) <= sum(1 for count in counts.values() if count > 1)


def test_they_are_loaded_as_they_were_saved(ngrams: NGrams, tmp_path: Path) -> None:
    assert load_ngrams(tmp_path / "ngrams.safetensors") is None
    save_ngrams(ngrams, tmp_path / "ngrams.safetensors")
    loaded = load_ngrams(tmp_path / "ngrams.safetensors")
    assert loaded is not None
    assert (loaded.scale, loaded.bias) == (ngrams.scale, ngrams.bias)
    assert (loaded.levels == ngrams.levels).all() and (loaded.checks == ngrams.checks).all()


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
