"""Reviews as a model takes them: cut into windows of one length, the last of each review padded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
