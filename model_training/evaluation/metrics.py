"""How good a set of scored reviews is."""

from __future__ import annotations

from typing import Any

from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from model_training.evaluation.calibration import (
    Floats,
    Labels,
    calibration_error,
    positive_probability,
)


def score(logits: Floats, labels: Labels, temperature: float = 1.0) -> dict[str, Any]:
    """Give metrics of reviews with ``logits`` [reviews] against ``labels`` [reviews] (1 =
    positive).

    Precision, recall and F1 are of the positive class. A probability of exactly one half counts
    as positive.
    """
    probabilities = positive_probability(logits, temperature)
    predicted = (probabilities >= 0.5).astype(int)
    (true_negative, false_positive), (false_negative, true_positive) = confusion_matrix(
        labels, predicted, labels=[0, 1]
    )
    return {
        "accuracy": float(accuracy_score(labels, predicted)),
        "precision": float(precision_score(labels, predicted, zero_division=0)),
        "recall": float(recall_score(labels, predicted, zero_division=0)),
        "f1": float(f1_score(labels, predicted, zero_division=0)),
        "auc": float(roc_auc_score(labels, probabilities)),
        "log_loss": float(log_loss(labels, probabilities, labels=[0, 1])),
        "brier": float(brier_score_loss(labels, probabilities)),
        "ece": calibration_error(probabilities, labels),
        "true_positive": int(true_positive),
        "false_positive": int(false_positive),
        "true_negative": int(true_negative),
        "false_negative": int(false_negative),
        "reviews": len(labels),
    }
