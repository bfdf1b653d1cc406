"""What a part of the benchmark is: how it is measured, on which reviews (the test split, or made up
from sentences of our own), and how its figures are shown."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle
from pathlib import Path

import numpy as np

from benchmarks.results import Figures
from benchmarks.timing import median
from model_training.corpus.cache import DEFAULT_FOLDER, Corpus, prepare_corpus
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


@dataclass(frozen=True)
class Bench:
    """What a run measures with."""

    data_dir: Path = DEFAULT_FOLDER
    archive: Path | None = None
    quick: bool = False
    """Whether sizes take seconds and mean nothing."""
    reviews: int = 1_000_000
    """Reviews in the large file of the part ``files``."""
    seconds: float = 60.0
    """How long each number of users asks, of the part ``load``."""

    @cached_property
    def source(self) -> Source:
        """The reviews; the data set is only read when a part asks for them."""
        return made_up() if self.quick else from_corpus(prepare_corpus(self.data_dir, self.archive))


@dataclass(frozen=True)
class Claim:
    """A line of the summary: what, and how it was found to be."""

    what: str
    found: float
    unit: str
    goal: float | None = None
    at_most: bool = False
    """Whether the goal is an upper bound."""

    def row(self) -> list[str]:
        """Make its row of the table."""
        return [self.what, f"{number(self.found)} {self.unit}".strip(), self._goal()]

    def _goal(self) -> str:
        if self.goal is None:
            return ""
        met = self.found <= self.goal if self.at_most else self.found >= self.goal
        bound = f"at {'most' if self.at_most else 'least'} {self.goal:g}"
        return f"{bound}: {'met' if met else '**missed**'}"


@dataclass(frozen=True)
class Part:
    """One part. What it measures is kept, and what it shows is made of that alone."""

    name: str
    title: str
    measure: Callable[[Bench], Figures]
    write: Callable[[Figures], str]
    """Its figures in Markdown."""
    claim: Callable[[Figures], list[Claim]] = lambda figures: []
    """Its lines of the summary."""
    draw: Callable[[Path, Figures], None] | None = None
    """Draws its plot, an SVG file."""
    long: bool = False
    """Whether it is left out unless it is asked for: it takes longer than minutes, or Docker."""


# --- Numbers --------------------------------------------------------------------------------------


def medians(lists: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Give the median of each list."""
    return {name: median(values) for name, values in lists.items()}


def number(value: float) -> str:
    """With about three digits, and none that mean nothing."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def times(ratio: float) -> str:
    """Give a ratio."""
    return f"{number(ratio)} ×"


def or_dash(value: float | None) -> str:
    """Give a number, or a dash where there is none."""
    return "–" if value is None else number(value)
