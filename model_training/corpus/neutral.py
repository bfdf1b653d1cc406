"""Texts that say no opinion of a film: facts, plots, questions, greetings, titles, who made it.

A classifier that never saw one calls each of them good or bad: by the word "Christian", by a first
name, by a number. Reviews hold none that are labelled so; these are made of the patterns and words
in neutral.toml, and of the titles that stand between quotation marks in reviews.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

_PATTERNS = Path(__file__).with_name("neutral.toml")
_BLANK = re.compile(r"\{(\w+)\}")
_NUMBERS = {"n": (1, 13), "minutes": (60, 200), "year": (1925, 2027)}
_TITLE = re.compile(
    r'"((?:[A-Z][\w\']*|\d+)(?: (?:[A-Z][\w\':]*|of|the|and|in|a|to|\d+)){0,6})"(?![\w])'
)
_GIBBERISH = 0.03
"""Share of texts that are no words at all."""


def find_titles(reviews: Iterable[str]) -> list[str]:
    """List what stands in capitals between quotation marks, each once: titles, mostly."""
    titles = {title for review in reviews for title in _TITLE.findall(review)}
    return sorted(title for title in titles if len(title) > 2)


def make_neutral(titles: Sequence[str], count: int, draws: np.random.Generator) -> list[str]:
    """Make up ``count`` texts without an opinion, some of them more than once."""
    patterns, words = _read_patterns()
    if not titles:
        patterns = [pattern for pattern in patterns if "{title}" not in pattern]
    words = words | {"title": titles}

    def fill(match: re.Match[str]) -> str:
        if match[1] in _NUMBERS:
            return str(draws.integers(*_NUMBERS[match[1]]))
        choices = words[match[1]]
        return choices[int(draws.integers(len(choices)))]

    def make() -> str:
        if draws.random() < _GIBBERISH:
            return _gibberish(draws)
        text = patterns[int(draws.integers(len(patterns)))]
        while _BLANK.search(text):  # a word may have blanks of its own
            text = _BLANK.sub(fill, text)
        return text[:1].upper() + text[1:] if text.endswith(".") else text

    return [make() for _ in range(count)]


@cache
def _read_patterns() -> tuple[list[str], dict[str, Sequence[str]]]:
    content = tomllib.loads(_PATTERNS.read_text(encoding="utf-8"))
    return content["patterns"], content["words"]


def _gibberish(draws: np.random.Generator) -> str:
    letters = np.array(list(string.ascii_lowercase))
    lengths = draws.integers(1, 9, draws.integers(1, 3))
    return " ".join("".join(draws.choice(letters, length)) for length in lengths)
