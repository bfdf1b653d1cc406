"""Short texts made of patterns: some that say no opinion of a film, some that say one in a turn of
phrase, and ratings; and sentences in which somebody else is named.

A classifier that never saw a text without an opinion calls each of them good or bad: by the word
"Christian", by a first name, by a number. And turns like "What's not to like?" stand in reviews
beside plainer words, which are learned instead. So both are made, of the patterns and words in
neutral.toml and opinions.toml, and of the titles and names that stand in reviews. And a rating that
stands alone is rare in reviews, and common where people type one line.
"""

from __future__ import annotations

import math
import re
import string
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model_training.corpus.labelled import Labelled

SURE = 0.95
"""How likely a turn of phrase means what it is listed under: people are ironic, too."""
_FOLDER = Path(__file__).parent
_BLANK = re.compile(r"\{(\w+)\}")
_NUMBERS = {"n": (1, 13), "minutes": (60, 200), "year": (1925, 2027)}
_TITLE = re.compile(
    r'"((?:[A-Z][\w\']*|\d+)(?: (?:[A-Z][\w\':]*|of|the|and|in|a|to|\d+)){0,6})"(?![\w])'
)
_GIBBERISH = 0.03
"""Share of texts that are no words at all."""
_CAPITALISED = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}\b")  # and not for standing first
_SMALL = re.compile(r"\b[a-z]{3,}\b")
_NAMED = 5
"""Times that a name stands in the reviews, at least; its word in small letters 50 times less."""


@dataclass(frozen=True)
class Mentions:
    """What reviews speak of, for the blanks of patterns."""

    titles: Sequence[str] = ()
    names: Sequence[str] = ()
    """Names of people and places, a word each."""


def find_mentions(reviews: Iterable[str]) -> Mentions:
    """List, each once, what stands in capitals between quotation marks (titles, mostly), and which
    words stand in capitals wherever they stand (names, mostly)."""
    titles: set[str] = set()
    capitalised, small = Counter[str](), Counter[str]()
    for review in reviews:
        titles.update(_TITLE.findall(review))
        capitalised.update(_CAPITALISED.findall(review))
        small.update(_SMALL.findall(review))
    names = (n for n, count in capitalised.items() if count >= max(_NAMED, 50 * small[n.lower()]))
    return Mentions(sorted(title for title in titles if len(title) > 2), sorted(names))


def rename(
    sentences: Labelled, mentions: Mentions, count: int, draws: np.random.Generator
) -> Labelled:
    """Take ``count`` sentences that name somebody, or all there are, and name somebody else: what
    they say of the film stays the same."""
    _, words = _read("neutral", mentions)
    known = {*mentions.names, *words["first_name"]}
    rows: list[int] = []
    texts: list[str] = []
    for row in draws.permutation(len(sentences)):
        if len(rows) == count:
            break
        text = sentences.texts[row]
        named = sorted(known.intersection(re.findall(r"\w+", text)))
        if named:
            other = _fill("{name}", words, draws)
            texts.append(re.sub(rf"\b{_pick(named, draws)}\b", other, text))
            rows.append(row)
    return Labelled(texts, sentences.take(rows).labels)


def make_neutral(mentions: Mentions, count: int, draws: np.random.Generator) -> Labelled:
    """Make up ``count`` texts without an opinion, some of them more than once."""
    patterns, words = _read("neutral", mentions)

    def make() -> str:
        if draws.random() < _GIBBERISH:
            return _gibberish(draws)
        return _fill(_pick(patterns["patterns"], draws), words, draws)

    return Labelled([make() for _ in range(count)], [0.5] * count)


def make_opinions(mentions: Mentions, count: int, draws: np.random.Generator) -> Labelled:
    """Make up ``count`` texts with an opinion, some of them more than once, half of each kind."""
    patterns, words = _read("opinions", mentions)
    kinds = [
        ("positive", SURE) if draws.random() < 0.5 else ("negative", 1 - SURE) for _ in range(count)
    ]
    texts = [_fill(_pick(patterns[kind], draws), words, draws) for kind, _ in kinds]
    return Labelled(texts, [probability for _, probability in kinds])


def make_ratings(count: int, draws: np.random.Generator) -> Labelled:
    """Make up ``count`` ratings, alone or in a few words, on scales of many kinds.

    From 7 of 10 on, reviews of the data set are positive, and up to 4 of 10 negative; what lies
    between is as likely to be said by one who liked the film as by another.
    """
    patterns, words = _read("ratings", Mentions())
    texts, probabilities = [], []
    for _ in range(count):
        kind = _pick(sorted(_SCALES), draws)
        written, share = _SCALES[kind](draws)
        texts.append(_fill(_pick(patterns[kind], draws), words | {"rating": [written]}, draws))
        probabilities.append(1 / (1 + math.exp(_MIDDLE - 10 * share)))
    return Labelled(texts, probabilities)


def _write_stars(draws: np.random.Generator) -> tuple[str, float]:
    halves = int(draws.integers(1, 11))
    return "★" * (halves // 2) + "½" * (halves % 2), halves / 10


def _write_asterisks(draws: np.random.Generator) -> tuple[str, float]:
    halves = int(draws.integers(2, 9))
    half = _pick(["1/2", "½"], draws) if halves % 2 else ""
    return "*" * (halves // 2) + half + " " + _pick(["out of", "/"], draws) + " ****", halves / 8


def _write_number(draws: np.random.Generator) -> tuple[str, float]:
    whole = int(_pick(["4", "5", "10", "10", "100"], draws))
    steps = 2 * whole if whole < 100 else 20
    number = int(draws.integers(0, steps + 1)) * whole / steps
    return f"{number:g}{_pick(['/', '/', ' out of '], draws)}{whole}", number / whole


def _write_percent(draws: np.random.Generator) -> tuple[str, float]:
    number = int(draws.integers(0, 101))
    return f"{number}%", number / 100


def _write_count(draws: np.random.Generator) -> tuple[str, float]:
    number = int(draws.integers(0, 6))
    return _pick([str(number), _COUNTS[number]], draws), number / 5


def _write_grade(draws: np.random.Generator) -> tuple[str, float]:
    grade = _pick(sorted(_GRADES), draws)
    return grade, _GRADES[grade]


_MIDDLE = 5.5  # tenths
_COUNTS = ("zero", "one", "two", "three", "four", "five")
_GRADES = {"A+": 1.0, "A": 0.95, "A-": 0.9, "B+": 0.8, "B": 0.75, "B-": 0.65}
_GRADES |= {"C+": 0.55, "C": 0.5, "C-": 0.4, "D+": 0.35, "D": 0.25, "D-": 0.2, "F": 0.1}
_SCALES: dict[str, Callable[[np.random.Generator], tuple[str, float]]] = {
    "stars": _write_stars,
    "asterisks": _write_asterisks,
    "numbers": _write_number,
    "percent": _write_percent,
    "counts": _write_count,
    "grades": _write_grade,
}
"""For each kind of ratings.toml, what writes one, and says which share of its scale it is."""


def _read(name: str, mentions: Mentions) -> tuple[dict[str, list[str]], dict[str, Sequence[str]]]:
    """The patterns by kind, and the words for their blanks; without those that need a title, where
    there is none."""
    content = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    words = content.pop("words") | {"title": mentions.titles}
    words["mentioned_name"] = mentions.names or ["{first_name}"]
    usable = {
        kind: [each for each in patterns if mentions.titles or "{title}" not in each]
        for kind, patterns in content.items()
    }
    return usable, words


def _pick(choices: Sequence[str], draws: np.random.Generator) -> str:
    return choices[int(draws.integers(len(choices)))]


def _fill(text: str, words: Mapping[str, Sequence[str]], draws: np.random.Generator) -> str:
    def fill(match: re.Match[str]) -> str:
        if match[1] in _NUMBERS:
            return str(draws.integers(*_NUMBERS[match[1]]))
        return _pick(words[match[1]], draws)

    while _BLANK.search(text):  # a word may have blanks of its own
        text = _BLANK.sub(fill, text)
    return text[:1].upper() + text[1:] if text.endswith(".") else text


def _gibberish(draws: np.random.Generator) -> str:
    letters = np.array(list(string.ascii_lowercase))
    lengths = draws.integers(1, 9, draws.integers(1, 3))
    return " ".join("".join(draws.choice(letters, length)) for length in lengths)
