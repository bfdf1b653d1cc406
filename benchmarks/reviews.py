"""The reviews that are measured with: the test split, or made up from sentences of our own."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from model_training.corpus.cache import Corpus
from model_training.evaluation.peers.peer import Reviews
from model_training.evaluation.short_cases import SHORT_CASES

_SEED = 7


@dataclass(frozen=True)
class Source:
    """Labelled reviews to measure with, and others to train a peer on."""

    test: Reviews
    train: Reviews
    name: str
    """What they are, for the reader of a figure."""

    def pick(self, count: int, start: int = 0) -> list[str]:
        """Give ``count`` test reviews, drawn once and for all; ``start`` skips so many of the
        draw."""
        order = np.random.default_rng(_SEED).permutation(len(self.test.texts))
        return [self.test.texts[row] for row in order[start : start + count]]

    def of_length(self, words: int, count: int) -> list[str]:
        """Give ``count`` texts of so many words each, cut from test reviews that follow each
        other."""
        stream = (word for text in cycle(self.pick(1_000)) for word in text.split())
        return [" ".join(next(stream) for _ in range(words)) for _ in range(count)]


def from_corpus(corpus: Corpus) -> Source:
    """Give the official splits."""
    test, train = corpus.split("test"), corpus.split("train")
    return Source(
        Reviews(test.texts, test.labels), Reviews(train.texts, train.labels), "test reviews"
    )


def made_up(count: int = 120) -> Source:
    """Give reviews of 1 to 40 sentences of short_reviews.csv, half of them positive: the same ones
    each time, on any machine, with no data set."""
    with SHORT_CASES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    draw = random.Random(_SEED)  # nosec B311 - the same reviews each time, no secrets

    def write(positive: bool) -> str:
        kind = "positive" if positive else "negative"
        sentences = [row["review"] for row in rows if row["sentiment"] == kind]
        return " ".join(draw.choice(sentences) for _ in range(draw.randint(1, 40)))

    labels = np.arange(2 * count) % 2
    texts = [write(bool(label)) for label in labels]
    return Source(
        Reviews(texts[:count], labels[:count]),
        Reviews(texts[count:], labels[count:]),
        "made-up reviews",
    )
