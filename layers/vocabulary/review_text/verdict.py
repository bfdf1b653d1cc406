"""What a review says, in one word: for the film, against it, both, or nothing that says an opinion.

A model that was trained to tell two classes apart has a probability for a greeting, too. This rule
takes what is known besides: how much of the review the model has words for, how long it is, and
which way its sentences pull. Its thresholds are a model's own, chosen on dev reviews, and travel in
the model's manifest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from review_text.vocabulary import INFREQUENT

Verdict = Literal["positive", "negative", "mixed", "unclear"]


class VerdictRuleError(ValueError):
    """A threshold is missing or out of range; the message names it."""


@dataclass(frozen=True)
class VerdictRule:
    """When a review is unclear or mixed."""

    unknown: float
    """Share of a review's tokens, 0 to 1: with as many infrequent ones it is unclear, such as
    another language or gibberish."""
    short: int
    """Tokens: with no more of them, a review is unclear where the model is not ``sure``."""
    sure: float
    """Probability of the sentiment given, 0.5 to 1."""
    balance: float
    """What the sentences of the weaker side add to the logit, as a share of what those of the
    stronger side do, 0 to 1: from there on a review is mixed."""

    def __post_init__(self) -> None:
        ranges = {"unknown": (0, 1), "short": (0, 10_000), "sure": (0.5, 1), "balance": (0, 1)}
        for name, (least, most) in ranges.items():
            value = getattr(self, name)
            if type(value) not in (int, float) or not least <= value <= most:
                raise VerdictRuleError(f"{name} = {value!r:.40}; use {least} to {most}")

    @classmethod
    def from_dict(cls, values: object) -> VerdictRule:
        """Read a rule from a manifest.

        Raises:
            VerdictRuleError: a threshold is missing, unknown or out of range.
        """
        known = {field.name for field in fields(cls)}
        if not isinstance(values, Mapping) or set(values) != known:
            raise VerdictRuleError(f"a verdict's rule has {', '.join(sorted(known))}")
        return cls(**values)

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> VerdictRule | None:
        """Read the rule of a model; one without a rule calls nothing mixed or unclear.

        Raises:
            VerdictRuleError: as ``from_dict``.
        """
        return cls.from_dict(manifest["verdict"]) if "verdict" in manifest else None

    def to_dict(self) -> dict[str, Any]:
        """Write the rule into a manifest."""
        return asdict(self)

    def judge(self, probability: float, ids: Sequence[int], sentences: Sequence[float]) -> Verdict:
        """Say what a review says.

        Args:
            probability: of positive.
            ids: of its tokens, at least one.
            sentences: what each adds to the logit.
        """
        is_positive = probability >= 0.5
        if ids.count(INFREQUENT) >= self.unknown * len(ids):
            return "unclear"
        if len(ids) <= self.short and max(probability, 1 - probability) < self.sure:
            return "unclear"
        if weigh(sentences) >= self.balance:
            return "mixed"
        return "positive" if is_positive else "negative"


def weigh(sentences: Sequence[float]) -> float:
    """Weigh the side of the weaker sentences against the other one: 0 (none) to 1 (equal)."""
    sides = [
        sum(share for share in sentences if share > 0),
        -sum(share for share in sentences if share < 0),
    ]
    return min(sides) / max(sides) if max(sides) > 0 else 0.0
