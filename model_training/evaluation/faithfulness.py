"""Whether the words that an explanation names are those that the verdict hangs on.

    .venv/bin/python -m model_training.evaluation.faithfulness model_training/models/modern

On reviews of dev, drawn once at random, words are deleted, those with the largest contributions to
the verdict first, or those with the largest effects, or random ones, and the bundle reads what is
left. A faithful explanation names words whose loss moves the probability of the verdict. Effects
are those that the endpoint gives; that the word which they (or contributions) mark strongest is the
one whose deletion moves the verdict most is found by scoring the review without each word.

The area over the perturbation curve is the mean fall of that probability over 1 to 10 deleted
words (Samek et al., 2017; here without the zeroth term, which is always 0). Only tokens with a
letter or a digit count as words. The result goes to runs/evaluation/<version>-faithfulness.json,
from where model_card.py takes it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr
from tqdm import tqdm

from model_training.corpus.cache import Corpus, prepare_corpus
from model_training.errors import ReeltoneError
from model_training.evaluation.answers import bundles_parser
from model_training.evaluation.calibration import positive_probability
from model_training.files import run_command, write_json
from model_training.serving.bundle import read_bundle
from model_training.serving.scorer import Model, load_model
from review_text import Vocabulary

REVIEWS = 100
MAX_DELETED = 10
"""Deleted words at the end of a perturbation curve."""
DELETED = 5
"""Deleted words at the point of the curve that is also reported alone."""
WAYS = ("contributions", "effects", "random")

_RANDOM_DRAWS = 5  # random deletions a review, averaged
_SEED = 20_260
_SAME = 1e-4  # two words whose deletions move the logit as far as that move it equally


@dataclass(frozen=True)
class Review:
    """A review that loses words."""

    ids: list[int]
    words: npt.NDArray[np.int64]
    """Indices into ``ids`` of the tokens that are words."""


@dataclass(frozen=True)
class Perturbed:
    """What became of one review's verdict. Curves are [MAX_DELETED + 1]: after 0, 1, … deleted
    words, the first word of the ranking first."""

    probabilities: Mapping[str, npt.NDArray[np.float64]]
    """Way → curve of the probability of the verdict."""
    rank_correlation: float
    """Spearman's, of contributions with what deleting each word does, over the review's words."""
    strongest: Mapping[str, bool]
    """Contributions or effects → whether the word that they mark strongest is the one whose
    deletion moves the verdict most."""


def sample_reviews(corpus: Corpus, model: Model, count: int = REVIEWS) -> list[Review]:
    """Give reviews that the model did not learn from, in a fixed random order: the first ``count``
    that have more words than are deleted.

    Raises:
        ReeltoneError: there are none.
    """
    _, dev = corpus.train_and_dev(model.dev_reviews)
    found: list[Review] = []
    for row in np.random.default_rng(_SEED).permutation(len(dev.texts)):
        review = read_review(dev.texts[row], model.vocabulary)
        if len(review.words) > MAX_DELETED:
            found.append(review)
        if len(found) == count:
            break
    if not found:
        raise ReeltoneError(f"no dev review has more than {MAX_DELETED} words")
    return found


def read_review(text: str, vocabulary: Vocabulary) -> Review:
    """Read a review as the model reads it, and which tokens are words."""
    encoded = vocabulary.encode(text)
    is_word = [any(map(str.isalnum, text[start:end])) for start, end in encoded.spans]
    return Review(encoded.ids, np.flatnonzero(is_word))


def perturb(model: Model, review: Review, random: np.random.Generator) -> Perturbed:
    """Delete a review's words in each way."""
    [whole] = model.score([review.ids])
    sign = 1.0 if whole.logit >= 0 else -1.0
    without = _logits(model, [_delete(review.ids, [word]) for word in review.words])
    influence = sign * (whole.logit - without)  # [words]
    contributions = sign * whole.contributions[review.words].astype(np.float64)

    def curve(order: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        words = review.words[order]
        left = [_delete(review.ids, words[:count]) for count in range(MAX_DELETED + 1)]
        return positive_probability(sign * _logits(model, left), model.temperature)

    draws = [curve(random.permutation(len(review.words))) for _ in range(_RANDOM_DRAWS)]
    effects = sign * np.array(model.find_effects(review.ids))[review.words]
    marks = {"contributions": contributions, "effects": effects}
    curves = {way: curve(np.argsort(-marked, kind="stable")) for way, marked in marks.items()}
    most = np.abs(influence).max() - _SAME
    return Perturbed(
        {**curves, "random": np.mean(draws, axis=0)},
        rank_correlation(contributions, influence),
        {way: bool(np.abs(influence)[np.abs(m).argmax()] >= most) for way, m in marks.items()},
    )


def rank_correlation(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """Give Spearman's coefficient; 0 where all values of one side are equal."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(spearmanr(first, second).statistic)


def summarise(perturbed: list[Perturbed]) -> dict[str, Any]:
    """Summarise means over the reviews, with standard errors, of what the model card shows."""
    ways = {}
    for way in WAYS:
        curves = np.array([review.probabilities[way] for review in perturbed])
        drops = curves[:, :1] - curves  # [reviews, MAX_DELETED + 1]
        ways[way] = {
            "drop": _mean(drops[:, DELETED]),
            "area": _mean(drops[:, 1:].mean(1)),
            "turned": float((curves[:, DELETED] < 0.5).mean()),
            "curve": [round(float(drop), 6) for drop in drops.mean(0)],
        }
    fallen = {
        way: np.array([review.probabilities[way][DELETED] for review in perturbed]) for way in WAYS
    }
    return {
        "reviews": len(perturbed),
        "deleted": DELETED,
        "most_deleted": MAX_DELETED,
        "ways": ways,
        "below_random": float((fallen["contributions"] < fallen["random"]).mean()),
        "rank_correlation": _mean([review.rank_correlation for review in perturbed]),
        "strongest": {
            way: float(np.mean([review.strongest[way] for review in perturbed])) for way in WAYS[:2]
        },
    }


def _mean(values: Any) -> dict[str, float]:
    """Mean and its standard error."""
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return {"mean": float(np.mean(values)), "error": float(error)}


def _delete(ids: list[int], places: Any) -> list[int]:
    gone = set(map(int, places))
    return [number for place, number in enumerate(ids) if place not in gone]


def _logits(model: Model, reviews: list[list[int]]) -> npt.NDArray[np.float64]:
    return np.array([result.logit for result in model.score(reviews)])


def result_path(runs: Path, version: str) -> Path:
    """Say where the result of a model is kept."""
    return runs / "evaluation" / f"{version}-faithfulness.json"


def measure(model: Model, reviews: list[Review]) -> dict[str, Any]:
    """Measure the summary of all ``reviews``; the same for the same model."""
    random = np.random.default_rng(_SEED)
    watched = tqdm(reviews, model.version, unit=" reviews", mininterval=1)
    return summarise([perturb(model, review, random) for review in watched])


def main(arguments: list[str] | None = None) -> None:
    """Measure bundles and keep the results."""
    parser = bundles_parser("model_training.evaluation.faithfulness", __doc__)
    parser.add_argument("--reviews", type=int, default=REVIEWS, help="default: %(default)s")
    options = parser.parse_args(arguments)
    for bundle in options.bundles:
        read_bundle(bundle)
    corpus = prepare_corpus(options.data_dir, options.archive)
    for bundle in options.bundles:
        model = load_model(bundle)
        reviews = sample_reviews(corpus, model, options.reviews)
        result = measure(model, reviews)
        write_json(result_path(options.runs, model.version), result)
        print(json.dumps({"version": model.version, **result}, indent=2))


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
