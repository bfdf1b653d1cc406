"""Training: it learns, it resumes with the same result, it refuses what it must."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.errors import BundleError, CheckpointError, HardwareError
from model_training.networks.batches import Batches
from model_training.recipes.settings import load_config
from model_training.training import checkpoints, classifier, processes
from model_training.training.runs import load_run

WITHOUT_TEACHER = ["--teacher=none", "--short-texts=false"]
SETTINGS = [
    *["--embedding-size=8", "--hidden-size=8", "--batch-windows=16", "--epochs=3"],
    *[
        "--head-epochs=0",
        "--layer-decay=1",
        "--dev-reviews=8",
        "--start-from=random",
        "--learning-rate=0.03",
    ],
    *WITHOUT_TEACHER,
]


class Killed(BaseException):
    """What a process that is killed does: nothing after it runs."""


def run(folder: Path, corpus: Corpus, config: str = "modern", *more: str) -> Path:
    """Train on the small corpus and return the model folder."""
    arguments = [config, f"--data-dir={folder / 'data'}", f"--model-dir={folder / 'model'}"]
    classifier.main([*arguments, f"--checkpoint-dir={folder / 'checkpoints'}", *SETTINGS, *more])
    return folder / "model"


@pytest.mark.parametrize("config", ["modern", "classic"])
def test_training_learns_and_writes_down_what_it_did(
    tmp_path: Path, corpus: Corpus, config: str
) -> None:
    settings = ["--epochs=12", "--embedding-dropout=0", "--word-dropout=0", "--dropout=0"]
    model = run(tmp_path, corpus, config, *settings)
    about = json.loads((model / "run.json").read_text())
    assert about["dev"]["accuracy"] > 0.9
    assert about["config"]["epochs"] == 12
    assert about["data"] == corpus.fingerprint
    assert set(about["libraries"]) == {"gensim", "numpy", "scikit-learn", "torch"}
    assert [row["epoch"] for row in about["history"]] == list(range(1, 13))
    assert about["history"][-1]["loss"] < about["history"][0]["loss"]
    assert set(load_file(model / "model.safetensors")) >= {
        "readers.0.embedding.weight",
        "output.weight",
    }


@pytest.mark.parametrize("killed_at", [1, 7, 10])
def test_a_killed_run_ends_as_if_it_had_not_been_killed(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    whole = load_file(run(tmp_path, corpus) / "model.safetensors")
    (tmp_path / "checkpoints/modern.safetensors").unlink()
    monkeypatch.setattr(classifier, "_CHECKPOINT_SECONDS", 0)  # a checkpoint after each step
    original = checkpoints.save_checkpoint

    def save_and_die(path, key, progress, model, adam) -> None:  # type: ignore[no-untyped-def]
        original(path, key, progress, model, adam)
        if progress.step == killed_at:
            raise Killed

    monkeypatch.setattr(classifier, "save_checkpoint", save_and_die)
    with pytest.raises(Killed):
        run(tmp_path, corpus)
    monkeypatch.setattr(classifier, "save_checkpoint", original)
    resumed = load_file(run(tmp_path, corpus) / "model.safetensors")
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name


def test_a_run_that_dies_while_it_saves_keeps_the_earlier_checkpoint(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, corpus)
    path = tmp_path / "checkpoints/modern.safetensors"
    before = path.read_bytes()

    def die_halfway(tensors: object, part: Path, about: object) -> None:
        Path(part).write_bytes(before[:100])
        raise Killed

    monkeypatch.setattr(checkpoints, "save_file", die_halfway)
    with pytest.raises(Killed):
        run(tmp_path, corpus, "modern", "--restart")
    assert not list(path.parent.glob("*.part"))


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path, corpus: Corpus) -> None:
    run(tmp_path, corpus)
    with pytest.raises(CheckpointError, match="Pass --restart"):
        run(tmp_path, corpus, "modern", "--seed=2")


def test_a_gpu_that_was_paid_for_and_is_not_there_stops_the_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SM_NUM_GPUS", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(HardwareError, match="SM_NUM_GPUS = 1"):
        processes.choose_device()


def test_a_folder_without_a_finished_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=f"{tmp_path} is not a finished training run"):
        load_run(tmp_path)


def test_in_a_training_job_the_folders_are_sagemakers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SM_MODEL_DIR", "/opt/ml/model")
    monkeypatch.setenv("SM_CHANNEL_TRAINING", "/opt/ml/input/data/training")
    options = classifier._parse(["--config", "classic", "--epochs", "2"])
    assert options.config == "classic"
    assert str(options.model_dir) == "/opt/ml/model"
    assert str(options.data_dir) == "/opt/ml/input/data/training"
    assert str(options.checkpoint_dir) == "/opt/ml/checkpoints"


def test_a_one_cycle_learning_rate_rises_then_falls_to_nothing() -> None:
    config = load_config("modern")
    rates = [classifier.learning_rate(config, step, 100) for step in range(100)]
    assert int(np.argmax(rates)) == 29
    assert max(rates) == pytest.approx(config.learning_rate)
    assert rates[0] < 0.05 * max(rates)
    assert rates[-1] < 1e-3 * max(rates)


def test_two_classifiers_of_one_direction_join_into_one_that_averages_their_logits(
    tmp_path: Path, corpus: Corpus
) -> None:
    for direction in ("forward", "backward"):
        folders = [f"--data-dir={tmp_path / 'data'}", f"--model-dir={tmp_path / direction}"]
        classifier.main([direction, *folders, f"--checkpoint-dir={tmp_path}", *SETTINGS])
    sizes = [*SETTINGS[:3], "--dev-reviews=8", "--epochs=0", *WITHOUT_TEACHER]
    folders = [f"--data-dir={tmp_path / 'data'}", f"--model-dir={tmp_path / 'modern'}"]
    classifier.main(["modern", *folders, f"--checkpoint-dir={tmp_path}", *sizes])
    vocabulary = corpus.vocabulary(load_config("modern").text_settings)
    reviews = corpus.encoded("test", vocabulary)
    parts = [load_run(tmp_path / name) for name in ("forward", "backward", "modern")]
    forward, backward, joined = (replace(part, ngrams=None).logits(reviews) for part in parts)
    assert np.abs(forward - backward).max() > 0.01
    assert joined == pytest.approx((forward + backward) / 2, abs=1e-5)
    assert parts[2].ngrams is not None


def test_adversarial_shifts_are_as_long_for_each_review_as_its_vectors_say() -> None:
    split = Encoded(np.ones(230, np.uint16), np.array([0, 200, 230]), np.array([1, 0], np.int8))
    batch = Batches(split, load_config("modern").text_settings, 5).make(np.arange(2))
    torch.manual_seed(0)
    inside = (torch.arange(64)[:, None] < batch.lengths)[..., None]
    vectors, gradients = ([torch.randn(64, 5, 8) * inside for _ in range(2)] for _ in range(2))
    shifts = classifier.scale_shifts(gradients, vectors, batch, 5.0)
    for review, words in enumerate((200, 30)):
        own = batch.reviews == review
        length = torch.stack([shift[:, own] for shift in shifts]).norm()
        rms = torch.stack([tensor[:, own] for tensor in vectors]).norm() / (words * 8 * 2) ** 0.5
        # A text of less than a window is changed no more, for each word, than a whole window.
        expected = 5.0 * rms.item() * min(1.0, words / 64) ** 0.5
        assert length.item() == pytest.approx(expected, rel=1e-4)
    first, second = (s[:, 0] / g[:, 0] for s, g in zip(shifts, gradients, strict=True))
    assert torch.allclose(first, second, atol=1e-5)


def test_a_run_can_end_between_where_it_started_and_where_it_came_to(
    tmp_path: Path, corpus: Corpus
) -> None:
    folders = [f"--data-dir={tmp_path / 'data'}", f"--checkpoint-dir={tmp_path / 'checkpoints'}"]
    weights = []
    for share in ("0", "1", "0.25"):
        model = tmp_path / share
        classifier.main(
            ["modern", *folders, f"--model-dir={model}", *SETTINGS, f"--keep-start={share}"]
        )
        weights.append(load_file(model / "model.safetensors"))
        (tmp_path / "checkpoints/modern.safetensors").unlink()
    for name, end in weights[0].items():
        start = weights[1][name]
        assert not torch.equal(start, end)
        assert torch.allclose(weights[2][name], 0.75 * end + 0.25 * start, atol=1e-6)
