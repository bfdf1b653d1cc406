"""The transformer's training and labelling, in a size for tests."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from model_training.corpus import pretrained
from model_training.corpus.cache import Corpus
from model_training.corpus.labelled import COUNTERFACTUAL, SST2, Row, Source, digest_rows
from model_training.evaluation.peers.pretrained import Teacher
from model_training.networks.transformer import Reader, ReviewTransformer
from model_training.training import transformer as stage
from model_training.training.labelled_texts import load_texts
from model_training.training.processes import Processes, choose_device
from model_training.training.training_set import make_training_set
from model_training.training.transformer import label_texts
from review_text import MODERN
from tests.small_recipes import settings_of, train, write_recipe
from tests.unit.model_training.tiny_transformer import make_tiny_transformer

STAGES = """
[[stages]]
name = "transformer"
kind = "transformer"
length = 24
frozen_layers = 1
batch_tokens = 64
output_learning_rate = 0.03
weight_decay = 0.01
reviews = 20
phrases = 4
neutral = 10
neutral_passed_on = 10
opinions = 5
ratings = 4
sentences = 9
renamed = 5
edits = 7
stretches = 3
labelled = 4
unlabelled = 6

[[stages]]
name = "student"
kind = "classifier"
transformer = "transformer"
"""
TEXTS = ["the film is good", "bad", "a dull film , not fine", "very good", "the film", "is it"] * 4


def small_source(source: Source, rows: Sequence[Row], header: str, folder: Path) -> Source:
    place = folder / source.name
    place.mkdir(parents=True)
    for name in source.digests:
        text = "\n".join([header, *("\t".join(row) for row in rows)]) + "\n"
        (place / name).write_text(text)
    return replace(source, digests=dict.fromkeys(source.digests, digest_rows(rows)))


@pytest.fixture
def folder(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a recipe can be trained: a tiny transformer and two labelled sets are in its data."""
    data = tmp_path / "data"
    torch.manual_seed(1)
    made = make_tiny_transformer(data / "pretrained")
    digest = hashlib.sha256((made / "model.safetensors").read_bytes()).hexdigest()
    monkeypatch.setattr(pretrained, "WEIGHTS_SHA256", digest)
    pairs = [("Positive", "a good film .", "1"), ("Negative", "a bad film .", "1")]
    phrases = [("the film is n't good", "0"), ("very very fine", "1"), ("bad", "0")]
    monkeypatch.setattr(
        stage, "COUNTERFACTUAL", small_source(COUNTERFACTUAL, pairs, "S\tT\tb", data)
    )
    monkeypatch.setattr(stage, "SST2", small_source(SST2, phrases, "s\tl", data))
    return tmp_path


def train_both(folder: Path, *more: str) -> tuple[dict[str, Any], Path]:
    model = train(folder, write_recipe(folder / "recipe.toml", STAGES), *more)
    return json.loads((model / "run.json").read_text()), model.parent / "transformer"


def test_a_student_learns_what_the_transformer_has_labelled(folder: Path, corpus: Corpus) -> None:
    about, transformer = train_both(folder)
    labelled = load_texts(transformer)
    # Pairs, phrases, edits, sentences, stretches, texts without an opinion, turns of phrase,
    # and ratings.
    assert len(labelled.texts) == len(labelled.targets)
    pairs = ["a good film .", "a bad film ."]
    phrases = ["the film isn't good", "very very fine", "bad"]
    assert list(labelled.texts)[:11] == [*pairs * 4, *phrases]
    assert list(labelled.targets[:11] > 0.5) == [True, False] * 4 + [False, True, False]
    assert list(labelled.targets[-19:-9]) == [0.5] * 10
    assert set(np.abs(labelled.targets[-9:-4] - 0.5).round(4)) == {np.float32(0.45)}
    assert len(labelled.training_targets) == 4
    assert len(labelled.unlabelled_targets) == 6
    train, _ = corpus.train_and_dev(8)
    texts = len(labelled.texts) + len(train.texts)
    assert about["parts"]["forward"]["train_texts"] == texts
    vocabulary = corpus.vocabulary(MODERN)
    own, _ = corpus.labelled(vocabulary, 8)
    settings = settings_of(str(folder / "recipe.toml"))
    learned = make_training_set(
        settings, corpus, vocabulary, own, {"transformer": transformer}, choose_device()
    )
    both = (own.labels[:4] + labelled.training_targets) / 2
    assert learned.targets[:5].tolist() == pytest.approx([*both, own.labels[4]])
    made = json.loads((transformer / "run.json").read_text())
    assert made["dev_accuracy"].keys() == {"reviews", "counterfactual", "sentences"}


def test_it_is_compared_with_its_student_where_it_is(folder: Path) -> None:
    peer = Teacher(folder / "runs/transformer", folder / "data")
    assert "runs/transformer has no weights; make train leaves them there" in peer.missing()
    assert peer.version() == ""
    train_both(folder)
    assert peer.missing() == ""
    assert re.fullmatch(r"transformers [\d.]+ teacher-[0-9a-f]{12}", peer.version())
    peer.load(folder)
    good, bad = peer.logits(["the film is good", "bad , bad"])
    assert good > bad
    assert all(path.is_file() for path in peer.files())


def test_it_can_be_left_out(folder: Path) -> None:
    about, transformer = train_both(folder, "--student.transformer=none")
    assert not transformer.exists()
    assert about["made_of"]["settings"]["transformer"] is None


def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def weights() -> str:
        model = train(folder, write_recipe(folder / "r.toml", STAGES), "--until=transformer")
        return str(json.loads((model / "run.json").read_text())["weights"])

    whole = weights()
    for path in (*folder.glob("kept/*.safetensors"), *folder.glob("runs/model/*")):
        path.unlink()
    monkeypatch.setattr(stage, "_CHECKPOINT_SECONDS", -1)
    real, steps = stage._Step.__call__, []

    def stop_at_third(*arguments: Any) -> float:
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(stage._Step, "__call__", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        weights()
    monkeypatch.setattr(stage._Step, "__call__", real)
    assert weights() == whole


def test_a_restart_learns_and_labels_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = write_recipe(folder / "recipe.toml", STAGES)
    train(folder, recipe, "--until=transformer")
    step, score = Mock(wraps=stage._Step.__call__), Mock(wraps=stage._score)
    monkeypatch.setattr(stage._Step, "__call__", lambda *arguments: step(*arguments))
    monkeypatch.setattr(stage, "_score", score)
    train(folder, recipe, "--until=transformer")
    assert not step.called and not score.called
    train(folder, recipe, "--until=transformer", "--restart")
    assert step.called
    assert score.call_count > len(("reviews", "counterfactual", "sentences"))


# The made-up data sets, in processes that know nothing of a test's fixtures.
PROGRAM = """
import sys
from dataclasses import replace
from model_training.corpus import acl_imdb, pretrained
from model_training.training import transformer as stage
from model_training.training.__main__ import main
if __name__ == "__main__":
    acl_imdb.EXPECTED.update({expected!r})
    pretrained.WEIGHTS_SHA256 = {weights!r}
    stage.COUNTERFACTUAL = replace(stage.COUNTERFACTUAL, digests={pairs!r})
    stage.SST2 = replace(stage.SST2, digests={phrases!r})
    main(sys.argv[1:])
"""


@pytest.mark.slow
def test_several_processes_learn_and_label_together(
    folder: Path, small_expected: dict[str, tuple[int, int, str]]
) -> None:
    _, alone = train_both(folder)
    program = folder / "program.py"
    sources = {"pairs": vars(stage)["COUNTERFACTUAL"], "phrases": vars(stage)["SST2"]}
    digests = {name: source.digests for name, source in sources.items()}
    program.write_text(
        PROGRAM.format(expected=small_expected, weights=pretrained.WEIGHTS_SHA256, **digests)
    )
    model = folder / "together" / "model"
    places = [f"--data-dir={folder / 'data'}", f"--model-dir={model}"]
    places.append(f"--checkpoint-dir={folder / 'others'}")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    subprocess.run(
        [*command, str(program), str(folder / "recipe.toml"), *places],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=200,
    )
    assert json.loads((model / "run.json").read_text())["processes"] == 2
    labelled = load_texts(model.parent / "transformer")
    assert list(labelled.texts) == list(load_texts(alone).texts)
    assert labelled.targets == pytest.approx(load_texts(alone).targets, abs=0.05)


def test_to_label_more_texts_nothing_is_learned_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_both(folder)
    monkeypatch.setattr(stage._Step, "__call__", None)
    _, transformer = train_both(folder, "--unlabelled=9")
    assert len(load_texts(transformer).unlabelled_targets) == 9


def test_shards_are_kept_for_the_teacher_and_the_texts_that_they_are_of(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_SHARD", 5)
    model = ReviewTransformer(folder / "data/pretrained", 1)
    reader = Reader(folder / "data/pretrained", 24)

    def label(name: str, rank: int = 0, count: int = 1) -> np.ndarray:
        monkeypatch.setattr(Processes, "wait", lambda self: None)
        processes = Processes(rank, count)
        return label_texts(model, reader, TEXTS, tmp_path / "labels", name, processes)

    with pytest.raises(FileNotFoundError):  # the other process's half is not there yet
        label("one", 1, 2)
    assert len(list((tmp_path / "labels").iterdir())) == 2
    first = label("one", 0, 2)
    assert len(first) == len(TEXTS)
    with torch.no_grad():
        model.output.bias.add_(1.0)
    np.testing.assert_array_equal(label("one"), first)
    np.testing.assert_allclose(label("two"), first + 1, atol=0.05)
