"""Metrics."""

from __future__ import annotations

import numpy as np
import pytest

from model_training.metrics import calibration_error, fit_temperature, score


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
