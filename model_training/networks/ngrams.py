"""The side path: what single words and phrases of two and three say by themselves.

A linear classifier on the presence of n-grams, each weighted by naive Bayes (NB-SVM, Wang &
Manning, 2012), beside the LSTM. It remembers what is too rare for the LSTM to learn; the LSTM knows
what a review says as a whole. Their logits are added.

The heaviest n-grams are kept in a table of 2^20 slots, found by a hash of the ids. A slot also has
8 more bits of the hash, so that an n-gram that was never learned is taken for another one once in
thousands of times, not once in six.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from safetensors import safe_open
from safetensors.numpy import save_file
from sklearn.svm import LinearSVC

from model_training.corpus.reviews import Encoded
from model_training.files import replacing

SLOTS = 1_048_573
"""The largest prime below 2^20."""
CHECKS = 256
MULTIPLIERS: tuple[tuple[int, ...], ...] = (
    (20_996_011_033_871,),
    (23_456_789_012_347, 31_415_926_535_899),
    (27_182_818_284_593, 16_180_339_887_499, 34_641_016_151_377),
)
"""For each length of n-gram, a multiplier for each of its ids, below 2^45: a sum of three products
with 16-bit ids has 63 bits, in ONNX as here. Multilinear hashing (Lemire and Kaser, 2014), with odd
numbers that were chosen once."""

_MIN_REVIEWS = 2  # that an n-gram is in
_SVM_C = 3.0

Keys = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NGrams:
    """What each n-gram adds to the logit of a review that has it, times the square root of the
    review's tokens."""

    levels: npt.NDArray[np.int16]
    """[SLOTS]: in units of ``scale``."""
    checks: npt.NDArray[np.uint8]
    """[SLOTS]: of the n-gram that the slot belongs to."""
    scale: float
    bias: float
    """The classifier's bias; part of every logit."""

    def times(self, factor: float) -> NGrams:
        """Give the same with all logits multiplied."""
        return NGrams(self.levels, self.checks, self.scale * factor, self.bias * factor)

    def logits(self, split: Encoded) -> npt.NDArray[np.float64]:
        """Give [reviews]; of a review without tokens, the bias."""
        return np.array([self.logit(split[row]) for row in range(len(split))])

    def logit(self, ids: npt.NDArray[np.uint16]) -> float:
        """Give the logit of one review's ids."""
        if not len(ids):
            return self.bias
        keys = np.concatenate([np.unique(of_length) for of_length in keys_of(ids)])
        slots, checks = keys % SLOTS, keys // SLOTS % CHECKS
        known = self.checks[slots] == checks
        total = int(self.levels[slots][known].sum(dtype=np.int64))
        return total * self.scale / math.sqrt(len(ids)) + self.bias


def keys_of(ids: npt.NDArray[np.uint16]) -> list[Keys]:
    """For each length, the keys of all n-grams in order; empty where the review is shorter."""
    wide = ids.astype(np.int64)
    keys = []
    for multipliers in MULTIPLIERS:
        count = max(0, len(wide) - len(multipliers) + 1)
        parts = [wide[place : place + count] * by for place, by in enumerate(multipliers)]
        keys.append(np.stack(parts).sum(0))
    return keys


def fit_ngrams(split: Encoded, entries: int) -> NGrams:
    """Learn from labelled reviews; the ``entries`` n-grams that tell classes apart best stay."""
    rows = [np.concatenate([np.unique(k) for k in keys_of(split[r])]) for r in range(len(split))]
    keys, columns = np.unique(np.concatenate(rows), return_inverse=True)
    ends = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    shape = (len(split), len(keys))
    present = sp.csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape)
    ratios, kept = _ratios(present, split.labels, entries)
    lengths = np.sqrt(np.maximum(split.lengths, 1)).astype(np.float32)
    weighed = sp.diags(1 / lengths) @ present[:, kept] @ sp.diags(ratios[kept])
    svm = LinearSVC(C=_SVM_C, random_state=0).fit(weighed, split.labels)
    weights = ratios[kept].astype(np.float64) * svm.coef_[0]
    return _pack(keys[kept], weights, float(svm.intercept_[0]))


def _ratios(
    present: sp.csr_matrix, labels: npt.NDArray[np.int8], entries: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """The log-count ratio of each n-gram, and which to keep: those whose counts in the two classes
    are most unlike chance."""
    positive = np.asarray(present[labels == 1].sum(0)).ravel()
    negative = np.asarray(present[labels == 0].sum(0)).ravel()
    shares = ((1 + positive) / (1 + positive).sum(), (1 + negative) / (1 + negative).sum())
    surprise = np.abs(positive - negative) / np.sqrt(1 + positive + negative)
    surprise[positive + negative < _MIN_REVIEWS] = -1.0
    order = np.argsort(-surprise, kind="stable")[:entries]
    return np.log(shares[0] / shares[1]).astype(np.float32), np.sort(order[surprise[order] > 0])


def _pack(keys: Keys, weights: npt.NDArray[np.float64], bias: float) -> NGrams:
    """The table; where two n-grams share a slot, the heavier one has it."""
    order = np.argsort(np.abs(weights), kind="stable")  # what comes later overwrites
    scale = float(np.abs(weights).max(initial=1e-12)) / 32_767
    levels, checks = np.zeros(SLOTS, np.int16), np.zeros(SLOTS, np.uint8)
    levels[keys[order] % SLOTS] = np.rint(weights[order] / scale).astype(np.int16)
    checks[keys[order] % SLOTS] = (keys[order] // SLOTS % CHECKS).astype(np.uint8)
    return NGrams(levels, checks, scale, bias)


def save_ngrams(ngrams: NGrams, path: Path) -> None:
    """Write them for ``load_ngrams``."""
    # One entry: several would be written in another order each time.
    about = {"numbers": json.dumps({"scale": ngrams.scale, "bias": ngrams.bias})}
    with replacing(path) as part:
        save_file({"levels": ngrams.levels, "checks": ngrams.checks}, part, about)


def load_ngrams(path: Path) -> NGrams | None:
    """Load what ``save_ngrams`` wrote; None where there is no such file."""
    if not path.exists():
        return None
    with safe_open(path, framework="np") as file:
        numbers = json.loads(file.metadata()["numbers"])
        return NGrams(
            file.get_tensor("levels"),
            file.get_tensor("checks"),
            float(numbers["scale"]),
            float(numbers["bias"]),
        )
