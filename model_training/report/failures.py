"""The dev reviews that a bundle is most sure of and wrong about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Split
from model_training.evaluation.calibration import positive_probability
from model_training.evaluation.metrics import score_split
from model_training.serving.scorer import Model

SHOWN = 8
WORDS = 5
"""Words with the largest contributions to the verdict that are named."""


@dataclass(frozen=True)
class Failure:
    """A review that was taken for the opposite of what it is."""

    file: str
    """Where it is in the official archive, without the rating that its name ends in."""
    positive: bool
    """What the reviewer says."""
    probability: float
    """Probability of positive, as the model says."""
    words: list[str]
    """What moved it to its verdict most, as written."""


def find_failures(model: Model, corpus: Corpus, shown: int = SHOWN) -> list[Failure]:
    """Find the ``shown`` surest errors on dev, the surest first."""
    split, (_, dev) = corpus.split("train"), corpus.train_rows(model.dev_reviews)
    logits = score_split(model, corpus.encoded("train", model.vocabulary).take(dev))
    wrong = (logits >= 0) != (split.labels[dev] == 1)
    order = np.argsort(-np.abs(logits), kind="stable")
    rows = dev[[row for row in order if wrong[row]][:shown]]
    return [_describe(model, split, int(row)) for row in rows]


def _describe(model: Model, split: Split, row: int) -> Failure:
    text = split.texts[row]
    encoded = model.vocabulary.encode(text)
    [result] = model.score([encoded.ids])
    sign = 1 if result.logit >= 0 else -1
    words: list[str] = []
    for place in np.argsort(-sign * result.contributions, kind="stable"):
        start, end = encoded.spans[place]
        word = text[start:end].lower()
        if word not in words and any(map(str.isalnum, word)):
            words.append(word)
    positive = split.labels[row] == 1
    probability = float(positive_probability(np.array([result.logit]), model.temperature)[0])
    return Failure(_name(split.labels, row), bool(positive), probability, words[:WORDS])


def _name(labels: npt.NDArray[np.int8], row: int) -> str:
    """A split has its positive reviews first, and each class in the order of its numbers."""
    first = int(np.argmax(labels == labels[row]))
    return f"train/{'pos' if labels[row] == 1 else 'neg'}/{row - first}"
