"""The linear side path, against a plain classifier of n-grams."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from model_training.corpus.reviews import Encoded
from model_training.networks.ngrams import NGrams, fit_ngrams, keys_of, load_ngrams, save_ngrams

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
