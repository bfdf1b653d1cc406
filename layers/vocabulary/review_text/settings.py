"""Which text processing a model was trained with. The settings travel inside its vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

Tokens = Literal["alphanumeric", "normalised"]
StopWords = Literal["none", "english"]
Stemmer = Literal["none", "porter"]


class SettingsError(ValueError):
    """A text setting has a value that it cannot have; the message names both."""


@dataclass(frozen=True)
class TextSettings:
    """How a review becomes a list of numbers."""

    tokens: Tokens
    """``alphanumeric``: runs of a-z and 0-9 in the lower-cased text, tags removed without a trace.
    ``normalised``: words with their contractions, ratings in tenths, emoji and emoticons as words
    of their meaning, and punctuation."""

    stop_words: StopWords
    """``english`` drops the words of NLTK's English list."""

    stemmer: Stemmer
    """``porter`` replaces each word by what NLTK's PorterStemmer makes of it."""

    vocabulary_size: int
    """Entries of the vocabulary, with the two reserved ones: 0 = no word, 1 = infrequent."""

    max_tokens: int
    """Tokens of a review that the model reads."""

    head_tokens: int
    """Tokens from the start of a longer review; the rest of ``max_tokens`` is from its end."""

    window: int
    """Tokens that the LSTM reads in one go; a review is cut into windows of this length."""

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise SettingsError(f"{name} = {getattr(self, name)!r}; use one of {allowed}")
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise SettingsError(f"{name} = {value!r}; use an integer from {least} to {most}")
        if self.head_tokens > self.max_tokens:
            raise SettingsError(
                f"head_tokens = {self.head_tokens} is more than max_tokens = {self.max_tokens}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Give the settings as they are written into a vocabulary."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TextSettings:
        """Read what ``to_dict`` wrote.

        Raises:
            SettingsError: a setting is missing, unknown or out of range.
        """
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            missing, unknown = sorted(known - set(values)), sorted(set(values) - known)
            raise SettingsError(f"text settings: missing {missing}, unknown {unknown}")
        return cls(**values)


_CHOICES = {
    "tokens": get_args(Tokens),
    "stop_words": get_args(StopWords),
    "stemmer": get_args(Stemmer),
}
_RANGES = {
    "vocabulary_size": (3, 1_000_000),
    "max_tokens": (1, 10_000),
    "head_tokens": (0, 10_000),
    "window": (1, 10_000),
}

CLASSIC = TextSettings(
    tokens="alphanumeric",
    stop_words="english",
    stemmer="porter",
    vocabulary_size=5_000,
    max_tokens=500,
    head_tokens=500,
    window=500,
)
"""The pipeline that most projects on this data set use, kept exactly, for comparison."""

MODERN = TextSettings(
    tokens="normalised",
    stop_words="none",
    stemmer="none",
    vocabulary_size=30_000,
    max_tokens=512,
    head_tokens=256,
    window=96,
)
"""The shipped model's pipeline. docs/decisions.md has the measurements behind each choice."""
