"""fastText: averaged vectors of words and bigrams (Joulin and others, 2017)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model_training.evaluation.peers.peer import Floats, Peer, Reviews, log_odds, modern, optional

SETTINGS = {"dim": 10, "wordNgrams": 2, "epoch": 5, "bucket": 2_000_000, "minCount": 1}
RATES = (0.05, 0.1, 0.25, 0.5)
POSITIVE = "__label__1"


class FastText(Peer):
    """The original program's classifier."""

    name = "fasttext"
    title = "fastText"
    family = "words and n-grams"
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
                str(lines), lr=rate, thread=1, verbose=0, **SETTINGS
            )
            accuracy = float(np.mean((_logits(model, dev.texts) >= 0) == dev.labels))
            if accuracy > best:
                best = accuracy
                model.save_model(str(folder / "model.bin"))

    def load(self, folder: Path) -> None:
        """Read the model."""
        self._model = optional("fasttext").load_model(str(folder / "model.bin"))

    def logits(self, texts: Sequence[str]) -> Floats:
        """[texts] log odds of positive."""
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
