"""What each word of a review does to its logit: exactly, by leaving it out.

Without a word, the windows before it are as they were; its own has lost it, and got the first word
of the next; and each later one has moved on by one word, which is the same for whichever word is
gone. So one window is read for each word, and each later window once more, and the rest is put
together from maxima and sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

MAX_WINDOWS = 64
"""Windows in one run of the graph: bounds the memory, and larger runs are not faster."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """What windows leave behind."""

    maxima: Floats
    """[N, F]: of each feature, over a window's words."""
    sums: Floats
    """[N]: of the states' parts of the mean's share of the logit."""


class Effects:
    """Finds the effects of words with a graph that pools maximum and mean."""

    def __init__(self, session: onnxruntime.InferenceSession, window: int) -> None:
        """``window``: ids that the LSTM reads in one go."""
        self._session, self._window = session, window
        # Only what leads to the outputs: no contributions, which take longer than they.
        self._options = onnxruntime.RunOptions()
        self._options.only_execute_path_to_fetches = True
        [weight] = self._run(["max_weight"], [[1]])
        self._max_weight = weight[:, 0].astype(np.float64)

    def find(self, ids: Sequence[int]) -> Floats:
        """Find [words]: the logit of ``ids``, two or more, less the logit without each of them."""
        logits = self._read_windows(list(ids))
        effects: Floats = logits[0] - logits[1:]
        return effects

    def _read_windows(self, ids: list[int]) -> Floats:
        """[1 + words] what the LSTM says of all words, and of all but each."""
        size = self._window
        cut = [ids[start : start + size] for start in range(0, len(ids), size)]
        nexts = [window[:1] for window in cut[1:]] + [[]]
        moved = [window[1:] + more for window, more in zip(cut, nexts, strict=True)]
        without = [
            window[:place] + window[place + 1 :] + more
            for window, more in zip(cut, nexts, strict=True)
            for place in range(len(window))
        ]
        pooled = self._pool([*cut, *moved, *without])
        count = len(cut)
        found = [self._join(pooled, list(range(count)), len(ids))]
        for row in range(len(ids)):
            own = row // size
            rows = [*range(own), 2 * count + row, *range(count + own + 1, 2 * count)]
            found.append(self._join(pooled, rows, len(ids) - 1))
        return np.array(found)

    def _join(self, pooled: Pooled, rows: list[int], words: int) -> float:
        """The LSTM's logit, without its bias, of a review with these windows."""
        maxima = pooled.maxima[rows].max(0)
        return float(maxima @ self._max_weight + pooled.sums[rows].sum() / words)

    def _pool(self, windows: list[list[int]]) -> Pooled:
        """Read windows; an empty one leaves nothing behind."""
        order = sorted(
            filter(windows.__getitem__, range(len(windows))), key=lambda row: len(windows[row])
        )
        features = len(self._max_weight)
        pooled = Pooled(np.full((len(windows), features), -np.inf), np.zeros(len(windows)))
        for start in range(0, len(order), MAX_WINDOWS):
            rows = order[start : start + MAX_WINDOWS]
            maxima, sums = self._run(["maxima", "sums"], [windows[row] for row in rows])
            pooled.maxima[rows] = maxima[:, 0]
            pooled.sums[rows] = sums[..., 0].sum(1, dtype=np.float64)
        return pooled

    def _run(self, names: list[str], windows: Sequence[Sequence[int]]) -> list[Any]:
        """The graph's outputs for reviews of one window each, padded to the longest."""
        lengths = np.array(list(map(len, windows)), np.int32)
        ids = np.zeros((len(windows), lengths.max()), np.int32)
        for row, window in enumerate(windows):
            ids[row, : len(window)] = window
        feed = {"windows": ids, "window_lengths": lengths, "lengths": lengths}
        outputs: list[Any] = self._session.run(names, feed, self._options)
        return outputs
