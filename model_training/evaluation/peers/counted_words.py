"""Peers that are trained on counted words: NB-SVM, fastText, XGBoost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from model_training.evaluation.peers.peer import (
    Floats,
    Peer,
    Platt,
    Reviews,
    classic,
    fit_platt,
    log_odds,
    modern,
    optional,
)

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
        """Give [reviews] distances from the decision plane; above 0 is positive."""
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
        """Give [texts] log odds of positive."""
        return self._line(self._model.decide([modern(text) for text in texts]))


def _n_grams(tokens: Sequence[str], longest: int) -> list[str]:
    grams = list(tokens)
    for length in range(2, longest + 1):
        grams += map(" ".join, zip(*(tokens[start:] for start in range(length)), strict=False))
    return grams


FAST_TEXT = {"dim": 10, "wordNgrams": 2, "epoch": 5, "bucket": 2_000_000, "minCount": 1}
RATES = (0.05, 0.1, 0.25, 0.5)
POSITIVE = "__label__1"


class FastText(Peer):
    """The original program's classifier."""

    name = "fasttext"
    title = "fastText"
    package = "fasttext-community"
    remark = (
        "The paper's settings for sentiment: 10 dimensions, bigrams, 5 epochs, the best of the "
        "learning rates 0.05, 0.1, 0.25 and 0.5 on dev; the program's own 2,000,000 buckets "
        "where the paper has 10,000,000. Training seconds are of all four."
    )

    def fit(self, train: Reviews, dev: Reviews, folder: Path, scratch: Path) -> None:
        """Train with each learning rate; the one that is best on dev stays."""
        lines = scratch / "train.txt"
        lines.write_text("".join(_lines(train)), encoding="utf-8")
        best = -1.0
        for rate in RATES:
            model = optional("fasttext").train_supervised(
                str(lines), lr=rate, thread=1, verbose=0, **FAST_TEXT
            )
            accuracy = float(np.mean((_logits(model, dev.texts) >= 0) == dev.labels))
            if accuracy > best:
                best = accuracy
                model.save_model(str(folder / "model.bin"))

    def load(self, folder: Path) -> None:
        """Read the model."""
        self._model = optional("fasttext").load_model(str(folder / "model.bin"))

    def logits(self, texts: Sequence[str]) -> Floats:
        """Give [texts] log odds of positive."""
        return _logits(self._model, texts)


def _logits(model: Any, texts: Sequence[str]) -> Floats:
    """[texts] log odds of positive."""
    probabilities = []
    for text in texts:
        labels, shares = model.predict(" ".join(modern(text)), k=2)
        probabilities.append(dict(zip(labels, shares, strict=True)).get(POSITIVE, 0.0))
    return log_odds(np.array(probabilities))


def _lines(reviews: Reviews) -> Iterator[str]:
    """The training file: a label and a text a line, in a random order."""
    for row in np.random.default_rng(1).permutation(len(reviews.labels)):
        yield f"__label__{reviews.labels[row]} {' '.join(modern(reviews.texts[row]))}\n"


WORDS = 5_000
ROUNDS = 500
PATIENCE = 10  # rounds without a better dev error
XGBOOST: dict[str, Any] = {
    "objective": "binary:logistic",
    "max_depth": 5,
    "eta": 0.2,
    "gamma": 4,
    "min_child_weight": 6,
    "subsample": 0.8,
    "eval_metric": "error",
    "nthread": 1,
    "seed": 1,
}


class BoostedTrees(Peer):
    """Gradient-boosted trees on the 5,000 most frequent stems."""

    name = "xgboost"
    title = "XGBoost, 5,000 counts"
    package = "xgboost-cpu"
    remark = (
        "The classic bag of words (lower case, stop words out, Porter stems, 5,000 counts), with "
        "the settings of SageMaker's examples: depth 5, eta 0.2, gamma 4, minimum child weight "
        "6, subsample 0.8, at most 500 rounds, stopped after 10 without a better dev error."
    )

    def fit(self, train: Reviews, dev: Reviews, folder: Path, scratch: Path) -> None:
        """Choose the words, then grow trees until dev gets no better."""
        xgboost = optional("xgboost")
        counter = CountVectorizer(analyzer=classic, max_features=WORDS, dtype=np.float32)
        counts = xgboost.DMatrix(counter.fit_transform(train.texts), train.labels)
        dev_counts = xgboost.DMatrix(counter.transform(dev.texts), dev.labels)
        trees = xgboost.train(
            XGBOOST,
            counts,
            ROUNDS,
            evals=[(dev_counts, "dev")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        trees[: trees.best_iteration + 1].save_model(folder / "trees.ubj")
        words = json.dumps(counter.get_feature_names_out().tolist())
        (folder / "words.json").write_text(words + "\n", encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Read words and trees."""
        words = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        self._counter = CountVectorizer(analyzer=classic, vocabulary=words, dtype=np.float32)
        trees = folder / "trees.ubj"
        self._trees = optional("xgboost").Booster({"nthread": 1}, model_file=trees)

    def logits(self, texts: Sequence[str]) -> Floats:
        """Give [texts] log odds of positive: the trees' sum."""
        counts: sp.csr_matrix = self._counter.transform(texts)
        margins: Floats = self._trees.inplace_predict(counts, predict_type="margin")
        return margins
