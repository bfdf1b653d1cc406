"""Texts from elsewhere, and sentences that name people."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from model_training.corpus.labelled import Labelled
from model_training.evaluation.other_texts import (
    GROUPS,
    find_edited,
    measure_groups,
    measure_labelled,
    probabilities,
)
from model_training.paths import MODELS
from model_training.serving.scorer import Model, load_model


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(MODELS / "modern")


def test_a_text_without_words_is_neither(model: Model) -> None:
    found = probabilities(model, ["A wonderful film.", " ", "A terrible film."])
    assert found[0] > 0.9
    assert found[1] == 0.5
    assert found[2] < 0.1


def test_accuracy_and_calibration_are_those_of_the_probabilities(model: Model) -> None:
    texts = Labelled(["A wonderful film."] * 3 + ["A terrible film."], [1.0, 1.0, 0.0, 0.0])
    result = measure_labelled(model, texts)
    assert result["texts"] == 4
    assert result["accuracy"] == 0.75
    sure = probabilities(model, ["A wonderful film."])[0]
    assert result["ece"] == pytest.approx(0.25, abs=abs(1 - sure) + 0.05)


def test_edited_reviews_are_those_that_are_not_in_the_training_split() -> None:
    pairs = Labelled(["A fine film, isn't it?", "A dull film , isn't it?"], [1.0, 0.0])
    originals = ["A fine film,<br /><br />isn't it?", "Another one."]
    assert find_edited(pairs, originals) == pairs.take([1])


def test_sixty_names_and_twenty_groups_are_put_into_ten_sentences(model: Model) -> None:
    rows = measure_groups(model)
    assert len(rows) == 10
    assert {row["words"] for row in rows} == {20, 60}
    content = tomllib.loads(GROUPS.read_text())
    assert all(len(set(content[kind])) == len(content[kind]) for kind in ("names", "groups"))
    for row in rows:
        kind = "name" if "{name}" in row["template"] else "group"
        for end in ("lowest", "highest"):
            word, probability = row[end]
            text = row["template"].replace(f"{{{kind}}}", word)
            np.testing.assert_allclose(probabilities(model, [text]), probability, atol=1e-6)
        assert row["spread"] == row["highest"][1] - row["lowest"][1] >= 0
