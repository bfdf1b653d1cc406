"""Metrics, and a bundle's answers on the test split: reviews, their ends, short cases, slices."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import model_training
from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.errors import ReeltoneError
from model_training.evaluation import answers as answers_module
from model_training.evaluation.__main__ import main
from model_training.evaluation.answers import (
    Answers,
    all_metrics,
    keep_last,
    load_answers,
    score_test_split,
    slice_by_length,
)
from model_training.evaluation.calibration import (
    calibration_error,
    fit_calibration,
    fit_temperature,
)
from model_training.evaluation.metrics import score
from model_training.evaluation.short_cases import SHORT_CASES, score_short_cases
from model_training.serving.scorer import Model, load_model
from review_text import CLASSIC, MODERN, Vocabulary, build_vocabulary
from tests.small_corpus import REVIEWS
from tests.unit.model_training.toy_bundle import WEIGHTS, make_toy_bundle


def test_metrics_of_a_small_example() -> None:
    metrics = score(np.array([2.0, -1.0, 0.5, -3.0]), np.array([1, 1, 0, 0]))
    assert metrics["accuracy"] == 0.5
    assert (metrics["precision"], metrics["recall"], metrics["f1"]) == (0.5, 0.5, 0.5)
    assert metrics["auc"] == 0.75
    assert [metrics[f"{kind}_positive"] for kind in ("true", "false")] == [1, 1]
    assert [metrics[f"{kind}_negative"] for kind in ("true", "false")] == [1, 1]


def test_the_calibration_error_of_honest_probabilities_is_small() -> None:
    random = np.random.default_rng(0)
    probabilities = random.random(200_000)
    labels = (random.random(200_000) < probabilities).astype(int)
    assert calibration_error(probabilities, labels) < 0.005
    assert calibration_error(np.full(1000, 0.9), np.tile([1, 0], 500)) == pytest.approx(0.4)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_fitted_temperature_is_the_one_that_made_the_labels(temperature: float) -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 4, 100_000)
    labels = (random.random(100_000) < 1 / (1 + np.exp(-logits / temperature))).astype(int)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.03)


@pytest.mark.parametrize("share", [0.5, 0.7])
def test_shift_and_temperature_are_found_again_whatever_the_share_of_positive_reviews(
    share: float,
) -> None:
    random = np.random.default_rng(1)
    labels = (random.random(40_000) < share).astype(int)
    # Normal in either class: the true log odds, for classes of one size, are 2 times these.
    honest = random.normal(2.0 * labels - 1.0, 1.0)
    shift, temperature = fit_calibration(3.0 * (2.0 * honest) + 1.5, labels)
    assert (shift, temperature) == pytest.approx((-1.5, 3.0), abs=0.12)


def test_a_model_that_knows_nothing_is_not_moved() -> None:
    random = np.random.default_rng(1)
    shift, temperature = fit_calibration(random.normal(size=500), random.integers(0, 2, 500))
    assert shift == 0.0
    assert temperature > 1.0


@pytest.fixture
def bundle(corpus: Corpus, tmp_path: Path) -> Path:
    return make_toy_bundle(tmp_path / "toy", corpus.vocabulary(MODERN))


@pytest.fixture
def model(bundle: Path) -> Model:
    return load_model(bundle)


def answers_of(tokens: list[int], right: list[bool]) -> Answers:
    """Answers to positive reviews of so many tokens."""
    logits = np.where(right, 1.0, -1.0).astype(np.float32)
    return Answers(np.ones(len(tokens), np.int8), np.array(tokens), logits, logits)


def write_cases(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["sentiment,kind,review", *rows]) + "\n")
    return path


def run(bundle: Path, corpus_folder: Path, *more: str) -> None:
    folders = ["--data-dir", str(corpus_folder), "--runs", str(corpus_folder / "runs")]
    main([str(bundle), *folders, *more])


def test_the_metrics_are_those_of_the_test_reviews(model: Model, corpus: Corpus) -> None:
    answers = answers_module.score_test_split(model, corpus)
    metrics = answers_module.review_metrics(answers, model.temperature)
    # One of the four positive texts is taken for negative.
    assert (metrics["split"], metrics["reviews"]) == ("test", 2 * REVIEWS)
    assert metrics["accuracy"] == 1 - 1 / 8
    assert (metrics["false_negative"], metrics["false_positive"]) == (REVIEWS / 4, 0)


def test_the_last_tokens_of_a_review_are_scored_alone_also_where_the_model_reads_its_start(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers_module, "SHORT_TOKENS", 2)
    words = corpus.vocabulary(MODERN).words
    start_only = Vocabulary(replace(MODERN, max_tokens=3, head_tokens=3), words)
    weights = WEIGHTS | {"number": 7.0}  # each review ends in "number 12"
    model = load_model(make_toy_bundle(tmp_path / "start", start_only, weights))
    answers = score_test_split(model, corpus)
    assert set(answers.short_logits) == {7.0}
    assert 7.0 not in answers.logits
    assert answers.tokens.min() == 5  # "i loved it number 3": of the whole review


def test_keeping_the_last_tokens_keeps_short_and_empty_reviews_as_they_are() -> None:
    ids = np.arange(1, 8, dtype=np.uint16)
    split = Encoded(ids, np.array([0, 5, 5, 7]), np.array([1, 0, 1], np.int8))
    kept = keep_last(split, 3)
    assert [kept[row].tolist() for row in range(3)] == [[3, 4, 5], [], [6, 7]]


def test_slices_end_where_they_say_and_the_last_one_is_what_the_model_cuts() -> None:
    tokens = [1, 100, 101, 200, 201, 400, 401, 512, 513, 2_000]
    right = [True, False, True, True, True, True, True, True, False, False]
    slices = slice_by_length(answers_of(tokens, right), 512)
    assert [(row["tokens"], row["reviews"], row["accuracy"]) for row in slices] == [
        ("1 to 100", 2, 0.5),
        ("101 to 200", 2, 1.0),
        ("201 to 400", 2, 1.0),
        ("401 to 512", 2, 1.0),
        ("more than 512", 2, 0.0),
    ]


def test_slices_fit_a_model_that_reads_less_and_leave_out_empty_ones() -> None:
    slices = slice_by_length(answers_of([0, 120, 151], [True] * 3), 150)
    assert [row["tokens"] for row in slices] == ["1 to 100", "101 to 150", "more than 150"]
    assert sum(row["reviews"] for row in slices) == 3
    assert len(slice_by_length(answers_of([450], [True]), 512)) == 1


def test_short_cases_are_scored_and_counted_by_kind(model: Model, tmp_path: Path) -> None:
    rows = ["positive,plain,I loved it", "negative,negation,not great", "negative,plain,dreadful"]
    cases = score_short_cases(model, write_cases(tmp_path / "cases.csv", *rows))
    assert [case.is_right for case in cases] == [True, False, True]
    assert cases[0].probability == pytest.approx(1 / (1 + np.exp(-3.0 / 2)))
    answers = replace(answers_of([9, 9], [True, False]), labels=np.array([1, 0], np.int8))
    metrics = all_metrics(answers, cases, 1.0, 512)
    assert metrics["short_cases"] == 3
    assert metrics["short_cases_accuracy"] == pytest.approx(2 / 3)
    assert metrics["short_cases_by_kind"] == {"plain": 1.0, "negation": 0.0}


def test_a_short_case_of_stop_words_alone_is_undecided(tmp_path: Path) -> None:
    vocabulary = build_vocabulary(["a great film"], CLASSIC)
    model = load_model(make_toy_bundle(tmp_path / "classic", vocabulary))
    [case] = score_short_cases(model, write_cases(tmp_path / "c.csv", "negative,plain,It is not."))
    assert (case.probability, case.is_right) == (0.5, False)


def test_the_shipped_short_cases_are_a_hundred_and_balanced_in_each_kind() -> None:
    lines = SHORT_CASES.read_text(encoding="utf-8").splitlines()[1:]
    counts = Counter(tuple(line.split(",")[:2]) for line in lines)
    assert sum(counts.values()) == 100
    for kind in {kind for _, kind in counts}:
        assert counts["positive", kind] == counts["negative", kind]


def test_the_command_prints_metrics_and_writes_them_only_when_asked(
    bundle: Path, corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(bundle, tmp_path / "data")
    printed = json.loads(capsys.readouterr().out)
    assert (bundle / "metrics.json").read_text() == "{}"
    run(bundle, tmp_path / "data", "--write")
    written = json.loads((bundle / "metrics.json").read_text())
    assert printed == {"version": printed["version"], **written}
    # The API hands these to callers, and the website shows some of them.
    flat = {"accuracy", "precision", "recall", "f1", "auc", "ece", "reviews", "short_accuracy"}
    assert all(isinstance(written[name], int | float) for name in flat)
    assert written["short_tokens"] == 30


def test_a_model_is_scored_once_unless_it_is_asked_for_again(
    bundle: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(bundle, tmp_path / "data")

    def refuse(*_: Any) -> None:
        raise AssertionError("scored")

    monkeypatch.setattr(answers_module, "score_split", refuse)
    run(bundle, tmp_path / "data")
    with pytest.raises(AssertionError, match="scored"):
        run(bundle, tmp_path / "data", "--again")


def test_answers_to_other_data_are_not_taken(
    model: Model, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = answers_module.load_or_score(model, corpus, tmp_path)
    np.testing.assert_array_equal(load_answers(tmp_path, model.version).logits, first.logits)
    corpus.fingerprint = "another"
    monkeypatch.setattr(answers_module, "score_test_split", lambda *_: answers_of([5], [True]))
    assert len(answers_module.load_or_score(model, corpus, tmp_path).labels) == 1


def test_a_model_that_was_not_evaluated_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReeltoneError, match=r"Evaluate modern-1 first: make evaluate"):
        load_answers(tmp_path, "modern-1")


def test_nothing_that_makes_a_model_reads_the_test_split() -> None:
    folder = Path(model_training.__file__).parent
    reading = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if re.search(r"\.(split|encoded)\(\s*\"test\"", path.read_text(encoding="utf-8"))
    }
    scoring = {"evaluation/answers.py", "evaluation/peers/__main__.py", "jobs/__main__.py"}
    assert reading == scoring
