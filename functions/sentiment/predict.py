"""The use case: reviews in, sentiments out, with the words that made the model think so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from endpoint import Answer, Endpoint, Reading
from errors import (
    CallerError,
    EmptyReviewError,
    MalformedRequestError,
    MistypedFieldError,
    NoWordsError,
    ReviewTooLongError,
    TooManyReviewsError,
)
from review_text import EncodedReview, Verdict, VerdictRule, Vocabulary, split_sentences

MAX_CHARACTERS = 20_000
"""Maximum length of a review, code points: the longest of the data set's 100,000 has 14,282."""

MAX_REVIEWS = 100
"""Maximum reviews of a request; the endpoint takes as many in one call."""

MAX_EXPLAINED = 20
"""Maximum reviews of a request that asks for reasons: each of them is up to 50 kB of answer."""

MAX_REQUEST_CHARACTERS = 1_000_000
"""Maximum length of all reviews of a request together, code points."""

_DECIMALS = 6
_SHARE_DECIMALS = 7
"""Decimals of each word's contribution at the endpoint: sums of them have no more."""


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

    probability: float
    """Of a positive review."""
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


def check_list(reviews: object, explain: bool) -> list[object]:
    """Check what a caller sent as a list of reviews.

    Raises:
        CallerError: it is not a list, or empty, or more than the function does in one request.
    """
    if not isinstance(reviews, list):
        raise MistypedFieldError('The field "reviews"', reviews, "an array of strings")
    if not reviews:
        raise MalformedRequestError('The field "reviews" is empty; send 1 to 100 reviews.')
    most = MAX_EXPLAINED if explain else MAX_REVIEWS
    if len(reviews) > most:
        with_reasons = " with reasons" if explain else ""
        raise TooManyReviewsError(
            f"The request has {len(reviews):,} reviews; the limit{with_reasons} is {most}."
        )
    characters = sum(len(review) for review in reviews if isinstance(review, str))
    if characters > MAX_REQUEST_CHARACTERS:
        raise TooManyReviewsError(
            f"The reviews have {characters:,} characters together; the limit of a request is "
            f"{MAX_REQUEST_CHARACTERS:,}."
        )
    return reviews


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
    if not isinstance(value, str):
        raise MistypedFieldError("The review", value, "a string")
    if not value:
        raise EmptyReviewError("The review is empty; send at least one word.")
    if len(value) > MAX_CHARACTERS:
        raise ReviewTooLongError(
            f"The review has {len(value):,} characters; the limit is {MAX_CHARACTERS:,}."
        )
    encoded = vocabulary.encode(value)
    if not encoded.has_words:
        raise NoWordsError("The review has no word in it; send at least one.")
    return Review(value, encoded)


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
        ServiceError: the endpoint gave no usable answer.
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
    return Prediction(probability, review.encoded.truncated, verdict, answer.model, explanation)


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
