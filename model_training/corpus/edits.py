"""Sentences changed so that they say something else, for a teacher to label.

A model that has read a sentence and its negation, one clause of it, or two of them joined by "but",
learns what words do to each other; reviews alone teach which words they have. What an edit says is
not known here: the teacher reads it. After Tang et al., 2019 (words left out, n-grams), and Kaushik
et al., 2020 (edits that turn the label).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

T = TypeVar("T")
Edit = Callable[[str, np.random.Generator], "str | None"]

_WORDS = Path(__file__).with_name("edits.toml")
_VERB = r"(?:is|was|are|were|does|did|do|has|had|have|will|would|can|could|should)"
_AUXILIARY = re.compile(rf"\b{_VERB}\b(?! n't| not|n't)", re.IGNORECASE)
_CONTRACTED = {"will": "won't", "can": "can't"}
_NEGATED = re.compile(rf"\b(\w+)n't\b|\b({_VERB}) not\b", re.IGNORECASE)
_AFFIRMED = {"ca": "can", "wo": "will", "ai": "is"}
_BE = re.compile(r"\b(?:is|was|are|were|been|be|[a-z]'s|[a-z]'re) (?!not\b|no\b)(?=\w)", re.I)
_FELT = re.compile(
    r"\b(?:I|we|you|they|he|she|it) (loved?|liked?|enjoy(?:ed)?|hated?|recommend(?:ed)?"
    r"|laugh(?:ed)?|car(?:e|ed)|regret(?:ted)?|disappoint(?:s|ed)?|work(?:s|ed)?|want(?:ed)?|expect(?:ed)?)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[,;]? (?:but|although|though|because|while|and) |[,;] | -+ ")
_MAX_FRAMED = 20  # words of a sentence that gets an opening or a tail
_LEFT_OUT = 0.1  # share of words


def edit(sentence: str, draws: np.random.Generator) -> str | None:
    """Change a sentence in one way, drawn at random among those that fit; None where none does."""
    weights = np.array(list(_EDITS.values()))
    order = draws.choice(len(weights), len(weights), replace=False, p=weights / weights.sum())
    edits = list(_EDITS)
    changed = (edits[number](sentence, draws) for number in order)
    return next((text for text in changed if text and text != sentence), None)


def join(first: str, second: str, draws: np.random.Generator) -> str:
    """Make one sentence of two."""
    joint = _pick(_words("joints"), draws)
    one, two = _core(first), _core(second)
    if not joint.startswith("{}"):
        one = _lower_first(one)
    return joint.format(one, two if ". {}" in joint else _lower_first(two)) + "."


def negate(sentence: str, draws: np.random.Generator) -> str | None:
    """Deny it by its auxiliary verb: "is not", "isn't"."""
    found = list(_AUXILIARY.finditer(sentence))
    if not found:
        return None
    match = _pick(found, draws)
    verb = match.group()
    denied = f"{verb} not" if draws.random() < 0.4 else _CONTRACTED.get(verb.lower(), f"{verb}n't")
    return sentence[: match.start()] + denied + sentence[match.end() :]


def affirm(sentence: str, draws: np.random.Generator) -> str | None:
    """Take its negation away."""
    match = _NEGATED.search(sentence)
    if match is None:
        return None
    verb = match[1] or match[2]
    return sentence[: match.start()] + _AFFIRMED.get(verb, verb) + sentence[match.end() :]


def qualify(sentence: str, draws: np.random.Generator) -> str | None:
    """Put a word of degree or denial before what something is."""
    found = list(_BE.finditer(sentence))
    if not found:
        return None
    end = _pick(found, draws).end()
    return f"{sentence[:end]}{_pick(_words('degrees'), draws)} {sentence[end:]}"


def deny_feeling(sentence: str, draws: np.random.Generator) -> str | None:
    """Deny, or weaken, what somebody felt or did."""
    match = _FELT.search(sentence)
    if match is None:
        return None
    start = match.start(1)
    return f"{sentence[:start]}{_pick(_words('denials'), draws)} {sentence[start:]}"


def keep_clause(sentence: str, draws: np.random.Generator) -> str | None:
    """Keep one clause of several."""
    clauses = [part for part in _CLAUSE_END.split(_core(sentence)) if len(part.split()) > 1]
    if len(clauses) < 2:
        return None
    clause = _pick(clauses, draws)
    return clause[0].upper() + clause[1:] + "."


def keep_stretch(sentence: str, draws: np.random.Generator) -> str | None:
    """Keep one to eight words in a row."""
    words = _core(sentence).split()
    if len(words) < 3:
        return None
    count = int(draws.integers(1, min(8, len(words) - 1) + 1))
    start = int(draws.integers(len(words) - count + 1))
    return " ".join(words[start : start + count]) + ("." if draws.random() < 0.5 else "")


def leave_out(sentence: str, draws: np.random.Generator) -> str | None:
    """Leave out a tenth of the words, one at least."""
    words = sentence.split()
    if len(words) < 4:
        return None
    out = draws.random(len(words)) < _LEFT_OUT
    out[draws.integers(len(words))] = True
    return " ".join(word for word, gone in zip(words, out, strict=True) if not gone)


def open_with(sentence: str, draws: np.random.Generator) -> str | None:
    """Say that somebody says, doubts or wishes it."""
    core = _core(sentence)
    if not 2 <= len(core.split()) <= _MAX_FRAMED:
        return None
    return _pick(_words("openings"), draws).format(_lower_first(core)) + "."


def end_with(sentence: str, draws: np.random.Generator) -> str | None:
    """Take some of it back at its end."""
    core = _core(sentence)
    if not 2 <= len(core.split()) <= _MAX_FRAMED:
        return None
    return core + _pick(_words("tails"), draws) + "."


_EDITS: dict[Edit, int] = {
    negate: 3,
    affirm: 2,
    qualify: 2,
    deny_feeling: 2,
    keep_clause: 2,
    keep_stretch: 3,
    leave_out: 1,
    open_with: 1,
    end_with: 1,
}
"""Each edit, and how often it is tried before the others."""


@cache
def _words(name: str) -> Sequence[str]:
    words: list[str] = tomllib.loads(_WORDS.read_text(encoding="utf-8"))[name]
    return words


def _pick(things: Sequence[T], draws: np.random.Generator) -> T:
    return things[int(draws.integers(len(things)))]


def _core(sentence: str) -> str:
    return sentence.strip().rstrip(".!?…").rstrip()


def _lower_first(text: str) -> str:
    """Without its capital, unless that is a name's or "I"."""
    is_name = text[:2] in ("I ", "I'") or text[1:2].isupper()
    return text if is_name else text[:1].lower() + text[1:]
