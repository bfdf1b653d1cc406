"""NB-SVM: a linear classifier on n-grams, weighted by naive Bayes (Wang & Manning, 2012)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from model_training.evaluation.peers.peer import Floats, Peer, Platt, Reviews, fit_platt, modern

Tokens = Sequence[Sequence[str]]


class NaiveBayesSVM:
    """Presence of 1- to ``longest``-grams times their log-count ratio, then a linear SVM."""

    def __init__(self, longest: int = 3, c: float = 3.0, min_reviews: int = 2) -> None:
        self._longest = longest
        self._count = CountVectorizer(
            analyzer=lambda tokens: _n_grams(tokens, longest),
            binary=True,
            min_df=min_reviews,
            dtype=np.float32,
        )
        self._c = c
        self._ratio: npt.NDArray[np.float32]
        self._weights: npt.NDArray[np.float32]
        self._bias: float

    def fit(self, reviews: Tokens, labels: npt.NDArray[Any]) -> NaiveBayesSVM:
        """Learn from tokenised reviews and their labels (1 = positive)."""
        counts = self._count.fit_transform(reviews)
        positive = 1.0 + np.asarray(counts[labels == 1].sum(0)).ravel()
        negative = 1.0 + np.asarray(counts[labels == 0].sum(0)).ravel()
        shares = (positive / positive.sum(), negative / negative.sum())
        self._ratio = np.log(shares[0] / shares[1]).astype(np.float32)
        svm = LinearSVC(C=self._c, random_state=0).fit(self._weigh(counts), labels)
        self._weights = svm.coef_.ravel().astype(np.float32)
        self._bias = float(svm.intercept_[0])
        return self

    def decide(self, reviews: Tokens) -> Floats:
        """[reviews] distances from the decision plane; above 0 is positive."""
        distances: Floats = self._weigh(self._count.transform(reviews)) @ self._weights
        return distances + self._bias

    def save(self, folder: Path) -> None:
        """Write n-grams and weights."""
        n_grams = "\n".join(self._count.get_feature_names_out())
        (folder / "n_grams.txt").write_text(n_grams, encoding="utf-8")
        np.savez(folder / "weights.npz", ratio=self._ratio, weights=self._weights, bias=self._bias)

    def load(self, folder: Path) -> NaiveBayesSVM:
        """Read what ``save`` wrote."""
        n_grams = (folder / "n_grams.txt").read_text(encoding="utf-8").split("\n")
        longest = self._longest
        self._count = CountVectorizer(
            analyzer=lambda tokens: _n_grams(tokens, longest),
            binary=True,
            vocabulary=n_grams,
            dtype=np.float32,
        )
        with np.load(folder / "weights.npz") as arrays:
            self._ratio, self._weights = arrays["ratio"], arrays["weights"]
            self._bias = float(arrays["bias"])
        return self

    def _weigh(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        return normalize(counts.multiply(self._ratio).tocsr())


class NaiveBayesSVMPeer(Peer):
    """NB-SVM on 1- to 3-grams of the modern tokens."""

    name = "nbsvm"
    title = "NB-SVM, 1-3-grams"
    family = "words and n-grams"
    package = "scikit-learn"
    remark = (
        "LinearSVC, C = 3, on L2-normalised log-count ratios of all 1-3-grams that two reviews "
        "have, punctuation kept. Its distances become probabilities on dev (Platt). Mesnil and "
        "others report 0.9187 for their trigrams with logistic regression on 25,000 reviews."
    )

    def fit(self, train: Reviews, dev: Reviews, folder: Path, scratch: Path) -> None:
        """Count, weigh, separate; then fit the probabilities."""
        model = NaiveBayesSVM().fit([modern(text) for text in train.texts], train.labels)
        model.save(folder)
        line = fit_platt(model.decide([modern(text) for text in dev.texts]), dev.labels)
        np.savez(folder / "platt.npz", slope=line.slope, intercept=line.intercept)

    def load(self, folder: Path) -> None:
        """Read n-grams and weights."""
        self._model = NaiveBayesSVM().load(folder)
        with np.load(folder / "platt.npz") as arrays:
            self._line = Platt(float(arrays["slope"]), float(arrays["intercept"]))

    def logits(self, texts: Sequence[str]) -> Floats:
        """[texts] log odds of positive."""
        return self._line(self._model.decide([modern(text) for text in texts]))


def _n_grams(tokens: Sequence[str], longest: int) -> list[str]:
    grams = list(tokens)
    for length in range(2, longest + 1):
        grams += map(" ".join, zip(*(tokens[start:] for start in range(length)), strict=False))
    return grams
