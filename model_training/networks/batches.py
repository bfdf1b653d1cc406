"""Reviews in windows, windows in batches of few shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from model_training.corpus.reviews import Encoded
from review_text import NO_WORD, TextSettings, count_windows, cut_windows

_LENGTH_STEP = 32  # window lengths are rounded up to this: each new shape costs new kernels


@dataclass(frozen=True)
class Batch:
    """N windows of L tokens, of R reviews."""

    ids: torch.Tensor
    """[N, L] int32, padded with 0 after each window's tokens."""
    reversed_ids: torch.Tensor
    """[N, L] int32: each window's tokens from its last to its first, then the padding."""
    lengths: torch.Tensor
    """[N] int64: tokens in each window; 0 for the windows that only fill the batch."""
    reviews: torch.Tensor
    """[N] int64: which review of the batch each window belongs to, below R."""
    labels: torch.Tensor
    """[R] float32: probabilities of positive; 0 or 1 where they are known."""
    rows: npt.NDArray[np.int64]
    """[R]: where the reviews stand in their split."""

    def to(self, device: torch.device) -> Batch:
        """Give the same batch on another device."""
        return Batch(
            self.ids.to(device),
            self.reversed_ids.to(device),
            self.lengths.to(device),
            self.reviews.to(device),
            self.labels.to(device),
            self.rows,
        )


class Batches:
    """The batches of a split; the order of an epoch depends on seed and epoch alone."""

    def __init__(
        self,
        split: Encoded,
        settings: TextSettings,
        batch_windows: int,
        targets: npt.NDArray[np.float32] | None = None,
    ) -> None:
        """Reviews without tokens are left out: there is nothing to learn from or to score.

        ``targets`` [reviews], probabilities of positive, stand in for the split's labels.
        """
        self._split, self._settings, self._size = split, settings, batch_windows
        self._targets = split.labels.astype(np.float32) if targets is None else targets
        self._windows = np.maximum(1, -(-split.lengths // settings.window))
        self._widths = self._width(split.lengths)
        self._rows = np.flatnonzero(split.lengths > 0)

    def plan(self, seed: int | None = None, epoch: int = 0) -> list[npt.NDArray[np.int64]]:
        """Give the rows of each batch: shuffled where ``seed`` is given, else in order of length.

        A batch has texts whose windows are of one width, so that sentences need not be padded to
        the length of reviews.
        """
        if seed is None:
            rows = self._rows[np.argsort(self._split.lengths[self._rows], kind="stable")]
            return self._fill_each_width(rows)
        draws = np.random.default_rng((seed, epoch))
        batches = self._fill_each_width(draws.permutation(self._rows))
        return [batches[index] for index in draws.permutation(len(batches))]

    def make(self, rows: npt.NDArray[np.int64]) -> Batch:
        """Make the batch of the reviews at ``rows``."""
        window = self._settings.window
        cut = cut_windows([self._split[row].tolist() for row in rows], window)
        counts = [count_windows(length, window) for length in cut.lengths]
        filled = [
            min(window, length - start)
            for length in cut.lengths
            for start in range(0, length, window)
        ]
        width = int(self._widths[rows].max())
        count = max(self._room(width), len(filled))
        ids = np.full((2, count, width), NO_WORD, np.int32)
        lengths, reviews = np.zeros(count, np.int64), np.zeros(count, np.int64)
        ids[0, : len(filled)] = np.array(cut.ids, np.int32)[:, :width]
        for index, length in enumerate(filled):
            ids[1, index, :length] = ids[0, index, :length][::-1]
        lengths[: len(filled)] = filled
        reviews[: len(filled)] = np.repeat(np.arange(len(rows)), counts)
        return Batch(
            torch.from_numpy(ids[0]),
            torch.from_numpy(ids[1]),
            torch.from_numpy(lengths),
            torch.from_numpy(reviews),
            torch.from_numpy(self._targets[rows]),
            rows,
        )

    def in_order(self) -> Iterator[Batch]:
        """Give all reviews once, for scoring."""
        return map(self.make, self.plan())

    def _width(self, lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.minimum(self._settings.window, -(-lengths // _LENGTH_STEP) * _LENGTH_STEP)

    def _room(self, width: int) -> int:
        """Windows of that width in a batch: as many tokens as in one of whole windows."""
        return self._size * self._settings.window // width

    def _fill_each_width(self, rows: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
        widths = self._widths[rows]
        return [
            batch
            for width in np.unique(widths)
            for batch in self._fill(rows[widths == width], self._room(int(width)))
        ]

    def _fill(self, rows: npt.NDArray[np.int64], room: int) -> list[npt.NDArray[np.int64]]:
        """Cut ``rows`` where the next review's windows would not fit any more."""
        batches, start, used = [], 0, 0
        for index, row in enumerate(rows):
            if used + self._windows[row] > room and index > start:
                batches.append(rows[start:index])
                start, used = index, 0
            used += int(self._windows[row])
        if start < len(rows):
            batches.append(rows[start:])
        return batches
