"""What a part of the benchmark is: how it is measured, and how its figures are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.results import Figures
from benchmarks.reviews import Source, from_corpus, made_up
from benchmarks.timing import median
from model_training.corpus.cache import DEFAULT_FOLDER, prepare_corpus


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
        """Of the table."""
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
    long: bool = False
    """Whether it is left out unless it is asked for: it takes longer than minutes, or Docker."""


# --- Numbers --------------------------------------------------------------------------------------


def medians(lists: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Of each list."""
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
