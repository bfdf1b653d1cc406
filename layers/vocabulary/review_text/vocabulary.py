"""A vocabulary: its words, the settings they were made with, and the numbers they stand for."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

from review_text.markup import Span
from review_text.settings import SettingsError, TextSettings
from review_text.tokens import Tokens, find_surfaces, has_word, make_normalise, shorten

NO_WORD = 0
"""Padding."""


@dataclass(frozen=True)
class Windows:
    """The windows of several reviews, one review's after the other's."""

    ids: list[list[int]]
    """[windows][window]: ids, and 0 behind the last one of a review."""
    lengths: list[int]
    """[reviews]: ids of each review, from which follows how many windows are its own."""


def count_windows(length: int, window: int) -> int:
    """Count the windows of ``window`` ids that ``length`` ids take."""
    return -(-length // window)


def join_windows(windows: Windows) -> list[int]:
    """Put the ids of one review together again."""
    [length] = windows.lengths
    return [number for ids in windows.ids for number in ids][:length]


def cut_windows(reviews: Sequence[Sequence[int]], window: int) -> Windows:
    """Cut each of ``reviews`` (lists of ids, none empty) into windows of ``window`` ids."""
    ids: list[list[int]] = []
    for review in reviews:
        for start in range(0, len(review), window):
            piece = list(review[start : start + window])
            ids.append(piece + [NO_WORD] * (window - len(piece)))
    return Windows(ids, [len(review) for review in reviews])


INFREQUENT = 1
"""Any word that is not in the vocabulary."""
FIRST_WORD = 2
"""The most frequent word; the others follow in the order of their frequency."""

_STOP_WORD = -1

_MAX_BYTES = 64 * 1024**2
"""Maximum vocabulary file, bytes; the shipped one has 0.3 MB."""

# Surface forms remembered in a process, and the longest of them: enough for nearly all words of
# ordinary reviews, and 15 MB at most, whatever a hostile caller sends.
_REMEMBERED_SURFACES = 65_536
_LONGEST_REMEMBERED = 40


class VocabularyError(ValueError):
    """A vocabulary file cannot be used; the message names it and says why."""


@dataclass(frozen=True)
class EncodedReview:
    """A review as the model reads it."""

    ids: list[int]
    """One number a token."""
    spans: list[Span]
    """Start and end of each token in the submitted text, in code points; parallel to ``ids``."""
    truncated: bool
    """Whether the review had more tokens than the model reads."""
    has_words: bool
    """Whether there is anything to read: a review of punctuation alone has no words."""


class _Ids(dict[str, int]):
    """Surface form → id, filled as surfaces are met: normalising and stemming is done once each."""

    def __init__(self, words: dict[str, int], settings: TextSettings) -> None:
        super().__init__()
        self._words = words
        self._normalise = make_normalise(settings)
        self._is_classic = settings.tokens == "alphanumeric"

    def __missing__(self, surface: str) -> int:
        word = self._normalise(surface)
        number = _STOP_WORD if word is None else self._find(word)
        if len(surface) <= _LONGEST_REMEMBERED:
            if len(self) >= _REMEMBERED_SURFACES:
                self.clear()
            self[surface] = number
        return number

    def _find(self, word: str) -> int:
        """The id of a word, or of what it is drawn out from: "goooood"."""
        spellings = (word,) if self._is_classic else (word, *shorten(word))
        return next((self._words[each] for each in spellings if each in self._words), INFREQUENT)


class Vocabulary:
    """Settings and words. Equal settings and words have equal fingerprints, and only those."""

    def __init__(self, settings: TextSettings, words: Iterable[str]) -> None:
        """``words``: from the most frequent on; their ids count up from 2.

        Raises:
            VocabularyError: more words than the settings allow, or one of them twice.
        """
        self.settings = settings
        self.words = tuple(words)
        numbers = {word: number for number, word in enumerate(self.words, FIRST_WORD)}
        if len(numbers) != len(self.words):
            raise VocabularyError("the vocabulary has the same word more than once")
        if len(self) > settings.vocabulary_size:
            raise VocabularyError(
                f"the vocabulary has {len(self)} entries; vocabulary_size = "
                f"{settings.vocabulary_size} allows no more than that"
            )
        self._ids = _Ids(numbers, settings)

    def __len__(self) -> int:
        """Entries, with the two reserved ones."""
        return len(self.words) + FIRST_WORD

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of settings and words, 64 hexadecimal digits."""
        return hashlib.sha256(self._canonical().encode()).hexdigest()

    def encode(self, text: str) -> EncodedReview:
        """Read a review as numbers, with the place of each token in the submitted text."""
        tokens = Tokens(text, self.settings)
        surfaces = tokens.surfaces
        places, truncated = self._choose(surfaces)
        ids = [self._ids[surfaces[place]] for place in places]
        return EncodedReview(
            ids=ids,
            spans=tokens.locate(places),
            truncated=truncated,
            has_words=bool(ids) and has_word(text, surfaces),
        )

    def encode_ids(self, text: str) -> list[int]:
        """Give ``encode(text).ids``, at half the time: for training, which needs no places."""
        surfaces = find_surfaces(text, self.settings)
        places, _ = self._choose(surfaces)
        return [self._ids[surfaces[place]] for place in places]

    def make_request(self, reviews: Sequence[Sequence[int]]) -> dict[str, Any]:
        """Make the JSON object in which an endpoint takes ``reviews``, lists of ids."""
        windows = cut_windows(reviews, self.settings.window)
        return {
            "vocabulary": self.fingerprint,
            "windows": windows.ids,
            "lengths": windows.lengths,
        }

    def word(self, number: int) -> str:
        """Give the word of an id, ``<none>`` or ``<infrequent>`` for the reserved two."""
        reserved = {NO_WORD: "<none>", INFREQUENT: "<infrequent>"}
        return reserved.get(number) or self.words[number - FIRST_WORD]

    def save(self, path: str | PathLike[str]) -> None:
        """Write the vocabulary as JSON, the same bytes each time."""
        Path(path).write_text(self._canonical() + "\n", encoding="utf-8")

    def _canonical(self) -> str:
        content = {"settings": self.settings.to_dict(), "words": self.words}
        return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def _choose(self, surfaces: list[str]) -> tuple[Sequence[int], bool]:
        """Which of the tokens the model reads, in order, and whether there are more.

        A surface is looked up only where it may be read: to normalise a word that was never met
        takes as long as to find dozens of tokens.
        """
        most, head = self.settings.max_tokens, self.settings.head_tokens
        places: Sequence[int] = range(len(surfaces))
        if self.settings.stop_words == "none":
            if len(places) <= most:
                return places, False
            return [*places[:head], *places[len(places) - (most - head) :]], True
        front = list(islice(self._skip_stop_words(surfaces, places), most + 1))
        if len(front) <= most:
            return front, False
        back = islice(self._skip_stop_words(surfaces, reversed(places)), most - head)
        return [*front[:head], *reversed(list(back))], True

    def _skip_stop_words(self, surfaces: list[str], places: Iterable[int]) -> Iterator[int]:
        return (place for place in places if self._ids[surfaces[place]] != _STOP_WORD)


def build_vocabulary(reviews: Iterable[str], settings: TextSettings) -> Vocabulary:
    """Collect the most frequent words of ``reviews``; of equally frequent ones, those met first."""
    surfaces: Counter[str] = Counter()
    for review in reviews:
        surfaces.update(find_surfaces(review, settings))
    normalise = make_normalise(settings)
    counts: Counter[str] = Counter()
    for surface, count in surfaces.items():
        word = normalise(surface)
        if word is not None:
            counts[word] += count
    listed = counts.most_common(settings.vocabulary_size - FIRST_WORD)
    return Vocabulary(settings, (word for word, _ in listed))


def load_vocabulary(path: str | PathLike[str]) -> Vocabulary:
    """Read what ``Vocabulary.save`` wrote.

    Raises:
        VocabularyError: no such file, or not a vocabulary.
    """
    content = _read_json(Path(path))
    try:
        settings, words = content["settings"], content["words"]
        if not isinstance(words, list):
            raise TypeError("words is not a list")
        if not all(isinstance(word, str) for word in words):
            raise TypeError("a word is not a string")
        vocabulary = Vocabulary(TextSettings.from_dict(settings), words)
        # Of half a character there is no UTF-8, and so no fingerprint.
        _ = vocabulary.fingerprint
    except (KeyError, TypeError, UnicodeEncodeError, SettingsError, VocabularyError) as error:
        raise VocabularyError(f"{path}: not a vocabulary: {error}") from error
    return vocabulary


def _read_json(path: Path) -> Any:
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise VocabularyError(f"{path}: {size:,} bytes; at most {_MAX_BYTES:,} are read")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise VocabularyError(f"{path}: {error.strerror}") from error
    except VocabularyError:
        raise
    except (ValueError, RecursionError) as error:
        raise VocabularyError(f"{path}: not JSON: {error}") from error
