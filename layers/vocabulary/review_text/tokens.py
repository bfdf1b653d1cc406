"""Text → tokens. A token is a surface form with its start and end in the submitted text."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files

from review_text.markup import (
    PlainText,
    Span,
    blank_line_breaks,
    is_free_of_markup,
    join_pieces,
    separate_pieces,
)
from review_text.porter import porter_stem
from review_text.repairs import MODIFIERS, repair, word_of
from review_text.scales import Phrase, find_ratings
from review_text.settings import TextSettings

Normalise = Callable[[str], "str | None"]

_ALPHANUMERIC = re.compile(r"[a-z0-9]+İ?|İ")

# Apostrophes, zero-width characters and combining marks hold a word together.
_JOINER = r"['’ʼ\u200b-\u200d\u2060\ufeff\u00ad\u0300-\u036f]"
_NORMALISED = re.compile(
    r"[A-Za-z]+(?=[ .,])|[.,](?= )"  # what most tokens are: these two only save time
    rf"|[^\W\d_][^\W_]*(?:{_JOINER}+(?!s\b)[^\W_]+)*[\u0300-\u036f]*"  # don't, o'clock, café
    r"|\d+(?:[./]\d+)+|\d[^\W_]*"  # decimals and other fractions: 7.5, 24/7; 80s
    r"|['’]s\b"  # film + 's
    r"|</?3+(?!\w)|[:;=]['-]?[()\[\]DP/\\|](?!\w)"  # <3 :-) ;) =D
    r"|\.{2,}|[!?]+|-{2,}|\*+"
    rf"|[^\w\s\x00-\x7f][{MODIFIERS}]*"  # an emoji with its modifiers
    r"|[^\w\s]|_+"
)
_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")
_ELONGATED = re.compile(r"([^\W\d_])\1{2,}")
_LONGEST_NORMALISED = 200
"""Characters of a surface form, ten times those of the longest word in a shipped vocabulary."""
_AFTER_ALL: Phrase = (sys.maxsize, sys.maxsize, "")
_WORD_CHARACTER = re.compile(r"[^\W_]")
_MISSING = {"nan", "null", "none", "nil", "undefined", "na", "n/a", "<na>"}
_MISSING |= {"#n/a", "#name?", "#null!", "#value!", "#ref!"}
_NEGATED = ["ai", "are", "ca", "could", "did", "do", "does", "had", "has", "have", "is", "must"]
_NEGATED += ["need", "should", "was", "were", "wo", "would"]
_CONTRACTIONS = {f"{verb}nt": f"{verb}n't" for verb in _NEGATED}
"""Without their apostrophe. All are more often this than a word of their own."""


def find_surfaces(text: str, settings: TextSettings) -> list[str]:
    """Find the surface forms of a text, in order: what ``find_tokens`` finds, without the
    places."""
    pattern, plain, _ = _prepare(text, settings)
    surfaces: list[str] = []
    at = 0
    for start, end, word in _find_phrases(plain, settings):
        surfaces += pattern.findall(plain, at, start)
        surfaces.append(word)
        at = end
    return surfaces + pattern.findall(plain, at)


def find_tokens(text: str, settings: TextSettings) -> tuple[list[str], list[Span]]:
    """Find the surface forms of a text and where each stands in it, in code points."""
    tokens = Tokens(text, settings)
    return tokens.surfaces, tokens.locate(range(len(tokens.surfaces)))


class Tokens:
    """The tokens of a text. Where they stand in it is found for those that are asked for: of a long
    text a model reads some, and to go back through all that was undone takes as long as to read."""

    def __init__(self, text: str, settings: TextSettings) -> None:
        pattern, plain, self._sources = _prepare(text, settings)
        self.surfaces: list[str] = []
        """As they stand in the text that is searched."""
        self._spans: list[Span] = []
        at = 0
        for start, end, word in (*_find_phrases(plain, settings), _AFTER_ALL):
            for match in pattern.finditer(plain, at, start):
                self.surfaces.append(match.group())
                self._spans.append(match.span())
            if word:
                self.surfaces.append(word)
                self._spans.append((start, end))
            at = end

    def locate(self, places: Iterable[int]) -> list[Span]:
        """Start and end in the submitted text of the tokens at ``places``, which are in order."""
        spans = [self._spans[place] for place in places]
        for source in reversed(self._sources):
            spans = source.source_spans(spans)
        return spans


def _find_phrases(plain: str, settings: TextSettings) -> list[Phrase]:
    """What is one token although it may have several words."""
    return list(find_ratings(plain)) if settings.tokens == "normalised" else []


def has_word(text: str, surfaces: Iterable[str]) -> bool:
    """Say whether a text says anything: with a letter, a digit, or a sign that stands for a word; a
    spreadsheet's or a program's mark for a missing value does not."""
    if text.strip().lower() in _MISSING:
        return False
    # Once each: a text of signs alone may have 20,000 of them.
    return any(
        _WORD_CHARACTER.search(surface) or word_of(surface) for surface in dict.fromkeys(surfaces)
    )


def make_normalise(settings: TextSettings) -> Normalise:
    """Make the function from a surface form to a vocabulary word, or None for a stop word."""
    is_normalised = settings.tokens == "normalised"
    base = _normalise_word if is_normalised else _normalise_alphanumeric
    stop_words = english_stop_words() if settings.stop_words == "english" else frozenset()
    stem = porter_stem() if settings.stemmer == "porter" else str

    def normalise(surface: str) -> str | None:
        word = base(surface)
        return None if word in stop_words else stem(word)

    return normalise


def shorten(word: str) -> tuple[str, ...]:
    """Give what a word with a letter three times in a row may be drawn out from, likelier first:
    "goood" from "good", "dumbbb" from "dumb"."""
    if _ELONGATED.search(word) is None:
        return ()
    return _ELONGATED.sub(r"\1\1", word), _ELONGATED.sub(r"\1", word)


@cache
def english_stop_words() -> frozenset[str]:
    """Give NLTK's English list of 179 words."""
    listed = files(__package__).joinpath("stop_words_english.txt").read_text(encoding="utf-8")
    return frozenset(listed.split())


def _prepare(text: str, settings: TextSettings) -> tuple[re.Pattern[str], str, list[PlainText]]:
    """The token pattern, the text to search, and the ways back to ``text``, the last one first to
    be gone (none: offsets are the same)."""
    if settings.tokens == "normalised":
        sources = []
        if is_free_of_markup(text):
            plain = blank_line_breaks(text)
        else:
            sources.append(PlainText(separate_pieces(text)))
            plain = sources[0].text
        if repaired := repair(plain):
            sources.append(repaired)
        return _NORMALISED, sources[-1].text if repaired else plain, sources
    if is_free_of_markup(text) and "<" not in text:
        return _ALPHANUMERIC, _lower(text), []
    source = PlainText(join_pieces(text))
    return _ALPHANUMERIC, _lower(source.text), [source]


def _lower(text: str) -> str:
    """The text in lower case and as long as before: but for "İ", which would become two characters,
    of which the second one ends a word."""
    return "İ".join(map(str.lower, text.split("İ")))


def _normalise_alphanumeric(surface: str) -> str:
    """The word, whose other letters are in lower case already."""
    return surface.replace("İ", "i")


def _normalise_word(surface: str) -> str:
    """One spelling for what readers take for the same word."""
    if word := word_of(surface):
        return word
    word = _INVISIBLE.sub("", surface)
    if len(word) > _LONGEST_NORMALISED:
        # Sorting a row of combining marks takes time that grows with the square of its length.
        word = _ELONGATED.sub(r"\1\1\1", word)[:_LONGEST_NORMALISED]
    word = unicodedata.normalize("NFKC", word).lower()
    word = word.replace("’", "'").replace("ʼ", "'")
    word = _ELONGATED.sub(r"\1\1\1", word)  # soooooo = sooo
    if word[:1] in _REPEATED:
        return word[:3]
    return _CONTRACTIONS.get(word, word)


_REPEATED = frozenset(".!?-*")
