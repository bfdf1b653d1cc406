"""Reviews as numbers through a bundle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model_training.corpus.reviews import Encoded
from model_training.serving.scorer import Model


def score_split(model: Model, split: Encoded) -> npt.NDArray[np.float32]:
    """[reviews] logits of the bundle; 0 for a review without tokens."""
    logits = np.zeros(len(split), np.float32)
    rows = np.flatnonzero(split.lengths > 0)
    for part in np.array_split(rows, max(1, len(rows) // 500)):
        results = model.score([split[row].tolist() for row in part], contributions=False)
        logits[part] = [result.logit for result in results]
    return logits
