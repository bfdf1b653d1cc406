"""Says whether a film review is positive or negative, how sure it is, and why; without a network.

    from reeltone import Reeltone

    model = Reeltone()
    [prediction] = model.predict(["I expected little and came out grinning."])
    prediction.verdict, prediction.probability
    model.explain("Not bad at all.").explanation.words

Answers are those of the API, to the last digit: docs/package.md says more.
"""

from reeltone.model import Reeltone, ReviewError
from review_text.predict import Explanation, Prediction, Stretch

__all__ = ["Explanation", "Prediction", "Reeltone", "ReviewError", "Stretch"]
