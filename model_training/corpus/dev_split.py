"""Which training reviews are held out to choose by (dev), and which are learned from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

DEV_REVIEWS = 3_000
"""At least so many training reviews are held out, by whole movies: reviews of one movie share
names and opinions, so a random dev split would reward remembering them."""
_SEED = 20_111


def hold_out_movies(
    movies: npt.NDArray[np.int32], reviews: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows to train on, and rows of movies drawn at random until they have ``reviews`` reviews
    together. ``movies`` [rows]: the movie of each review; no movie is in both parts."""
    names, counts = np.unique(movies, return_counts=True)
    order = np.random.default_rng(_SEED).permutation(len(names))
    enough = int(np.searchsorted(np.cumsum(counts[order]), reviews)) + 1 if reviews else 0
    in_dev = np.isin(movies, names[order[:enough]])
    return np.flatnonzero(~in_dev), np.flatnonzero(in_dev)
