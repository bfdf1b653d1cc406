"""Metrics."""

from __future__ import annotations

import numpy as np
import pytest

from model_training.evaluation.calibration import (
    calibration_error,
    fit_calibration,
    fit_temperature,
)
from model_training.evaluation.metrics import score


def test_metrics_of_a_small_example() -> None:
    metrics = score(np.array([2.0, -1.0, 0.5, -3.0]), np.array([1, 1, 0, 0]))
    assert metrics["accuracy"] == 0.5
    assert (metrics["precision"], metrics["recall"], metrics["f1"]) == (0.5, 0.5, 0.5)
    assert metrics["auc"] == 0.75
    assert [metrics[f"{kind}_positive"] for kind in ("true", "false")] == [1, 1]
    assert [metrics[f"{kind}_negative"] for kind in ("true", "false")] == [1, 1]


def test_the_calibration_error_of_honest_probabilities_is_small() -> None:
    random = np.random.default_rng(0)
    probabilities = random.random(200_000)
    labels = (random.random(200_000) < probabilities).astype(int)
    assert calibration_error(probabilities, labels) < 0.005
    assert calibration_error(np.full(1000, 0.9), np.tile([1, 0], 500)) == pytest.approx(0.4)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_fitted_temperature_is_the_one_that_made_the_labels(temperature: float) -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 4, 100_000)
    labels = (random.random(100_000) < 1 / (1 + np.exp(-logits / temperature))).astype(int)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.03)


@pytest.mark.parametrize("share", [0.5, 0.7])
def test_shift_and_temperature_are_found_again_whatever_the_share_of_positive_reviews(
    share: float,
) -> None:
    random = np.random.default_rng(1)
    labels = (random.random(40_000) < share).astype(int)
    # Normal in either class: the true log odds, for classes of one size, are 2 times these.
    honest = random.normal(2.0 * labels - 1.0, 1.0)
    shift, temperature = fit_calibration(3.0 * (2.0 * honest) + 1.5, labels)
    assert (shift, temperature) == pytest.approx((-1.5, 3.0), abs=0.12)


def test_a_model_that_knows_nothing_is_not_moved() -> None:
    random = np.random.default_rng(1)
    shift, temperature = fit_calibration(random.normal(size=500), random.integers(0, 2, 500))
    assert shift == 0.0
    assert temperature > 1.0
