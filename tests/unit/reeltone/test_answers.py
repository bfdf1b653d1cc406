"""The package says what the API says, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from model_training.serving.scorer import Model, load_model
from reeltone import Reeltone, ReviewError
from reeltone.__main__ import show_explanation
from reeltone.scoring import show_answers
from tests import function
from tests.invocations import make_event

REVIEWS = [
    "I expected little and came out grinning. A warm, clever film.",
    "Not bad, but I walked out. <br /><br />Twice 🎬",
    "ok",
    "So long. " * 700,
    "",
    "?!",
    "x" * 20_001,
    "Zwei Stunden Langeweile.",
]


@pytest.fixture(scope="module")
def package() -> Reeltone:
    return Reeltone()


@pytest.fixture(scope="module", autouse=True)
def api() -> Iterator[None]:
    model: Model = load_model(function.BUNDLES / "modern")
    with function.connected("modern", model):
        yield


def ask(route: str, content: dict[str, Any]) -> dict[str, Any]:
    event = make_event("POST", f"/api/{route}", body=json.dumps(content))
    event["headers"] = {"content-type": "application/json"}
    answer: dict[str, Any] = json.loads(function.call(event)["body"])
    return answer


def test_many_reviews_get_the_apis_answers_and_problems(package: Reeltone) -> None:
    ours = show_answers(package, REVIEWS)
    theirs = ask("sentiments", {"reviews": REVIEWS})["results"]
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        if "problem" in other:
            assert one["problem"]["detail"] == other["problem"]["detail"]
        else:
            assert one == other


@pytest.mark.parametrize("review", REVIEWS[:4])
def test_an_explanation_is_the_apis(package: Reeltone, review: str) -> None:
    ours = package.explain(review).to_dict()
    assert ours == ask("sentiment", {"review": review, "explain": True})


def test_an_answer_does_not_depend_on_how_many_are_asked_for(package: Reeltone) -> None:
    many = package.predict(REVIEWS[:3] * 70)
    assert many == package.predict(REVIEWS[:3]) * 70
    assert package.predict([]) == []


def test_a_review_that_cannot_be_read_is_named(package: Reeltone) -> None:
    with pytest.raises(ReviewError, match="review 2 of 2: The review is empty"):
        package.predict(["Good.", ""])
    with pytest.raises(ReviewError, match="brackets"):
        package.predict("Good.")
    with pytest.raises(ReviewError, match="something else"):
        package.predict([b"Good."])  # type: ignore[list-item]
    with pytest.raises(ReviewError, match="no word"):
        package.explain("...")


def test_an_explanation_colours_words_by_their_effect(package: Reeltone) -> None:
    review = "A wonderful story.\x1b[2J Dull, though."
    answer = package.explain(review).to_dict()
    plain, coloured = (show_explanation(review, answer, colour) for colour in (False, True))
    assert "\x1b" not in plain and "\x1b[2J" not in coloured
    assert "for the film: wonderful +" in plain and "Dull -" in plain
    assert ";34mwonderful\x1b[0m" in coloured
    assert any(f";{shade}mDull" in coloured for shade in (94, 130, 166))
