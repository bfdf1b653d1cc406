"""The whole chain of stages: each trained once, and anew where it would be another one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from model_training.corpus.cache import Corpus
from model_training.recipes.recipe import load_recipe
from model_training.recipes.settings import ClassifierSettings
from model_training.training import stages
from model_training.training.processes import choose_device
from model_training.training.runs import load_run
from model_training.training.teacher import label_unlabelled, load_teacher
from model_training.training.training_set import labelled_set, make_training_set
from model_training.training.work import Work
from tests.small_recipes import (
    CHAIN,
    LANGUAGE_MODELS,
    train,
    train_small,
    write_chain,
    write_recipe,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the stages that are trained, in order."""
    names: list[str] = []

    def watch(kind: str) -> None:
        original = stages.TRAINERS[kind]

        def record(work: Work) -> dict[str, object]:
            names.append(work.stage.name)
            return original(work)

        monkeypatch.setitem(stages.TRAINERS, kind, record)

    watch("language-model")
    watch("classifier")
    return names


def taken(names: list[str]) -> list[str]:
    """What is in ``names``, and nothing is left there."""
    found = list(names)
    names.clear()
    return found


def test_one_command_trains_every_stage_once(
    corpus: Corpus, tmp_path: Path, trained: list[str]
) -> None:
    recipe = write_chain(tmp_path / "chain.toml")
    model = train(tmp_path, recipe)
    assert taken(trained) == ["language-models", "teacher", "student"]
    train(tmp_path, recipe)
    assert taken(trained) == []
    about = json.loads((model / "run.json").read_text())
    assert (about["name"], about["recipe"]) == ("student", "chain")
    # Excerpts and negated sentences come on top.
    labelled = len(corpus.train_and_dev(8)[0].texts)
    assert about["parts"]["forward"]["train_texts"] >= labelled + 40
    assert load_run(model).ngrams is not None
    assert not list((tmp_path / "kept").glob("teacher-*")), "a finished stage needs no checkpoint"

    teacher = tmp_path / "runs" / "teacher"
    reviews, targets = label_unlabelled(teacher, corpus, choose_device())
    assert len(reviews) == len(targets) == 40
    loaded = load_teacher(teacher, corpus, choose_device())
    assert loaded.probabilities(reviews) == pytest.approx(targets, abs=1e-6)
    settings = load_recipe(str(recipe)).stage("student").settings
    assert isinstance(settings, ClassifierSettings)
    vocabulary = corpus.vocabulary(settings.text_settings)
    own, _ = corpus.labelled(vocabulary, 8)
    learned = make_training_set(
        settings, corpus, vocabulary, own, {"teacher": teacher}, choose_device()
    )
    assert learned.targets[: len(own)].tolist() == own.labels.tolist()
    assert labelled_set(own).targets.tolist() == own.labels.tolist()


def test_an_edited_stage_is_made_anew_with_all_that_came_from_it_and_the_reason_is_said(
    corpus: Corpus, tmp_path: Path, trained: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_chain(tmp_path / "chain.toml")
    model = train(tmp_path, recipe)
    before = load_file(model / "forward.safetensors")
    taken(trained)
    capsys.readouterr()
    train(tmp_path, recipe, "--teacher.learning-rate=0.01")
    assert taken(trained) == ["teacher", "student"]
    said = capsys.readouterr().out
    assert "language-models is there\n" in said
    assert "teacher is trained: learning_rate was 0.03 and is 0.01\n" in said
    assert "student is trained: teacher is to be another one\n" in said
    assert not torch.equal(
        before["output.weight"], load_file(model / "forward.safetensors")["output.weight"]
    )


def test_a_stage_whose_start_was_made_anew_does_not_come_back_from_an_old_checkpoint(
    corpus: Corpus, tmp_path: Path, trained: list[str]
) -> None:
    recipe = write_recipe(tmp_path / "chain.toml", LANGUAGE_MODELS.format(epochs=1) + CHAIN)
    until = ["--until=teacher", "--restart"]
    teacher = train(tmp_path, recipe, *until)
    checkpoints = tmp_path / "kept"
    first = load_file(teacher / "forward.safetensors")
    # The weights that it starts from change, as they do when a stage is trained on other machines.
    models = tmp_path / "runs" / "language-models"
    weights = load_file(models / "forward.safetensors")
    moved = {name: tensor + 0.1 for name, tensor in weights.items()}
    save_file(moved, models / "forward.safetensors")
    about = json.loads((models / "run.json").read_text())
    (models / "run.json").write_text(json.dumps(about | {"weights": "others"}))
    taken(trained)
    train(tmp_path, recipe, "--until=teacher")
    assert taken(trained) == ["teacher"]
    again = load_file(teacher / "forward.safetensors")
    assert not torch.equal(first["output.weight"], again["output.weight"])
    assert not list(checkpoints.glob("teacher-*"))


def test_what_a_finished_stage_came_from_is_not_needed(
    corpus: Corpus, tmp_path: Path, trained: list[str]
) -> None:
    recipe = write_chain(tmp_path / "chain.toml")
    model = train(tmp_path, recipe)
    shutil.rmtree(tmp_path / "runs" / "language-models")
    taken(trained)
    train(tmp_path, recipe)
    assert taken(trained) == []
    shutil.rmtree(model)
    train(tmp_path, recipe)
    assert taken(trained) == ["student"]


def test_other_data_make_everything_anew(
    corpus: Corpus, tmp_path: Path, trained: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    train_small(tmp_path, corpus)
    (tmp_path / "data/corpus/corpus.json").write_text('{"sha256": "another"}')
    taken(trained)
    train_small(tmp_path, corpus)
    assert taken(trained) == ["small"]
    assert "small is trained: it was made of another data\n" in capsys.readouterr().out


def test_a_restart_trains_the_last_stage_alone(
    corpus: Corpus, tmp_path: Path, trained: list[str]
) -> None:
    recipe = write_chain(tmp_path / "chain.toml")
    train(tmp_path, recipe)
    taken(trained)
    other = tmp_path / "kept" / "student-2-forward-0123456789ab.safetensors"
    other.touch()
    train(tmp_path, recipe, "--restart")
    assert taken(trained) == ["student"]
    assert other.exists(), "what is kept of a stage whose name begins alike"


def test_a_teacher_that_was_trained_anew_is_asked_again(corpus: Corpus, tmp_path: Path) -> None:
    recipe = write_chain(tmp_path / "chain.toml")
    train(tmp_path, recipe)
    train(tmp_path, recipe, "--teacher.seed=2")
    assert len(list((tmp_path / "runs/teacher").glob("unlabelled-*.npy"))) == 2


def test_both_directions_are_trained_side_by_side_and_their_logits_averaged(
    corpus: Corpus, tmp_path: Path
) -> None:
    recipe = write_recipe(tmp_path / "both.toml", directions='["forward", "backward"]')
    model = train(tmp_path, recipe, "--ngrams=50")
    whole = load_run(model)
    reviews = corpus.encoded("test", corpus.vocabulary(whole.model.config.text_settings))
    about = json.loads((model / "run.json").read_text())
    logits = []
    for direction in ("forward", "backward"):
        settings = about["made_of"]["settings"] | {"directions": [direction]}
        alone = about | {"made_of": {"settings": settings}}
        (model / "run.json").write_text(json.dumps(alone))
        logits.append(replace(load_run(model), ngrams=None).logits(reviews))
    assert np.abs(logits[0] - logits[1]).max() > 0.001
    joined = whole.without_ngrams().logits(reviews)
    assert joined == pytest.approx((logits[0] + logits[1]) / 2, abs=1e-5)
    assert whole.ngrams is not None


# The made-up data set, in processes that know nothing of a test's fixtures.
PROGRAM = """
import sys
from model_training.corpus import acl_imdb
from model_training.training.__main__ import main
if __name__ == "__main__":
    acl_imdb.EXPECTED.update({expected!r})
    main(sys.argv[1:])
"""


def test_several_processes_train_all_stages_and_none_waits_for_ever(
    corpus: Corpus, tmp_path: Path, small_expected: dict[str, tuple[int, int]]
) -> None:
    recipe = write_chain(tmp_path / "chain.toml", '["forward", "backward"]')
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(expected=small_expected))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    places = [f"--data-dir={tmp_path / 'data'}", f"--model-dir={tmp_path / 'runs/student'}"]
    subprocess.run(
        [*command, str(program), str(recipe), *places, f"--checkpoint-dir={tmp_path / 'kept'}"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=200,
    )
    assert json.loads((tmp_path / "runs/student/run.json").read_text())["processes"] == 2
    assert load_run(tmp_path / "runs/student").model.config.directions == ("forward", "backward")
