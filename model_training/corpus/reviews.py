"""Reviews as text and as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from model_training.errors import ConfigError
from review_text import Vocabulary


class Texts(Sequence[str]):
    """Many texts in one array of UTF-8 bytes, decoded one at a time."""

    def __init__(self, blob: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> None:
        self.blob, self.offsets = blob, offsets

    @classmethod
    def of(cls, encoded: Sequence[bytes]) -> Texts:
        """Put texts together, each in UTF-8."""
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(text) for text in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> str:  # type: ignore[override]
        start, end = self.offsets[index], self.offsets[index + 1]
        return self.blob[start:end].tobytes().decode()

    def take(self, rows: npt.NDArray[np.int64]) -> Texts:
        """Take the texts at ``rows``, in that order."""
        bounds = zip(self.offsets[rows], self.offsets[rows + 1], strict=True)
        return Texts.of([self.blob[start:end].tobytes() for start, end in bounds])


@dataclass(frozen=True)
class Split:
    """One split of the data set, in the order of its review numbers, positive ones first."""

    texts: Texts
    labels: npt.NDArray[np.int8]
    """[reviews]: 1 positive, 0 negative, -1 unknown."""
    movies: npt.NDArray[np.int32]
    """[reviews]: the number of the movie on IMDb."""

    def take(self, rows: npt.NDArray[np.int64]) -> Split:
        """Take the reviews at ``rows``, in that order."""
        return Split(self.texts.take(rows), self.labels[rows], self.movies[rows])


@dataclass(frozen=True)
class Encoded:
    """The reviews of a split as numbers."""

    ids: npt.NDArray[np.uint16]
    """[tokens], all reviews one after the other."""
    offsets: npt.NDArray[np.int64]
    """[reviews + 1]: where each review starts in ``ids``."""
    labels: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> npt.NDArray[np.uint16]:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """[reviews]: tokens of each."""
        return np.diff(self.offsets)

    @classmethod
    def of(
        cls, reviews: Sequence[npt.NDArray[np.uint16]], labels: npt.NDArray[np.int8] | None = None
    ) -> Encoded:
        """Give reviews that are numbers already; without ``labels``, unknown ones."""
        ids = np.concatenate([np.zeros(0, np.uint16), *reviews])
        offsets = np.zeros(len(reviews) + 1, np.int64)
        np.cumsum([len(review) for review in reviews], out=offsets[1:])
        unknown = np.full(len(reviews), -1, np.int8)
        return cls(ids, offsets, unknown if labels is None else labels)

    def take(self, rows: npt.NDArray[np.int64]) -> Encoded:
        """Take the reviews at ``rows``, in that order."""
        return Encoded.of([self[row] for row in rows], self.labels[rows])

    def __add__(self, other: Encoded) -> Encoded:
        """These reviews, then ``other``'s."""
        return Encoded(
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.offsets, self.offsets[-1] + other.offsets[1:]]),
            np.concatenate([self.labels, other.labels]),
        )


def encode_split(split: Split, vocabulary: Vocabulary, name: str) -> Encoded:
    """Encode each review as numbers; shapes as in ``Encoded``."""
    if len(vocabulary) > np.iinfo(np.uint16).max:
        raise ConfigError(f"a vocabulary of {len(vocabulary)} entries needs more than 16 bits")
    reviews = [
        np.array(vocabulary.encode_ids(text), np.uint16) for text in watch(split.texts, name)
    ]
    return Encoded.of(reviews, split.labels)


def watch(texts: Sequence[str], name: str) -> Iterator[str]:
    """Give the texts, one by one, with a progress bar called ``name``."""
    return iter(tqdm(texts, desc=name, unit=" reviews", mininterval=1))
