"""The command that measures a rule for verdicts, with a model whose words add up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model_training.corpus.cache import Corpus
from model_training.errors import ReeltoneError
from model_training.evaluation import verdicts
from model_training.serving.scorer import load_model
from review_text import MODERN, VerdictRule, build_vocabulary
from tests.unit.model_training.toy_bundle import WEIGHTS, make_toy_bundle

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
