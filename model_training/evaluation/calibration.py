"""From logits to probabilities that can be believed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

Floats = npt.NDArray[np.floating[Any]]

Labels = npt.NDArray[np.integer[Any]]

ECE_BINS = 15
_TEMPERATURES = (0.05, 20.0)
"""The lowest and the highest that is fitted."""
_MAX_SHARE = 100.0  # of an LSTM that has learned nothing; beyond it, fp32 can't add them up


def positive_probability(logits: Floats, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """Give [reviews] probabilities of positive."""
    probabilities: npt.NDArray[np.float64] = expit(np.asarray(logits, np.float64) / temperature)
    return probabilities


def calibration_bins(
    probabilities: Floats, labels: Labels, bins: int = ECE_BINS
) -> npt.NDArray[np.float64]:
    """Give [bins, 3]: mean probability of positive, share of positive reviews, and how many
    reviews; for bins of equal mass, from the least probability to the highest."""
    order = np.argsort(probabilities, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    return np.array(
        [[np.mean(probabilities[part]), np.mean(labels[part]), len(part)] for part in parts]
    )


def calibration_error(probabilities: Floats, labels: Labels, bins: int = ECE_BINS) -> float:
    """Give expected calibration error of the probability of positive, over bins of equal mass."""
    said, found, counts = calibration_bins(probabilities, labels, bins).T
    return float(np.sum(np.abs(said - found) * counts) / len(labels))


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """Give the temperature that makes sigmoid(logit / temperature) most likely (Guo et al.,
    2017)."""

    def loss(log_temperature: float) -> float:
        scaled = np.asarray(logits, np.float64) / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0.0, -(2.0 * labels - 1.0) * scaled)))

    bounds = (np.log(_TEMPERATURES[0]), np.log(_TEMPERATURES[1]))
    fitted = minimize_scalar(loss, bounds=bounds, method="bounded")
    return float(np.exp(fitted.x))


def fit_line(scores: Floats, labels: Labels, balanced: bool = False) -> tuple[float, float]:
    """Give slope and intercept of the log odds, as a line of the scores, that make ``labels`` most
    likely; ``balanced``: as if as many reviews were positive as negative."""
    column = np.asarray(scores, np.float64)[:, None]
    scale = float(np.std(column)) or 1.0
    weights = "balanced" if balanced else None
    fitted = LogisticRegression(C=1e6, class_weight=weights).fit(column / scale, labels)
    return float(fitted.coef_[0, 0]) / scale, float(fitted.intercept_[0])


def fit_calibration(logits: Floats, labels: Labels) -> tuple[float, float]:
    """Give the shift and the temperature that make sigmoid((logit + shift) / temperature) most
    likely (Platt, 2000), where as many reviews are positive as negative.

    The shift is 0 and the temperature ``fit_temperature``'s where more logits do not mean more
    positive reviews: there is nothing to believe then.
    """
    slope, intercept = fit_line(logits, labels, balanced=True)
    if slope <= 1 / _TEMPERATURES[1]:
        return 0.0, fit_temperature(logits, labels)
    # Classes that a few logits tell apart without an error would make it as cold as one likes.
    return intercept / slope, max(1 / slope, _TEMPERATURES[0])


def fit_share(lstm: Floats, ngrams: Floats, labels: Labels) -> float:
    """Say how often the n-grams' logit counts for each time the LSTM's does, from 0 on, where the
    sum of both makes ``labels`` most likely."""
    features = np.stack([lstm, ngrams], 1)
    fitted = LogisticRegression(C=1e6, fit_intercept=False).fit(features, labels)
    of_lstm, of_ngrams = fitted.coef_[0]
    return float(np.clip(of_ngrams / max(of_lstm, 1e-6), 0.0, _MAX_SHARE))
