"""The proof that a bundle and the model in PyTorch are the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from model_training.corpus.reviews import Encoded
from model_training.errors import BundleError
from model_training.serving.scorer import Model
from model_training.training.runs import Trained
from review_text import FIRST_WORD

TOLERANCE = 1e-4
"""Largest difference between a logit of the graph in fp32 and PyTorch's."""

INT8_TOLERANCE = 0.002
"""Largest difference that weights in 8 bits may make to the share of dev reviews that are right,
and to a probability on average."""
_PROOF_REVIEWS = 1_000


def prove_equal(bundle: Model, trained: Trained, reviews: Encoded) -> None:
    """Compare a bundle in fp32 with PyTorch on real reviews and on every length.

    Raises:
        BundleError: a logit, which is the sum of its contributions, is off by more than
            ``TOLERANCE``.
    """
    proof = _proof_reviews(bundle, reviews)
    difference = float(np.abs(_score(bundle, proof) - trained.logits(proof)).max())
    _report("the bundle's logits differ from PyTorch's", difference, TOLERANCE, len(proof))


def prove_close(bundle: Model, exact: Model, reviews: Encoded) -> None:
    """Compare the bundle that ships, whose weights may have 8 bits, with the one in fp32.

    Raises:
        BundleError: it is right less often, or its probabilities are off on average, by more than
            ``INT8_TOLERANCE``.
    """
    proof = _proof_reviews(bundle, reviews)
    logits, expected = _score(bundle, proof), _score(exact, proof)
    off = float(np.abs(expit(logits) - expit(expected)).mean())
    _report("the shipped weights change probabilities", off, INT8_TOLERANCE, len(proof))
    real = min(len(reviews), _PROOF_REVIEWS)
    right = [(scored[:real] > 0) == (proof.labels[:real] == 1) for scored in (logits, expected)]
    lost = float(np.mean(right[1]) - np.mean(right[0])) if real else 0.0
    _report("the shipped weights lose accuracy", lost, INT8_TOLERANCE, real)


def _score(bundle: Model, reviews: Encoded) -> npt.NDArray[np.float64]:
    """[reviews] logits, each of them the sum of its contributions."""
    results = bundle.score([reviews[row].tolist() for row in range(len(reviews))])
    return np.array([result.logit for result in results])


def _report(what: str, difference: float, most: float, reviews: int) -> None:
    print(f"{what} by {difference:.1e}, over {reviews:,} reviews; at most {most} will do")
    if not difference <= most:
        raise BundleError(f"{what} by {difference:.1e}, which is more than {most}")


def _proof_reviews(bundle: Model, reviews: Encoded) -> Encoded:
    """Real reviews, then one of random words for each length from 1 to the most."""
    most, entries = bundle.vocabulary.settings.max_tokens, len(bundle.vocabulary)
    real = reviews.take(np.flatnonzero(reviews.lengths > 0)[:_PROOF_REVIEWS])
    random = np.random.default_rng(0)
    made = [random.integers(FIRST_WORD - 1, entries, length) for length in range(1, most + 1)]
    return real + Encoded.of([ids.astype(np.uint16) for ids in made], np.zeros(most, np.int8))
