"""The whole chain of stages, from the archive to the model that is exported."""

from __future__ import annotations

import json
import shutil
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from model_training.corpus.cache import Corpus
from model_training.errors import ConfigError
from model_training.recipes import settings
from model_training.recipes.settings import RECIPES, load_config
from model_training.training import classifier, language_models
from model_training.training.processes import choose_device
from model_training.training.runs import load_run
from model_training.training.teacher import judge_unlabelled, load_teacher
from model_training.training.training_set import labelled_set, make_training_set

SMALL = {
    "embedding_size": "8",
    "hidden_size": "8",
    "batch_windows": "16",
    "dev_reviews": "20",
    "word_vectors": "false",
    "ngrams": "50",
    "decay_epochs": "1",
}


@pytest.fixture
def side_by_side() -> list[list[str]]:
    """The names of the classifiers that were trained side by side, each time."""
    return []


@pytest.fixture
def stages(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side_by_side: list[list[str]]
) -> Path:
    """The folder of a chain's runs; the configurations that ship are made small, and what runs
    side by side runs in this process, one after the other."""
    configs = tmp_path / "configs"
    configs.mkdir()
    for path in RECIPES.glob("*.toml"):
        lines = []
        for line in path.read_text().splitlines():
            name, equals, value = line.partition(" = ")
            is_set = name in SMALL and not (name == "ngrams" and value == "0")
            lines.append(name + equals + SMALL[name] if is_set else line)
        (configs / path.name).write_text("\n".join(lines))
    monkeypatch.setattr(settings, "RECIPES", configs)
    modules = {
        "model_training.training": classifier,
        "model_training.training.language_models": language_models,
    }

    def run_in_order(commands: list[list[str]]) -> None:
        side_by_side.append([command[1] for command in commands])
        for module, *arguments in commands:
            modules[module].main(arguments)

    monkeypatch.setattr(classifier, "run_side_by_side", run_in_order)
    monkeypatch.setattr(language_models, "run_side_by_side", run_in_order)
    return tmp_path / "runs"


def train_all(stages: Path) -> None:
    places = [f"--data-dir={stages.parent / 'data'}", f"--model-dir={stages / 'modern'}"]
    classifier.main(["modern", *places, f"--checkpoint-dir={stages / 'checkpoints'}"])


@pytest.mark.slow
def test_one_command_trains_every_stage_once(
    stages: Path, corpus: Corpus, side_by_side: list[list[str]]
) -> None:
    train_all(stages)
    assert [names for names in side_by_side if names] == [
        ["language-models", "language-models"],
        ["forward-teacher-1", "backward-teacher-1"],
        ["teacher-1"],
        ["forward-student-1", "backward-student-1"],
        ["forward-teacher-2", "backward-teacher-2"],
        ["teacher-2"],
        ["forward", "backward"],
    ]
    runs = {path.parent.name: json.loads(path.read_text()) for path in stages.glob("*/run.json")}
    assert set(runs) == {"modern", *chain.from_iterable(side_by_side)} - {"language-models"}
    labelled, unlabelled = len(corpus.train_rows(20)[0]), 40
    assert runs["forward-teacher-1"]["train_texts"] == labelled
    # Excerpts and negated sentences come on top.
    assert runs["forward"]["train_texts"] >= labelled + unlabelled
    before = (stages / "teacher-2/run.json").stat().st_mtime_ns
    train_all(stages)
    assert (stages / "teacher-2/run.json").stat().st_mtime_ns == before
    assert load_run(stages / "modern").ngrams is not None

    vocabulary = corpus.vocabulary(load_config("modern").text_settings)
    reviews, targets = judge_unlabelled(stages / "teacher-2", corpus, choose_device())
    assert len(reviews) == len(targets) == 40
    assert np.all((targets >= 0) & (targets <= 1)) and np.ptp(targets) > 0.1
    teacher = load_teacher(stages / "teacher-2", corpus, choose_device())
    assert teacher.judge(reviews) == pytest.approx(targets, abs=1e-6)

    config = load_config("forward")
    rows, _ = corpus.train_rows(20)
    own = corpus.encoded("train", vocabulary).take(rows)
    learned = make_training_set(config, corpus, vocabulary, own, stages, choose_device())
    assert learned.targets[: len(own)].tolist() == own.labels.tolist()
    assert set(learned.reviews.labels.tolist()) == {0, 1}
    assert labelled_set(own).targets.tolist() == own.labels.tolist()


@pytest.mark.slow
def test_a_stage_that_is_there_is_not_trained_again_and_what_it_came_from_is_not_needed(
    stages: Path, side_by_side: list[list[str]]
) -> None:
    train_all(stages)
    kept = {"forward-student-1", "backward-student-1", "backward-teacher-2"}
    for folder in stages.iterdir():
        if folder.name not in kept:
            shutil.rmtree(folder)
    side_by_side.clear()
    train_all(stages)
    assert [names for names in side_by_side if names] == [
        ["forward-teacher-2"],
        ["teacher-2"],
        ["forward", "backward"],
    ]


def test_stages_that_wait_for_each_other_are_named(stages: Path) -> None:
    path = settings.RECIPES / "forward-student-1.toml"
    path.write_text(path.read_text().replace('"forward-teacher-1"', '"forward-teacher-2"'))
    with pytest.raises(ConfigError, match="forward-student-1 <- forward-teacher-2"):
        train_all(stages)
