"""Short texts made of reviews, for a teacher to label: sentences, edits of them, longer stretches.

People type a sentence where the reviews have ten. A student that learns what its teacher thinks of
many sentences learns more of English than from the stars of whole reviews.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from model_training.corpus.edits import edit, join
from review_text import TextSettings
from review_text.sentences import split_sentences
from review_text.tokens import find_tokens

_MAX_TOKENS = 45  # of a sentence
_MAX_EDITED = 200  # characters of a sentence that is edited
_MAX_JOINED = 110  # characters of a sentence that is joined to another
_SENTENCES = 3  # taken of a review
_JOINED, _STRETCHED = 0.5, 0.5  # shares of the reviews
_STRETCH = (2, 6)  # sentences of a stretch, from and below
_MARKUP = re.compile(r"(?:\s|<[^<>]*>)+")


@dataclass
class Transfer:
    """Texts of three kinds."""

    sentences: list[str] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    stretches: list[str] = field(default_factory=list)


def make_transfer(reviews: Iterable[str], settings: TextSettings, seed: int) -> Transfer:
    """Take sentences and stretches of each review, and edit some; the same for the same seed."""
    draws = np.random.default_rng(seed)
    made = Transfer()
    for review in reviews:
        sentences = _cut(review, settings)
        said = [text for text, tokens in sentences if tokens <= _MAX_TOKENS]
        if not said:
            continue
        taken = [said[place] for place in draws.permutation(len(said))[:_SENTENCES]]
        made.sentences += taken
        edits = [edit(text, draws) for text in taken if len(text) <= _MAX_EDITED]
        made.edits += [text for text in edits if text]
        short = [text for text in said if len(text) <= _MAX_JOINED]
        if len(short) > 1 and draws.random() < _JOINED:
            first, second = draws.choice(len(short), 2, replace=False)
            made.edits.append(join(short[first], short[second], draws))
        if len(sentences) > _STRETCH[0] and draws.random() < _STRETCHED:
            made.stretches.append(_stretch([text for text, _ in sentences], draws))
    return made


def _stretch(sentences: Sequence[str], draws: np.random.Generator) -> str:
    count = int(draws.integers(*_STRETCH))
    start = int(draws.integers(max(1, len(sentences) - count + 1)))
    return " ".join(sentences[start : start + count])


def _cut(review: str, settings: TextSettings) -> list[tuple[str, int]]:
    """The sentences of a review as plain text, with the tokens that each has."""
    _, spans = find_tokens(review, settings)
    found = []
    for sentence in split_sentences(review, spans):
        text = review[spans[sentence.first][0] : spans[sentence.last][1]]
        found.append((_MARKUP.sub(" ", text).strip(), sentence.last - sentence.first + 1))
    return found
