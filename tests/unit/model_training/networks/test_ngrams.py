"""The linear side path, against a plain classifier of n-grams, and its graph against itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from model_training.corpus.reviews import Encoded
from model_training.export.graph import build_graph
from model_training.networks.ngrams import NGrams, fit_ngrams, keys_of, load_ngrams, save_ngrams
from model_training.networks.review_lstm import ReviewLSTM
from review_text import MODERN
from tests.small_recipes import settings_of

ENTRIES = 60
WINDOW = MODERN.window


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


def test_the_graph_adds_what_the_ngrams_say_and_shares_it_among_their_words(
    ngrams: NGrams,
) -> None:
    config = replace(settings_of("modern"), embedding_size=4, hidden_size=3)
    torch.manual_seed(0)
    model = ReviewLSTM(config, ENTRIES).eval()
    with_ngrams, without = (
        onnxruntime.InferenceSession(build_graph(model, "fp32", side).SerializeToString())
        for side in (ngrams, None)
    )
    for length in (1, 2, 3, WINDOW, WINDOW + 1, 2 * WINDOW + 2):
        ids = np.random.default_rng(length).integers(1, 53, length).astype(np.uint16)
        ids[: min(3, length)] = [50, 51, 52][: min(3, length)]
        windows = -(-length // WINDOW)
        width = WINDOW if windows > 1 else length
        padded = np.zeros((windows, width), np.int32)
        padded.reshape(-1)[:length] = ids
        feed = {
            "windows": padded,
            "window_lengths": np.clip(length - np.arange(windows) * width, 0, width).astype(
                np.int32
            ),
            "lengths": np.array([length], np.int32),
        }
        logit, contributions = with_ngrams.run(["logits", "contributions"], feed)
        alone, contributions_alone = without.run(["logits", "contributions"], feed)
        assert logit[0] - alone[0] == pytest.approx(ngrams.logit(ids), abs=1e-5)
        shared = (contributions - contributions_alone)[0]
        assert shared.sum() + ngrams.bias == pytest.approx(ngrams.logit(ids), abs=1e-5)
        assert not shared[length:].any()
