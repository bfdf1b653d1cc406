"""The use case: reviews in, sentiments out, with the words that made the model think so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, Protocol

from review_text.errors import (
    CallerError,
    EmptyReviewError,
    MistypedFieldError,
    NoWordsError,
    ReviewTooLongError,
)
from review_text.sentences import split_sentences
from review_text.verdict import Verdict, VerdictRule
from review_text.vocabulary import EncodedReview, Vocabulary

MAX_CHARACTERS = 20_000
"""Maximum length of a review, code points: the longest of the data set's 100,000 has 14,282."""

MAX_REVIEWS = 100
"""Maximum reviews of a request; the endpoint takes as many in one call."""

_DECIMALS = 6
_SHARE_DECIMALS = 7
"""Decimals of each word's contribution at the endpoint: sums of them have no more."""


@dataclass(frozen=True)
class Reading:
    """What the model makes of one review."""

    logit: float
    probability: float
    """Probability of positive, 0 to 1, calibrated."""
    contributions: list[float]
    """One per token id, if they were asked for; with the bias they add up to the logit."""
    effects: list[float]
    """One per token id, if they were asked for: the logit less the logit without that token."""


@dataclass(frozen=True)
class Answer:
    """One reading for each review, in order."""

    model: str
    """Version of the model that answered."""
    bias: float
    readings: list[Reading]


class Endpoint(Protocol):
    """A model that reads ids."""

    def invoke(
        self, reviews: Sequence[list[int]], contributions: bool = False, effects: bool = False
    ) -> Answer:
        """Give readings of up to ``MAX_REVIEWS`` reviews; ``effects`` are those of one review."""


@dataclass(frozen=True)
class Review:
    """A review that the model can read."""

    text: str
    encoded: EncodedReview


@dataclass(frozen=True)
class Stretch:
    """A part of the submitted text and what it adds to the logit."""

    start: int
    end: int
    """The first code point after it."""
    contribution: float
    effect: float | None = None
    """How much more the logit is than without it; None: nobody asked."""

    def to_dict(self) -> dict[str, Any]:
        """Show it as the API does."""
        shown = {"start": self.start, "end": self.end, "contribution": self.contribution}
        return shown if self.effect is None else shown | {"effect": self.effect}


@dataclass(frozen=True)
class Explanation:
    """Why: the words' contributions and the bias add up to the logit; so do the sentences'."""

    logit: float
    bias: float
    words: list[Stretch]
    sentences: list[Stretch]

    def to_dict(self) -> dict[str, Any]:
        """Show it as the API does."""
        return {
            "logit": self.logit,
            "bias": self.bias,
            "words": [word.to_dict() for word in self.words],
            "sentences": [sentence.to_dict() for sentence in self.sentences],
        }


@dataclass(frozen=True)
class Prediction:
    """The sentiment of a review."""

    logit: float
    probability: float
    """Probability of positive, 0 to 1."""
    truncated: bool
    """Whether the review is longer than what the model read of it."""
    verdict: Verdict
    model: str
    explanation: Explanation | None

    @property
    def is_positive(self) -> bool:
        """Whether positive is at least as likely as negative."""
        return self.probability >= 0.5

    @property
    def confidence(self) -> float:
        """Probability of the sentiment that was given, 0.5 to 1."""
        return self.probability if self.is_positive else round(1 - self.probability, _DECIMALS)

    def to_dict(self) -> dict[str, Any]:
        """Show it as the API does."""
        return {
            "sentiment": "positive" if self.is_positive else "negative",
            "probability": self.probability,
            "confidence": self.confidence,
            "verdict": self.verdict,
            "truncated": self.truncated,
            "model": self.model,
            **(self.explanation.to_dict() if self.explanation else {}),
        }


def read_reviews(values: Iterable[object], vocabulary: Vocabulary) -> list[Review | CallerError]:
    """Encode what a caller sent as reviews; in the place of a faulty one is what is wrong.

    An error that stands there already stays.
    """
    reviews: list[Review | CallerError] = []
    for value in values:
        try:
            if isinstance(value, CallerError):
                raise value
            reviews.append(read_review(value, vocabulary))
        except CallerError as error:
            reviews.append(error)
    return reviews


def read_review(value: object, vocabulary: Vocabulary) -> Review:
    """Check and encode one review.

    Raises:
        CallerError: it is not a string, or empty, or too long, or without a word.
    """
    text = check_review(value)
    encoded = vocabulary.encode(text)
    if not encoded.has_words:
        raise NoWordsError("The review has no word in it; send at least one.")
    return Review(text, encoded)


def check_review(value: object) -> str:
    """Check a review but for its words, which takes no time.

    Raises:
        CallerError: it is not a string, or empty, or too long.
    """
    if not isinstance(value, str):
        raise MistypedFieldError("The review", value, "a string")
    if not value:
        raise EmptyReviewError("The review is empty; send at least one word.")
    if len(value) > MAX_CHARACTERS:
        raise ReviewTooLongError(
            f"The review has {len(value):,} characters; the limit is {MAX_CHARACTERS:,}."
        )
    return value


def predict(
    reviews: Sequence[Review | CallerError],
    endpoint: Endpoint,
    rule: VerdictRule | None,
    explain: bool,
    effects: bool = False,
) -> list[Prediction | CallerError]:
    """Put a prediction in the place of each review, with one call of the endpoint or none.

    ``effects`` of words are those of a single review. Contributions are always asked for: which way
    the sentences pull is part of the verdict.

    Raises:
        What the endpoint raises: it gave no usable answer.
    """
    readable = [review for review in reviews if isinstance(review, Review)]
    if not readable:
        return [error for error in reviews if isinstance(error, CallerError)]
    answer = endpoint.invoke([review.encoded.ids for review in readable], True, effects)
    readings = iter(answer.readings)
    return [
        _shape(review, next(readings), answer, rule, explain)
        if isinstance(review, Review)
        else review
        for review in reviews
    ]


def _shape(
    review: Review, reading: Reading, answer: Answer, rule: VerdictRule | None, explain: bool
) -> Prediction:
    sentences = _find_sentences(review, reading)
    probability = round(reading.probability, _DECIMALS)
    verdict: Verdict = "positive" if probability >= 0.5 else "negative"
    if rule is not None:
        shares = [sentence.contribution for sentence in sentences]
        verdict = rule.judge(probability, review.encoded.ids, shares)
    explanation = None
    if explain:
        words = _find_words(review, reading)
        explanation = Explanation(reading.logit, answer.bias, words, sentences)
    truncated = review.encoded.truncated
    return Prediction(reading.logit, probability, truncated, verdict, answer.model, explanation)


def _find_words(review: Review, reading: Reading) -> list[Stretch]:
    spans = review.encoded.spans
    effects: Sequence[float | None] = reading.effects or [None] * len(spans)
    return [
        Stretch(*span, contribution, effect)
        for span, contribution, effect in zip(spans, reading.contributions, effects, strict=True)
    ]


def _find_sentences(review: Review, reading: Reading) -> list[Stretch]:
    spans, contributions = review.encoded.spans, reading.contributions
    return [
        Stretch(
            spans[sentence.first][0],
            spans[sentence.last][1],
            round(fsum(contributions[sentence.first : sentence.last + 1]), _SHARE_DECIMALS),
        )
        for sentence in split_sentences(review.text, spans)
    ]
