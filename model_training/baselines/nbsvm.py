"""NB-SVM: a linear classifier on n-grams, weighted by naive Bayes (Wang & Manning, 2012)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

Tokens = Sequence[Sequence[str]]


class NaiveBayesSVM:
    """Presence of 1- to ``longest``-grams times their log-count ratio, then a linear SVM."""

    def __init__(self, longest: int = 3, c: float = 3.0, min_reviews: int = 2) -> None:
        self._count = CountVectorizer(
            analyzer=lambda tokens: _n_grams(tokens, longest),
            binary=True,
            min_df=min_reviews,
            dtype=np.float32,
        )
        self._svm = LinearSVC(C=c, random_state=0)
        self._ratio: npt.NDArray[np.float32]

    def fit(self, reviews: Tokens, labels: npt.NDArray[Any]) -> NaiveBayesSVM:
        """Learn from tokenised reviews and their labels (1 = positive)."""
        counts = self._count.fit_transform(reviews)
        positive = 1.0 + np.asarray(counts[labels == 1].sum(0)).ravel()
        negative = 1.0 + np.asarray(counts[labels == 0].sum(0)).ravel()
        shares = (positive / positive.sum(), negative / negative.sum())
        self._ratio = np.log(shares[0] / shares[1]).astype(np.float32)
        self._svm.fit(self._weigh(counts), labels)
        return self

    def decide(self, reviews: Tokens) -> npt.NDArray[np.float64]:
        """[reviews] distances from the decision plane; above 0 is positive."""
        distances: npt.NDArray[np.float64] = self._svm.decision_function(
            self._weigh(self._count.transform(reviews))
        )
        return distances

    def _weigh(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        return normalize(counts.multiply(self._ratio).tocsr())


def _n_grams(tokens: Sequence[str], longest: int) -> list[str]:
    grams = list(tokens)
    for length in range(2, longest + 1):
        grams += map(" ".join, zip(*(tokens[start:] for start in range(length)), strict=False))
    return grams
