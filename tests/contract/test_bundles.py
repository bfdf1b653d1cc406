"""The bundles that ship: complete, small enough, right about plain cases, true to their figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model_training.corpus.cache import Corpus
from model_training.evaluation.answers import score_split
from model_training.paths import MODELS, SHIPPED
from model_training.recipes.recipe import load_recipe, recipe_names
from model_training.serving.bundle import FILES, read_bundle
from model_training.serving.scorer import Model

MAX_BYTES = 12 * 1024 * 1024


def probability(model: Model, review: str) -> float:
    return model.score([model.vocabulary.encode(review).ids])[0].probability


def test_a_bundle_is_complete_and_small(bundle: Path) -> None:
    manifest = read_bundle(bundle).manifest
    assert manifest.name == bundle.name
    assert sum((bundle / name).stat().st_size for name in FILES) <= MAX_BYTES


@pytest.mark.parametrize("name", recipe_names())
def test_a_bundle_has_the_rule_for_verdicts_of_its_recipe(name: str) -> None:
    assert read_bundle(MODELS / name).manifest.rule == load_recipe(name).verdict


def test_the_model_that_ships_knows_what_it_cannot_tell() -> None:
    assert read_bundle(SHIPPED).manifest.rule is not None


@pytest.mark.parametrize(
    ("review", "positive"),
    [
        ("A wonderful, moving film with a great cast. One of the best I have ever seen!", True),
        ("I loved every minute of it. Highly recommended.", True),
        ("A boring mess: terrible acting, awful script, and far too long. Avoid it.", False),
        ("The worst film I have seen in years. A complete waste of time.", False),
    ],
)
def test_plain_reviews_are_told_apart(model: Model, review: str, positive: bool) -> None:
    assert (probability(model, review) > 0.5) is positive


def test_every_length_gives_a_finite_answer_that_adds_up(model: Model) -> None:
    random = np.random.default_rng(0)
    most = model.vocabulary.settings.max_tokens
    reviews = [
        random.integers(1, len(model.vocabulary), length).tolist() for length in range(1, most + 1)
    ]
    for review, result in zip(reviews, model.score(reviews), strict=True):
        assert result.contributions.shape == (len(review),)
        assert np.isfinite(result.logit)
        total = float(result.contributions.sum(dtype=np.float64)) + model.bias
        assert total == pytest.approx(result.logit, abs=1e-4)


def test_the_figures_in_metrics_are_those_of_the_test_reviews(
    bundle: Path, model: Model, corpus: Corpus
) -> None:
    """On each tenth test review; the whole split is scored by ``make evaluate``."""
    metrics = json.loads((bundle / "metrics.json").read_text())
    assert (metrics["split"], metrics["reviews"]) == ("test", 25_000)
    test = corpus.encoded("test", model.vocabulary).take(np.arange(0, 25_000, 10))
    accuracy = float(((score_split(model, test) > 0) == test.labels).mean())
    # Three standard errors of a share of 2,500.
    assert accuracy == pytest.approx(metrics["accuracy"], abs=0.02)


def test_the_accuracy_is_at_least_the_goal(bundle: Path) -> None:
    goal = {"classic": 0.83684, "modern": 0.91}[bundle.name]
    assert json.loads((bundle / "metrics.json").read_text())["accuracy"] >= goal
