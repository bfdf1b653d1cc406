"""Text → tokens. A token is a surface form with its start and end in the submitted text."""

from __future__ import annotations

import re
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
from review_text.settings import TextSettings

Normalise = Callable[[str], "str | None"]

_ALPHANUMERIC = re.compile(r"[a-z0-9]+İ?|İ")

# Apostrophes, zero-width characters and combining marks hold a word together.
_JOINER = r"['’ʼ\u200b-\u200d\u2060\ufeff\u00ad\u0300-\u036f]"
_PUNCTUATED = re.compile(
    r"[A-Za-z]+(?=[ .,])|[.,](?= )"  # what most tokens are: these two only save time
    rf"|[^\W\d_][^\W_]*(?:{_JOINER}+(?!s\b)[^\W_]+)*[\u0300-\u036f]*"  # don't, o'clock, café
    r"|\d+(?:[./]\d+)+|\d[^\W_]*"  # ratings and decimals: 8/10, 7.5; 80s
    r"|['’]s\b"  # film + 's
    r"|[:;=]['-]?[()\[\]DP/\\|](?!\w)"  # :-) ;) =D
    r"|\.{2,}|[!?]+|-{2,}|\*+"
    r"|[^\w\s\x00-\x7f]+"  # an emoji with its modifiers, or several
    r"|[^\w\s]|_+"
)
_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")
_ELONGATED = re.compile(r"([^\W\d_])\1{2,}")
_LONGEST_NORMALISED = 200
"""Characters of a surface form, ten times those of the longest word in a shipped vocabulary."""
_WORD_CHARACTER = re.compile(r"[^\W_]")


def find_surfaces(text: str, settings: TextSettings) -> list[str]:
    """The surface forms of a text, in order: what ``find_tokens`` finds, without the places."""
    pattern, plain, _ = _prepare(text, settings)
    return pattern.findall(plain)


def find_tokens(text: str, settings: TextSettings) -> tuple[list[str], list[Span]]:
    """The surface forms of a text and where each stands in it, in code points."""
    pattern, plain, source = _prepare(text, settings)
    surfaces: list[str] = []
    spans: list[Span] = []
    for match in pattern.finditer(plain):
        surfaces.append(match.group())
        spans.append(match.span())
    if source is not None:
        spans = source.source_spans(spans)
    return surfaces, spans


def has_word(surfaces: Iterable[str]) -> bool:
    """Whether one of the surface forms has a letter or a digit."""
    return any(map(_WORD_CHARACTER.search, surfaces))


def make_normalise(settings: TextSettings) -> Normalise:
    """The function from a surface form to a vocabulary word, or None for a stop word."""
    is_punctuated = settings.tokens == "punctuated"
    base = _normalise_punctuated if is_punctuated else _normalise_alphanumeric
    stop_words = english_stop_words() if settings.stop_words == "english" else frozenset()
    stem = porter_stem() if settings.stemmer == "porter" else str

    def normalise(surface: str) -> str | None:
        word = base(surface)
        return None if word in stop_words else stem(word)

    return normalise


@cache
def english_stop_words() -> frozenset[str]:
    """NLTK's English list of 179 words."""
    listed = files(__package__).joinpath("stop_words_english.txt").read_text(encoding="utf-8")
    return frozenset(listed.split())


def _prepare(text: str, settings: TextSettings) -> tuple[re.Pattern[str], str, PlainText | None]:
    """The token pattern, the text to search, and the way back (None: offsets are the same)."""
    if settings.tokens == "punctuated":
        if is_free_of_markup(text):
            return _PUNCTUATED, blank_line_breaks(text), None
        source = PlainText(separate_pieces(text))
        return _PUNCTUATED, source.text, source
    if is_free_of_markup(text) and "<" not in text:
        return _ALPHANUMERIC, _lower(text), None
    source = PlainText(join_pieces(text))
    return _ALPHANUMERIC, _lower(source.text), source


def _lower(text: str) -> str:
    """The text in lower case and as long as before: but for "İ", which would become two characters,
    of which the second one ends a word."""
    return "İ".join(map(str.lower, text.split("İ")))


def _normalise_alphanumeric(surface: str) -> str:
    """The word, whose other letters are in lower case already."""
    return surface.replace("İ", "i")


def _normalise_punctuated(surface: str) -> str:
    """One spelling for what readers take for the same word."""
    word = _INVISIBLE.sub("", surface)
    if len(word) > _LONGEST_NORMALISED:
        # Sorting a row of combining marks takes time that grows with the square of its length.
        word = _ELONGATED.sub(r"\1\1\1", word)[:_LONGEST_NORMALISED]
    word = unicodedata.normalize("NFKC", word).lower()
    word = word.replace("’", "'").replace("ʼ", "'")
    word = _ELONGATED.sub(r"\1\1\1", word)  # soooooo = sooo
    return word[:3] if word[:1] in _REPEATED else word


_REPEATED = frozenset(".!?-*")
