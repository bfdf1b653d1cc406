"""Other texts than the test split, and the rule for verdicts, with models whose words add up."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_training.corpus.cache import Corpus
from model_training.corpus.labelled import Labelled
from model_training.errors import ReeltoneError
from model_training.evaluation import verdicts
from model_training.evaluation.other_texts import (
    GROUPS,
    find_edited,
    measure_groups,
    measure_labelled,
    probabilities,
)
from model_training.paths import MODELS
from model_training.serving.scorer import Model, load_model
from review_text import MODERN, VerdictRule, build_vocabulary
from tests.unit.model_training.toy_bundle import WEIGHTS, make_toy_bundle


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


RULE = VerdictRule(unknown=0.5, short=3, sure=0.6, balance=0.8)
ROWS: list[verdicts.Labelled] = [
    ("I loved it", 1),  # 3, so 0.82 positive
    ("A dull film", 1),  # -1, wrong
    ("film film", 0),  # 0, of which it is not sure
    ("wonderful film. dreadful film.", 0),  # 2 and -2, so positive, and wrong
    ("Berbat bir sinema", None),
    ("?!", None),  # no word
]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    vocabulary = build_vocabulary([" ".join([*WEIGHTS, "I it A film . Film"])], MODERN)
    return make_toy_bundle(tmp_path / "toy", vocabulary)


def test_verdicts_are_counted_and_what_is_clear_is_more_often_right(bundle: Path) -> None:
    found = verdicts.summarise(load_model(bundle), RULE, ROWS)
    assert found == {
        "texts": 5,
        "mixed": 1 / 5,
        "unclear": 2 / 5,
        "accuracy": 1 / 4,
        "accuracy_of_the_clear": 1 / 2,
    }


def test_texts_are_read_with_their_labels_or_without(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text("text,label\nfine,positive\nbad,negative\n2024,gibberish\n")
    assert verdicts.read_texts(path) == [("fine", 1), ("bad", 0), ("2024", None)]
    path.write_text("words\nfine\n")
    with pytest.raises(ReeltoneError, match='no rows with a column "text"'):
        verdicts.read_texts(path)
    with pytest.raises(ReeltoneError, match="No such file"):
        verdicts.read_texts(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("on_dev", "message"),
    [
        ({"unclear": 0.02, "accuracy": 0.9, "accuracy_of_the_clear": 0.95}, "2.0% of the dev"),
        ({"unclear": 0.0, "accuracy": 0.9, "accuracy_of_the_clear": 0.89}, "fewer are right"),
    ],
)
def test_a_rule_that_harms_reviews_is_refused(on_dev: dict[str, Any], message: str) -> None:
    with pytest.raises(ReeltoneError, match=message):
        verdicts.check_rule(on_dev)


def test_the_command_measures_the_bundles_own_rule_or_another(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_toy_bundle(tmp_path / "toy", corpus.vocabulary(MODERN))
    data = ["--data-dir", str(tmp_path / "data")]
    with pytest.raises(ReeltoneError, match="balance, short, sure, unknown"):
        verdicts.main([str(bundle), *data])
    rule = {"unknown": 0.9, "short": 0, "sure": 0.5, "balance": 1.0}
    verdicts.main([str(bundle), *data, *(f"--{name}={value}" for name, value in rule.items())])
    shown = json.loads(capsys.readouterr().out)
    assert (shown["rule"], shown["dev"]["unclear"]) == (rule, 0)
    manifest = bundle / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"verdict": rule}))
    verdicts.main([str(bundle), *data])
    assert json.loads(capsys.readouterr().out) == shown
    with pytest.raises(ReeltoneError, match="of the dev reviews are unclear"):
        verdicts.main([str(bundle), *data, "--short", "600", "--sure", "1"])
