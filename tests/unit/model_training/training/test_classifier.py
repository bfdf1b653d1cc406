"""Training: it learns, it resumes with the same result, it refuses what it must."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tqdm import tqdm

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.errors import BundleError, ConfigError, HardwareError
from model_training.networks.batches import Batches
from model_training.recipes.recipe import load_recipe
from model_training.recipes.settings import ClassifierSettings
from model_training.training import __main__ as command
from model_training.training import checkpoints, classifier, processes
from model_training.training.runs import load_run
from tests.small_recipes import train, train_small, write_recipe

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """What a process that is killed does: nothing after it runs."""


def modern() -> ClassifierSettings:
    settings = load_recipe("modern").stages[-1].settings
    assert isinstance(settings, ClassifierSettings)
    return settings


@pytest.mark.parametrize("pooling", ["last", "max+mean"])
def test_training_learns_and_writes_down_what_it_did(
    tmp_path: Path, corpus: Corpus, pooling: str
) -> None:
    settings = ["--epochs=12", "--embedding-dropout=0", "--word-dropout=0", "--dropout=0"]
    model = train_small(tmp_path, corpus, f"--pooling={pooling}", *settings)
    about = json.loads((model / "run.json").read_text())
    assert about["dev"]["accuracy"] > 0.8
    assert about["made_of"]["settings"]["epochs"] == 12
    assert about["made_of"]["data"] == corpus.fingerprint
    assert set(about["libraries"]) == {"gensim", "numpy", "scikit-learn", "torch"}
    history = about["parts"]["forward"]["history"]
    assert [row["epoch"] for row in history] == list(range(1, 13))
    assert history[-1]["loss"] < history[0]["loss"]
    weights = load_file(model / "forward.safetensors")
    assert set(weights) >= {"readers.0.embedding.weight", "output.weight"}


@pytest.mark.parametrize("killed_at", [1, 7, 10])
def test_a_killed_run_ends_as_if_it_had_not_been_killed(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    small = "--batch-windows=3"  # four batches an epoch
    whole = load_file(train_small(tmp_path, corpus, small) / "forward.safetensors")
    monkeypatch.setattr(classifier, "_CHECKPOINT_SECONDS", 0)  # a checkpoint after each step
    original = checkpoints.save_checkpoint

    def save_and_die(path, key, progress, model, adam) -> None:  # type: ignore[no-untyped-def]
        original(path, key, progress, model, adam)
        if progress.step == killed_at:
            raise Killed

    monkeypatch.setattr(classifier, "save_checkpoint", save_and_die)
    with pytest.raises(Killed):
        train_small(tmp_path, corpus, small, "--restart")
    assert len(list((tmp_path / "kept").iterdir())) == 1
    monkeypatch.setattr(classifier, "save_checkpoint", original)
    resumed = load_file(train_small(tmp_path, corpus, small) / "forward.safetensors")
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name


def test_a_checkpoint_of_other_settings_is_left_alone_and_not_used(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "_CHECKPOINT_SECONDS", 0)
    original = checkpoints.save_checkpoint

    def save_and_die(path, key, progress, model, adam) -> None:  # type: ignore[no-untyped-def]
        original(path, key, progress, model, adam)
        raise Killed

    monkeypatch.setattr(classifier, "save_checkpoint", save_and_die)
    for seed in (1, 2):
        with pytest.raises(Killed):
            train_small(tmp_path, corpus, f"--seed={seed}")
    kept = sorted((tmp_path / "kept").iterdir())
    assert len(kept) == 2
    assert checkpoints.load_checkpoint(kept[0], "another", torch.nn.Linear(1, 1), None) is None  # type: ignore[arg-type]


def test_a_run_that_dies_while_it_saves_leaves_no_half_of_a_checkpoint(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die_halfway(tensors: object, part: Path, about: object) -> None:
        Path(part).write_bytes(b"half")
        raise Killed

    monkeypatch.setattr(checkpoints, "save_file", die_halfway)
    with pytest.raises(Killed):
        train_small(tmp_path, corpus)
    assert not list((tmp_path / "kept").iterdir())


def test_a_jobs_log_has_lines_and_no_bars(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars: list[bool] = []
    original = tqdm.__init__

    def record(self, *arguments, **named) -> None:  # type: ignore[no-untyped-def]
        original(self, *arguments, **named)
        bars.append(bool(self.disable))

    # tqdm reads the variable when it is imported; this is what it makes of it.
    def without_bars(self, *arguments, **named) -> None:  # type: ignore[no-untyped-def]
        record(self, *arguments, **{"disable": True, "file": io.StringIO()} | named)

    monkeypatch.setattr(tqdm, "__init__", without_bars)
    train_small(tmp_path, corpus)
    assert bars and all(bars)


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
    options, recipe = command.parse(["--recipe", "classic", "--epochs", "2"])
    assert recipe.name == "classic"
    assert str(options.model_dir) == "/opt/ml/model"
    assert str(options.data_dir) == "/opt/ml/input/data/training"
    assert str(options.checkpoint_dir) == "/opt/ml/checkpoints"
    assert options.stages_dir == options.checkpoint_dir


def test_one_recipe_is_trained() -> None:
    with pytest.raises(ConfigError, match="modern and --recipe classic: name one recipe"):
        command.parse(["modern", "--recipe", "classic"])


def test_a_recipe_can_be_trained_up_to_a_stage() -> None:
    options, recipe = command.parse(["modern", "--until", "teacher-1"])
    assert [stage.name for stage in recipe.stages] == ["language-models", "teacher-1"]
    assert options.model_dir == Path("runs/teacher-1")


def test_a_one_cycle_learning_rate_rises_then_falls_to_nothing() -> None:
    settings = modern()
    rates = [classifier.learning_rate(settings, step, 100) for step in range(100)]
    assert int(np.argmax(rates)) == 29
    assert max(rates) == pytest.approx(settings.learning_rate)
    assert rates[0] < 0.05 * max(rates)
    assert rates[-1] < 1e-3 * max(rates)


def test_adversarial_shifts_are_as_long_for_each_review_as_its_vectors_say() -> None:
    split = Encoded(np.ones(230, np.uint16), np.array([0, 200, 230]), np.array([1, 0], np.int8))
    batch = Batches(split, modern().text_settings, 5).make(np.arange(2))
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
    recipe = write_recipe(tmp_path / "small.toml")
    weights = [
        load_file(train(tmp_path, recipe, f"--keep-start={share}") / "forward.safetensors")
        for share in ("0", "1", "0.25")
    ]
    for name, end in weights[0].items():
        start = weights[1][name]
        assert not torch.equal(start, end)
        assert torch.allclose(weights[2][name], 0.75 * end + 0.25 * start, atol=1e-6)
