"""The use case alone: from a model's reading to what the API shows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from review_text import VerdictRule, Vocabulary
from review_text.predict import Answer, Prediction, Reading, predict, read_review


class SureEndpoint:
    """Gives every review the same probability, and every token the same contribution."""

    def __init__(self, probability: float) -> None:
        self._probability = probability

    def invoke(
        self, reviews: Sequence[list[int]], contributions: bool = False, effects: bool = False
    ) -> Answer:
        readings = [Reading(0.5, self._probability, [0.1] * len(ids), []) for ids in reviews]
        return Answer("modern-0123456789ab", -0.25, readings)


def predict_text(
    text: str, vocabulary: Vocabulary, probability: float, rule: VerdictRule | None = None
) -> Prediction:
    reviews = [read_review(text, vocabulary)]
    [outcome] = predict(reviews, SureEndpoint(probability), rule, explain=True)
    assert isinstance(outcome, Prediction)
    return outcome


@pytest.mark.parametrize(
    ("probability", "sentiment", "shown", "confidence"),
    [
        (0.97310004, "positive", 0.9731, 0.9731),
        (0.0269, "negative", 0.0269, 0.9731),
        (0.5, "positive", 0.5, 0.5),
        (0.49999999, "positive", 0.5, 0.5),
        (0.499999, "negative", 0.499999, 0.500001),
        (0.0, "negative", 0.0, 1.0),
        (1.0, "positive", 1.0, 1.0),
    ],
)
def test_sentiment_and_confidence_agree_with_the_probability_that_is_shown(
    vocabulary: Vocabulary, probability: float, sentiment: str, shown: float, confidence: float
) -> None:
    answer = predict_text("film", vocabulary, probability).to_dict()
    assert answer["sentiment"] == sentiment
    assert (answer["probability"], answer["confidence"]) == (shown, confidence)


def test_sentences_add_up_to_what_their_words_do(vocabulary: Vocabulary) -> None:
    text = "🎬 A great film.  I hated it!"
    answer = predict_text(text, vocabulary, 0.9).to_dict()
    shown = [text[part["start"] : part["end"]] for part in answer["sentences"]]
    assert shown == ["🎬 A great film.", "I hated it!"]
    assert [part["contribution"] for part in answer["sentences"]] == [0.5, 0.4]
    assert len(answer["words"]) == 9


def test_the_sum_of_a_sentence_has_no_more_digits_than_what_it_is_of(
    vocabulary: Vocabulary,
) -> None:
    answer = predict_text("Great film.", vocabulary, 0.9).to_dict()
    assert [part["contribution"] for part in answer["sentences"]] == [0.3]


def test_a_long_review_is_explained_where_it_was_read(vocabulary: Vocabulary) -> None:
    text = "great film. " * 300
    answer = predict_text(text, vocabulary, 0.9).to_dict()
    starts = [word["start"] for word in answer["words"]]
    assert len(starts) == 512
    assert starts == sorted(starts)
    assert answer["words"][-1]["end"] == len(text.rstrip())
    assert sum(part["contribution"] for part in answer["sentences"]) == pytest.approx(51.2)


@pytest.mark.parametrize(("probability", "verdict"), [(0.5, "positive"), (0.49, "negative")])
def test_without_a_rule_the_verdict_is_the_sentiment(
    vocabulary: Vocabulary, probability: float, verdict: str
) -> None:
    answer = predict_text("film", vocabulary, probability).to_dict()
    assert (answer["sentiment"], answer["verdict"]) == (verdict, verdict)


def test_a_rule_may_call_a_review_unclear_and_leaves_the_sentiment(vocabulary: Vocabulary) -> None:
    rule = VerdictRule(unknown=0.9, short=5, sure=0.8, balance=0.7)
    answer = predict_text("A film", vocabulary, 0.7, rule).to_dict()
    assert (answer["sentiment"], answer["verdict"], answer["confidence"]) == (
        *("positive", "unclear"),
        0.7,
    )
