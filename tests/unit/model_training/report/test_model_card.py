"""The model card: figures from files, pictures beside it, and nothing made up."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model_training.corpus.cache import Corpus
from model_training.errors import ReeltoneError
from model_training.evaluation import __main__ as evaluation
from model_training.evaluation import faithfulness
from model_training.evaluation.short_cases import ShortCase
from model_training.paths import DOCS, MODELS
from model_training.report import model_card
from model_training.report.model_card import (
    describe_metrics,
    describe_short_cases,
    describe_slices,
    find_failures,
)
from model_training.report.stages import Stage, describe_costs, find_stages
from model_training.serving.scorer import load_model
from review_text import MODERN
from tests.unit.model_training.toy_bundle import WEIGHTS, make_toy_bundle

SECTIONS = ("details", "metrics", "slices", "short", "faithfulness", "failures", "costs")
NAMES = ["modern", "classic"]


def write_run(
    folder: Path,
    vocabulary: str,
    before: Sequence[str] = (),
    losses: Sequence[float] = (0.5,),
    seconds: int = 1800,
) -> None:
    """What a run says of itself; ``losses``: of its directions, in their only epoch."""
    folder.mkdir(parents=True)
    row = {"epoch": 1, "dev_accuracy": 0.8, "dev_log_loss": 0.4}
    parts = {str(number): {"history": [row | {"loss": x}]} for number, x in enumerate(losses)}
    made_of = {"vocabulary": vocabulary, "stages": dict.fromkeys(before, "digest")}
    about = {"seconds": seconds, "parts": parts, "made_of": made_of}
    (folder / "run.json").write_text(json.dumps(about))


class Desk:
    """Two small bundles, an empty card, and the commands that fill it."""

    def __init__(self, corpus: Corpus, folder: Path) -> None:
        self.folder = folder
        self.corpus = corpus
        vocabulary = corpus.vocabulary(MODERN)
        flipped = {word: -weight for word, weight in WEIGHTS.items()}
        self.bundles = [
            make_toy_bundle(folder / "modern", vocabulary),
            make_toy_bundle(folder / "classic", vocabulary, flipped),
        ]
        self.vocabulary = vocabulary.fingerprint
        self.card = folder / "docs" / "model_card.md"
        self.card.parent.mkdir()
        parts = [f"<!-- {name}:begin -->\nearlier\n<!-- {name}:end -->" for name in SECTIONS]
        self.card.write_text("\n\n".join(parts))

    def run(self, command: str, *more: str) -> None:
        modules = {"evaluate": evaluation, "faithfulness": faithfulness, "card": model_card}
        folders = ["--data-dir", str(self.folder / "data"), "--runs", str(self.folder / "runs")]
        modules[command].main([*map(str, self.bundles), *folders, *more])

    def write_card(self) -> None:
        self.run("card", "--docs", str(self.card.parent))

    def section(self, name: str) -> str:
        text = self.card.read_text(encoding="utf-8")
        return text.split(f"<!-- {name}:begin -->")[1].split(f"<!-- {name}:end -->")[0].strip()

    def pictures(self) -> set[str]:
        return {path.name for path in (self.card.parent / "evaluation").iterdir()}


@pytest.fixture
def desk(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(faithfulness, "MAX_DELETED", 2)
    monkeypatch.setattr(faithfulness, "DELETED", 1)
    return Desk(corpus, tmp_path)


@pytest.mark.slow
def test_the_card_is_filled_from_what_the_commands_left(desk: Desk) -> None:
    desk.run("evaluate", "--write")
    desk.run("faithfulness", "--reviews", "6")
    write_run(desk.folder / "runs" / "modern", desk.vocabulary)
    desk.write_card()
    assert "`modern-" in desk.section("details")
    # The made-up bundle is wrong about one of eight texts, the flipped one right about it alone.
    assert "| 0.8750 ± 0.0370 | 0.1250 ± 0.0370 |" in desk.section("metrics")
    assert "| 1 to 100 | 80 | 0.8750 ± 0.0370 |" in desk.section("slices")
    assert "gets wrong" in desk.section("short")
    assert "`train/pos/" in desk.section("failures")
    assert "classic: effects" in desk.section("faithfulness")
    assert "| modern | 0.50 |" in desk.section("costs")
    assert desk.pictures() == {
        "confusion.svg",
        "reliability.svg",
        "roc.svg",
        "learning_modern.svg",
        "faithfulness.svg",
    }


@pytest.mark.slow
def test_what_is_not_here_leaves_its_part_of_the_card(desk: Desk) -> None:
    desk.run("evaluate", "--write")
    write_run(desk.folder / "runs" / "modern", "of another vocabulary")
    desk.write_card()
    assert [name for name in SECTIONS if desk.section(name) == "earlier"] == [
        "faithfulness",
        "costs",
    ]
    assert desk.pictures() == {"confusion.svg", "reliability.svg", "roc.svg"}


@pytest.mark.slow
def test_writing_the_card_again_changes_nothing(desk: Desk) -> None:
    desk.run("evaluate", "--write")
    desk.write_card()
    first = desk.card.read_bytes()
    desk.write_card()
    assert desk.card.read_bytes() == first


def test_a_card_of_models_that_were_not_evaluated_is_refused(desk: Desk) -> None:
    with pytest.raises(ReeltoneError, match="make evaluate"):
        desk.write_card()
    desk.run("evaluate")  # scored, but metrics.json is still an older one
    with pytest.raises(ReeltoneError, match="--write"):
        desk.write_card()


def test_failures_are_the_surest_errors_with_the_words_that_made_them(desk: Desk) -> None:
    failures = find_failures(load_model(desk.bundles[0]), desk.corpus, shown=3)
    assert len(failures) == 3
    for failure in failures:
        # "great fun, not bad at all" <br />number 5: the second of the four texts.
        assert int(failure.file.removeprefix("train/pos/")) % 4 == 1
        assert failure.positive
        assert failure.probability == pytest.approx(1 / (1 + np.exp(0.5 / 2)))
        assert failure.words[0] == "bad"
        assert "," not in failure.words


def test_failures_are_sought_among_the_reviews_that_the_model_held_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    original = Corpus.train_rows

    def record(self: Corpus, dev_reviews: int) -> object:
        asked.append(dev_reviews)
        return original(self, dev_reviews)

    monkeypatch.setattr(Corpus, "train_rows", record)
    find_failures(replace(load_model(desk.bundles[0]), dev_reviews=20), desk.corpus)
    assert asked == [20]


def test_a_short_case_that_is_wrong_is_shown_with_its_probability() -> None:
    cases = [
        ShortCase("Fine.", "plain", True, 0.9),
        ShortCase("Not | good.", "negation", False, 0.876),
    ]
    text = describe_short_cases(cases)
    assert "| plain | 1 | 1 |" in text
    assert "| negation | 1 | 0 |" in text
    assert "| Not \\| good. | negative | 0.88 |" in text
    assert "Fine." not in text
    assert "None of them is wrong." in describe_short_cases(cases[:1])


def test_stages_are_followed_back_to_the_first(tmp_path: Path) -> None:
    write_run(tmp_path / "modern", "v", ["teacher"], (0.4, 0.2), seconds=60)
    write_run(tmp_path / "teacher", "v", ["language-models"])
    write_run(tmp_path / "language-models", "of shorter windows", losses=(), seconds=30)
    # What lies beside the runs belongs to none of them.
    (tmp_path / "other.json").write_text(json.dumps({"seconds": 1}))
    stages = find_stages(tmp_path, "modern", "v")
    assert [(stage.name, stage.seconds) for stage in stages] == [
        ("language-models", 30),
        ("teacher", 1800),
        ("modern", 60),
    ]
    assert [len(stage.history) for stage in stages] == [0, 1, 1]
    assert stages[2].history[0]["loss"] == pytest.approx(0.3)


def test_a_run_of_another_vocabulary_is_not_the_models(tmp_path: Path) -> None:
    write_run(tmp_path / "modern", "older")
    assert find_stages(tmp_path, "modern", "v") == []
    assert find_stages(tmp_path, "classic", "v") == []


def test_costs_are_time_times_power_and_price() -> None:
    text = describe_costs([Stage("first", 3600, ()), Stage("second", 10_800, ())])
    # 2 cores of 3.5 W for an hour, times 1.135, are 7.945 Wh; 379 g a kWh; 11.5 cents.
    assert "| first | 1.00 | 0.0079 | 3.0 | 0.12 |" in text
    assert "| all | 4.00 | 0.0318 | 12.0 | 0.46 |" in text
    assert "| all |" not in describe_costs([Stage("only", 60, ())])


# --- The card that is in docs/ --------------------------------------------------------------------


def committed_section(name: str) -> str:
    text = (DOCS / "model_card.md").read_text(encoding="utf-8")
    found = re.search(f"<!-- {name}:begin -->\n(.*?)\n<!-- {name}:end -->", text, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", SECTIONS)
def test_the_committed_card_has_each_part_filled(name: str) -> None:
    assert len(committed_section(name)) > 100


def test_the_committed_card_is_about_the_bundles_that_ship() -> None:
    metrics = [json.loads((MODELS / name / "metrics.json").read_text()) for name in NAMES]
    manifest = json.loads((MODELS / "modern" / "manifest.json").read_text())
    assert f"`{manifest['version']}`" in committed_section("details")
    assert committed_section("metrics") == describe_metrics(NAMES, metrics)
    assert committed_section("slices") == describe_slices(metrics[0])


@pytest.mark.parametrize(
    "picture", [*DOCS.glob("evaluation/*"), *DOCS.glob("data/*")], ids=lambda path: path.name
)
def test_committed_pictures_are_small_and_shown(picture: Path) -> None:
    assert picture.stat().st_size < 60_000
    documents = (DOCS / "model_card.md", DOCS / "data.md")
    shown = "".join(path.read_text(encoding="utf-8") for path in documents)
    assert f"({picture.parent.name}/{picture.name})" in shown
