"""Language models: what they read, what they learn, and that a stopped run loses nothing."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import load_file

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.networks.language_model import LanguageModel, Stream
from model_training.recipes.recipe import load_recipe
from model_training.recipes.settings import LanguageModelSettings
from model_training.training import checkpoints, language_models
from review_text import NO_WORD, Vocabulary
from tests.small_recipes import CHAIN, LANGUAGE_MODELS, train, write_recipe

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """What a process that is killed does: nothing after it runs."""


def settings_of() -> LanguageModelSettings:
    settings = load_recipe("modern").stage("language-models").settings
    assert isinstance(settings, LanguageModelSettings)
    return settings


def run(folder: Path, *more: str, epochs: int = 3, direction: str = "forward") -> Path:
    """Train on the small corpus; the folder of the results."""
    stages = LANGUAGE_MODELS.format(epochs=epochs) + CHAIN
    recipe = write_recipe(folder / "small.toml", stages, f'["{direction}"]')
    return train(folder, recipe, "--until=language-models", *more)


def weights_of(folder: Path, direction: str = "forward") -> dict[str, torch.Tensor]:
    return load_file(folder / f"{direction}.safetensors")


def reviews(*lengths: int) -> Encoded:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ids = np.arange(2, offsets[-1] + 2).astype(np.uint16)  # each token another id
    return Encoded(ids, offsets, np.zeros(len(lengths), np.int8))


@pytest.mark.parametrize(("direction", "step"), [("forward", 1), ("backward", -1)])
def test_each_token_is_followed_by_the_next_one_of_its_review(direction: str, step: int) -> None:
    stream = Stream([reviews(70, 30, 41), reviews(500)], direction, 16)  # type: ignore[arg-type]
    windows = stream.epoch(seed=3, epoch=0).astype(int)
    assert windows.shape == (stream.windows, 17)
    words, following = windows[:, :-1], windows[:, 1:]
    inside = (words != NO_WORD) & (following != NO_WORD)
    assert inside.sum() > 500
    assert (following[inside] - words[inside] == step).all()


def test_an_epoch_reads_nearly_every_token_once_and_each_epoch_cuts_elsewhere() -> None:
    stream = Stream([reviews(700, 300)], "forward", 16)
    read = stream.epoch(1, 0)[:, :-1]
    tokens = read[read != NO_WORD]
    assert len(np.unique(tokens)) == len(tokens) > 1000 - 2 * 16
    assert stream.epoch(1, 0).tolist() == stream.epoch(1, 0).tolist()
    assert stream.epoch(1, 0).tolist() != stream.epoch(1, 1).tolist()


def make_model(config: LanguageModelSettings) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(config, np.array([9, 5, *range(1, 31)]))


def test_the_loss_tells_each_next_word_apart_from_the_same_negatives() -> None:
    config = replace(settings_of(), embedding_size=8, hidden_size=8, negatives=12)
    model = make_model(config).eval()
    words = torch.randint(2, 32, (4, 17), generator=torch.Generator().manual_seed(0))
    words[0, 5] = NO_WORD
    with torch.no_grad():
        torch.manual_seed(5)
        loss = model(words[:, :-1], words[:, 1:])
        torch.manual_seed(5)
        negatives = torch.multinomial(model.get_buffer("noise"), 12, replacement=True)
        states = model.lstm(model.embedding(words[:, :-1].T))[0].transpose(0, 1)
        scores = model.projection(states) @ model.embedding.weight.T + model.bias
        scores -= model.get_buffer(
            "log_expected"
        )  # a word is as likely as it is above its share of the noise
    losses = []
    for row, position in np.ndindex(4, 16):
        target, score = words[row, position + 1], scores[row, position]
        if target != NO_WORD:
            rivals = score[negatives[negatives != target]].exp().sum()
            losses.append(-torch.log(score[target].exp() / (score[target].exp() + rivals)))
    assert len(losses) == 63
    assert loss.item() == pytest.approx(torch.stack(losses).mean().item(), rel=1e-5)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_pretraining_learns_and_writes_down_what_it_did(
    tmp_path: Path, corpus: Corpus, direction: str
) -> None:
    folder = run(tmp_path, epochs=30, direction=direction)
    about = json.loads((folder / "run.json").read_text())
    assert about["made_of"]["settings"]["epochs"] == 30
    vocabulary = corpus.vocabulary(settings_of().text_settings)
    shares = np.bincount(corpus.encoded("train", vocabulary).ids).astype(float)
    shares = shares[shares > 0] / shares.sum()
    guessing = math.exp(-(shares * np.log(shares)).sum())
    assert about["parts"][direction]["dev_perplexity"] < 0.5 * guessing


def test_dev_reviews_are_not_read(tmp_path: Path, corpus: Corpus) -> None:
    about = json.loads((run(tmp_path, epochs=1) / "run.json").read_text())
    vocabulary = corpus.vocabulary(settings_of().text_settings)
    labelled, dev = corpus.labelled(vocabulary, 8)
    assert len(dev) >= 8
    kept = labelled.lengths.sum() + len(corpus.encoded("unsup", vocabulary).ids)
    assert about["parts"]["forward"]["tokens"] == kept


def test_a_run_that_reads_all_training_reviews_measures_nothing_on_others(
    tmp_path: Path, corpus: Corpus
) -> None:
    about = json.loads((run(tmp_path, "--dev-reviews=0", epochs=1) / "run.json").read_text())
    assert "dev_perplexity" not in about["parts"]["forward"]


def test_a_language_model_can_start_from_word_vectors(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give(corpus: Corpus, vocabulary: Vocabulary, *_: object) -> npt.NDArray[np.float32]:
        return np.full((len(vocabulary), 8), 7, np.float32)

    monkeypatch.setattr(language_models, "load_or_train", give)
    words = weights_of(run(tmp_path, "--word-vectors=true", epochs=1))["embedding.weight"]
    # One short epoch moves them a little; random ones are near 0.
    assert words.min() > 6


@pytest.mark.parametrize("killed_at", [1, 6, 10])
def test_a_killed_run_ends_as_if_it_had_not_been_killed(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    whole = weights_of(run(tmp_path))
    monkeypatch.setattr(language_models, "_CHECKPOINT_SECONDS", 0)  # a checkpoint after each step
    original = checkpoints.save_checkpoint

    def save_and_die(path, key, progress, model, adam) -> None:  # type: ignore[no-untyped-def]
        original(path, key, progress, model, adam)
        if progress.step == killed_at:
            raise Killed

    monkeypatch.setattr(language_models, "save_checkpoint", save_and_die)
    with pytest.raises(Killed):
        run(tmp_path, "--restart")
    monkeypatch.setattr(language_models, "save_checkpoint", original)
    for name, tensor in weights_of(run(tmp_path)).items():
        assert torch.equal(tensor, whole[name]), name


def test_a_run_of_another_length_goes_on_from_where_the_rate_began_to_fall(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    original = language_models.Pretraining._step

    def count(self, step, windows):  # type: ignore[no-untyped-def]
        steps.append(step)
        return original(self, step, windows)

    monkeypatch.setattr(language_models.Pretraining, "_step", count)
    run(tmp_path, epochs=3)
    length = len(steps)
    continued = weights_of(run(tmp_path, epochs=5))
    assert steps[length] == 2 * length // 3
    # A shorter one cannot go on from there.
    steps.clear()
    short = weights_of(run(tmp_path, epochs=2))
    assert steps[0] == 0
    for path in (tmp_path / "kept").iterdir():
        path.unlink()
    for epochs, weights in ((5, continued), (2, short)):
        for name, tensor in weights_of(run(tmp_path, "--restart", epochs=epochs)).items():
            assert torch.equal(tensor, weights[name]), name


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_classifier_starts_from_the_language_model_of_its_direction(
    tmp_path: Path, corpus: Corpus, direction: str
) -> None:
    stages = LANGUAGE_MODELS.format(epochs=1) + CHAIN
    recipe = write_recipe(tmp_path / "chain.toml", stages, f'["{direction}"]')
    model = train(tmp_path, recipe, "--until=teacher", "--teacher.epochs=0")
    trained = weights_of(model, direction)
    before = weights_of(tmp_path / "runs" / "language-models", direction)
    for name in ("embedding.weight", "lstm.weight_hh_l0"):
        assert torch.equal(trained[f"readers.0.{name}"], before[name])
