"""What a word does to the logit, against reading the review without it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_training.serving.functions import Refusal, input_fn, output_fn, predict_fn
from model_training.serving.scorer import Model, load_model

from .test_functions import make_bundle


@pytest.fixture(scope="module", params=["modern", "classic"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(make_bundle(tmp_path_factory.mktemp("bundle"), request.param))


def delete_each(model: Model, ids: list[int], places: list[int]) -> list[float]:
    """The effects at ``places``, by scoring the review without each of them."""
    [whole] = model.score([ids])
    rest = model.score([ids[:place] + ids[place + 1 :] for place in places])
    return [whole.logit - result.logit for result in rest]


def random_ids(model: Model, length: int, seed: int = 0) -> list[int]:
    random = np.random.default_rng(seed)
    ids: list[int] = random.integers(1, len(model.vocabulary), length).tolist()
    return ids


@pytest.mark.parametrize("length", [2, 3, 95, 96, 97, 98, 191, 192, 193, 194, 300, 500])
def test_an_effect_is_the_logit_less_the_logit_without_the_word(model: Model, length: int) -> None:
    """At both ends of windows above all."""
    ids = random_ids(model, length)
    places = [0, 1, 2, 94, 95, 96, 97, length // 2, length - 2, length - 1]
    places = sorted({place for place in places if 0 <= place < length})
    effects = model.find_effects(ids)
    assert len(effects) == length
    found = [effects[place] for place in places]
    assert found == pytest.approx(delete_each(model, ids, places), abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(ids=st.lists(st.integers(1, 5), min_size=2, max_size=14))
def test_so_it_is_where_words_and_phrases_come_again(model: Model, ids: list[int]) -> None:
    """What a phrase says counts once, so it may be lost only with its last place."""
    expected = delete_each(model, ids, list(range(len(ids))))
    assert model.find_effects(ids) == pytest.approx(expected, abs=1e-5)


def test_the_effect_of_a_single_word_is_all_that_it_says(model: Model) -> None:
    [effect] = model.find_effects([3])
    [whole] = model.score([[3]])
    assert effect + model.bias == pytest.approx(whole.logit)


def test_windows_are_read_as_often_as_there_are_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each word, and twice for each window: not once for each word and window."""
    model = load_model(make_bundle(tmp_path, "modern"))
    ids = random_ids(model, 400)
    rows = []
    effects = model._effects
    assert effects is not None
    run = effects._run

    def count(names: list[str], windows: Any) -> list[Any]:
        rows.append(len(windows) if "maxima" in names else 0)
        return run(names, windows)

    monkeypatch.setattr(effects, "_run", count)
    effects.find(ids)
    assert sum(rows) == 400 + 5 + 5
    assert max(rows) <= 64


def ask(model: Model, reviews: list[list[int]], **fields: Any) -> Any:
    request = model.vocabulary.make_request(reviews) | fields
    answer = output_fn(predict_fn(input_fn(json.dumps(request), "application/json"), model), "*/*")
    return json.loads(answer.body if isinstance(answer, Refusal) else answer[0])


def test_effects_come_only_when_asked_for(model: Model) -> None:
    [result] = ask(model, [[2, 3]], effects=True)["results"]
    assert set(result) == {"logit", "probability", "effects"}
    assert result["effects"] == pytest.approx(model.find_effects([2, 3]), abs=1e-6)
    [result] = ask(model, [[2, 3]], effects=False)["results"]
    assert "effects" not in result


@pytest.mark.parametrize("reviews", [[], [[2], [3]]])
def test_effects_are_those_of_one_review(model: Model, reviews: list[list[int]]) -> None:
    assert ask(model, reviews, effects=True) == {
        "error": "invalid_request",
        "message": f'"effects" are those of one review a request, not of {len(reviews)}',
    }


def test_effects_are_asked_for_by_true(model: Model) -> None:
    assert ask(model, [[2]], effects=1)["error"] == "invalid_request"
