"""Short reviews of our own (short_reviews.csv), since people type one sentence."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model_training.serving.scorer import Model

SHORT_CASES = Path(__file__).with_name("short_reviews.csv")


@dataclass(frozen=True)
class ShortCase:
    """A short review of short_reviews.csv, and what the model says of it."""

    review: str
    kind: str
    positive: bool
    probability: float
    """Probability of positive, 0 to 1."""

    @property
    def is_right(self) -> bool:
        return (self.probability >= 0.5) is self.positive


def score_short_cases(model: Model, path: Path = SHORT_CASES) -> list[ShortCase]:
    """Give what the model says of each short review in ``path`` (columns sentiment, kind,
    review)."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cases = []
    for row in rows:
        ids = model.vocabulary.encode_ids(row["review"])
        # Of a review of stop words alone nothing is left; its logit is 0, as for the test split.
        probability = model.score([ids])[0].probability if ids else 0.5
        positive = row["sentiment"] == "positive"
        cases.append(ShortCase(row["review"], row["kind"], positive, probability))
    return cases


def share_right(cases: Sequence[ShortCase]) -> float:
    """Give the accuracy of the model on ``cases``."""
    return sum(case.is_right for case in cases) / len(cases)
