"""The shipped model in this process, asked as the API asks the endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from model_training.paths import SHIPPED
from model_training.serving.functions import OwnEndpoint
from model_training.serving.scorer import chunks, load_model
from review_text.errors import CallerError
from review_text.predict import MAX_REVIEWS, Prediction, predict, read_reviews


class ReviewError(ValueError):
    """A review cannot be read; the message says which one and why."""


class Reeltone:
    """A loaded model. It may be asked from several threads."""

    def __init__(self, bundle: str | Path | None = None) -> None:
        """Load the shipped model, or the bundle in that folder: some 0.3 s.

        Raises:
            model_training.errors.BundleError: there is no complete bundle in the folder.
        """
        self._model = load_model(SHIPPED if bundle is None else Path(bundle))
        self._endpoint = OwnEndpoint(self._model)

    @property
    def version(self) -> str:
        """What the model is called in each answer."""
        return self._model.version

    def predict(self, reviews: Sequence[str], explain: bool = False) -> list[Prediction]:
        """Predict each review, in order; ``explain`` adds what each word contributes.

        Raises:
            ReviewError: one of them is no text of 1 to 20,000 characters with a word in it.
        """
        if isinstance(reviews, str):
            raise ReviewError("predict takes a list of reviews: put the one into brackets")
        predictions: list[Prediction] = []
        for number, outcome in enumerate(self.score(reviews, explain), 1):
            if isinstance(outcome, CallerError):
                raise ReviewError(f"review {number} of {len(reviews)}: {outcome}") from outcome
            predictions.append(outcome)
        return predictions

    def explain(self, review: str) -> Prediction:
        """Predict one review, with what each word contributes and what would be without it.

        Raises:
            ReviewError: as ``predict``.
        """
        [outcome] = self._predict([review], explain=True, effects=True)
        if isinstance(outcome, CallerError):
            raise ReviewError(str(outcome)) from outcome
        return outcome

    def score(
        self, reviews: Sequence[object], explain: bool = False
    ) -> list[Prediction | CallerError]:
        """Give a prediction or, where one can't be read, what is wrong with it, for each review."""
        return [
            outcome
            for part in chunks(reviews, MAX_REVIEWS)
            for outcome in self._predict(part, explain)
        ]

    def _predict(
        self, reviews: Sequence[object], explain: bool, effects: bool = False
    ) -> list[Prediction | CallerError]:
        read = read_reviews(reviews, self._model.vocabulary)
        return predict(read, self._endpoint, self._model.rule, explain, effects)
