"""What the pictures of the data count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded, Split
from model_training.report import explore
from model_training.report.explore import (
    Phrases,
    count_phrases,
    describe_lengths,
    log_odds,
    most_distinctive,
    most_frequent,
)
from review_text import MODERN, Vocabulary, build_vocabulary

REVIEWS = ["a great film , a great film", "great film and bad", "bad plot", "zyx great"]
LABELS = [1, 1, 0, 0]


@pytest.fixture(autouse=True)
def count_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore, "MIN_REVIEWS", 1)


def encode(reviews: list[str], vocabulary: Vocabulary) -> Encoded:
    ids = [vocabulary.encode(review).ids for review in reviews]
    offsets = np.concatenate([[0], np.cumsum([len(review) for review in ids])])
    flat = np.array([number for review in ids for number in review], np.uint16)
    return Encoded(flat, offsets, np.array(LABELS, np.int8))


def counted(length: int) -> dict[str, tuple[int, int]]:
    """phrase → (negative reviews, positive reviews)"""
    vocabulary = build_vocabulary([review.replace("zyx", "") for review in REVIEWS], MODERN)
    phrases = count_phrases(encode(REVIEWS, vocabulary), vocabulary, length)
    return dict(zip(phrases.texts, zip(*phrases.counts.tolist(), strict=True), strict=True))


def test_a_word_counts_once_a_review() -> None:
    words = counted(1)
    assert words["great"] == (1, 2)
    assert words["bad"] == (1, 1)


def test_punctuation_and_infrequent_words_are_no_words() -> None:
    assert set(counted(1)) == {"a", "great", "film", "and", "bad", "plot"}


def test_a_phrase_stays_within_its_review_and_its_sentence() -> None:
    assert counted(2) == {
        "a great": (0, 1),
        "great film": (0, 2),
        "film and": (0, 1),
        "and bad": (0, 1),
        "bad plot": (1, 0),
    }
    assert counted(3) == {
        "a great film": (0, 1),
        "great film and": (0, 1),
        "film and bad": (0, 1),
    }


def test_rare_phrases_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore, "MIN_REVIEWS", 2)
    assert set(counted(2)) == {"great film"}


def test_frequent_phrases_neither_start_nor_end_with_a_stop_word() -> None:
    texts = ["the film", "waste of time", "film of", "plot", "don't"]
    phrases = Phrases(texts, np.array([[9, 5, 8, 6, 9], [1, 1, 1, 1, 1]]))
    assert most_frequent(phrases, 0, 9) == [("plot", 6.0), ("waste of time", 5.0)]
    assert most_frequent(phrases, 0, 1) == [("plot", 6.0)]


def test_log_odds_tell_the_classes_apart_and_trust_frequent_words_more() -> None:
    counts = np.array([[100, 10, 0, 500], [10, 100, 3, 500]])
    negative, positive, rare, even = log_odds(counts)
    assert negative < -5
    assert positive > 5
    assert 0 < rare < positive  # its ratio is infinite, and could be chance
    assert even == pytest.approx(0, abs=0.5)


def test_distinctive_phrases_are_those_of_one_class_surest_first() -> None:
    phrases = Phrases(["bad", "great", "fine"], np.array([[90, 10, 30], [10, 90, 60]]))
    assert [text for text, _ in most_distinctive(phrases, 1, 5)] == ["great", "fine"]
    [(text, score)] = most_distinctive(phrases, 0, 5)
    assert text == "bad"
    assert score > 0


def test_lengths_are_described_by_class() -> None:
    lengths = np.array([100, 200, 300, 1_600, 5])
    text = describe_lengths(lengths, np.array([0, 0, 0, 0, 1]), 512)
    assert "| negative | 4 | 175 | 250 | 625 | 1,600 | 25.0% |" in text
    assert "| positive | 1 | 5 | 5 | 5 | 5 | 0.0% |" in text


@pytest.mark.slow
def test_exploring_draws_everything_and_never_looks_at_the_test_reviews(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Corpus.split
    seen: set[str] = set()

    def watch(self: Corpus, name: str) -> Split:
        seen.add(name)
        return read(self, name)

    monkeypatch.setattr(Corpus, "split", watch)
    document = tmp_path / "docs" / "data.md"
    document.parent.mkdir()
    document.write_text("<!-- lengths:begin -->\n<!-- lengths:end -->\n")
    arguments = ["--data-dir", str(tmp_path / "data"), "--docs", str(document.parent)]
    explore.main(arguments)
    assert seen == {"train", "unsup"}  # unlabelled reviews are part of the vocabulary
    assert "| positive | 40 |" in document.read_text()
    drawn = {path.name for path in (document.parent / "data").iterdir()}
    assert drawn == {
        "words.svg",
        "bigrams.svg",
        "trigrams.svg",
        "word_cloud.png",
        "lengths.svg",
    }
    assert "wonderful" in (document.parent / "data" / "words.svg").read_text()


def test_clouds_are_small_and_the_same_each_time(tmp_path: Path) -> None:
    random: Any = np.random.default_rng(0)
    texts = [f"word{number}" for number in range(60)]
    words = Phrases(texts, random.integers(1, 400, (2, 60)))
    explore.draw_clouds(tmp_path / "one.png", words)
    explore.draw_clouds(tmp_path / "two.png", words)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").stat().st_size < 60_000
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.size == (960, 360)
