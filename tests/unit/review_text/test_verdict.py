"""The rule for verdicts."""

from __future__ import annotations

from typing import Any

import pytest

from review_text import VerdictRule, VerdictRuleError
from review_text.verdict import weigh

RULE = VerdictRule(unknown=0.4, short=10, sure=0.75, balance=0.7)


@pytest.mark.parametrize(
    ("probability", "ids", "sentences", "verdict"),
    [
        (0.9, [5] * 8, [2.0], "positive"),
        (0.1, [5] * 8, [-2.0], "negative"),
        (0.5, [5] * 11, [0.1], "positive"),
        (0.74, [5] * 10, [1.0], "unclear"),
        (0.26, [5] * 10, [-1.0], "unclear"),
        (0.75, [5] * 10, [1.0], "positive"),
        (0.25, [5] * 10, [-1.0], "negative"),
        (0.74, [5] * 11, [1.0], "positive"),
        (0.99, [1, 1, 5, 5, 5], [4.0], "unclear"),  # 2 of 5 are unknown
        (0.99, [1, 5, 5, 5], [4.0], "positive"),
        (0.8, [5] * 50, [3.0, -2.1], "mixed"),
        (0.2, [5] * 50, [2.0, 0.1, -3.0], "mixed"),
        (0.8, [5] * 50, [3.0, -2.0], "positive"),
    ],
)
def test_a_verdict_follows_from_words_length_and_sentences(
    probability: float, ids: list[int], sentences: list[float], verdict: str
) -> None:
    assert RULE.judge(probability, ids, sentences) == verdict


def test_sides_are_weighed_against_each_other() -> None:
    assert weigh([1.0, 2.0, -1.5]) == pytest.approx(0.5)
    assert weigh([-1.0, -2.0, 1.5]) == pytest.approx(0.5)
    assert weigh([0.0]) == weigh([]) == weigh([3.0]) == 0.0


def test_a_rule_is_what_was_written() -> None:
    assert VerdictRule.from_dict(RULE.to_dict()) == RULE


@pytest.mark.parametrize(
    "change",
    [{"unknown": 1.1}, {"short": -1}, {"sure": 0.4}, {"balance": "0.7"}, {"sure": True}, {"x": 1}],
)
def test_what_is_no_rule_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(VerdictRuleError):
        VerdictRule.from_dict(RULE.to_dict() | change)


@pytest.mark.parametrize("values", [None, [], {}, "rule"])
def test_so_is_what_lacks_a_threshold(values: object) -> None:
    with pytest.raises(VerdictRuleError, match="balance, short, sure, unknown"):
        VerdictRule.from_dict(values)
