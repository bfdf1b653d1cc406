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
from model_training.errors import ConfigError, ReeltoneError
from model_training.networks.language_model import LanguageModel, Stream
from model_training.recipes.settings import PretrainingConfig, load_pretraining_config
from model_training.training import checkpoints, classifier, language_models
from review_text import NO_WORD, Vocabulary

SMALL = """
text = "modern"
embedding_size = 8
hidden_size = 8
word_vectors = false
epochs = {epochs}
decay_epochs = 1
batch_windows = 1
learning_rate = 0.02
warm_up_steps = 2
negatives = 20
embedding_dropout = 0.1
dropout = 0.1
clip_norm = 1.0
precision = "fp32"
dev_reviews = 20
seed = 1
"""


class Killed(BaseException):
    """What a process that is killed does: nothing after it runs."""


def run(
    folder: Path, direction: str = "forward", epochs: int = 3, settings: str = SMALL
) -> dict[str, torch.Tensor]:
    """Train on the small corpus; the weights."""
    config = folder / "language-models.toml"
    config.write_text(settings.format(epochs=epochs))
    models = folder / "language-models"
    places = [f"--data-dir={folder / 'data'}", f"--model-dir={models}"]
    language_models.main([str(config), *places, f"--direction={direction}"])
    return load_file(models / f"{direction}.safetensors")


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


def make_model(config: PretrainingConfig) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(config, np.array([9, 5, *range(1, 31)]))


def test_the_loss_tells_each_next_word_apart_from_the_same_negatives() -> None:
    config = replace(
        load_pretraining_config("language-models"), embedding_size=8, hidden_size=8, negatives=12
    )
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


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_pretraining_learns_and_writes_down_what_it_did(
    tmp_path: Path, corpus: Corpus, direction: str
) -> None:
    run(tmp_path, direction, epochs=30)
    about = json.loads((tmp_path / f"language-models/{direction}.json").read_text())
    assert about["config"]["epochs"] == 30
    assert about["data"] == corpus.fingerprint
    vocabulary = corpus.vocabulary(load_pretraining_config("language-models").text_settings)
    shares = np.bincount(corpus.encoded("train", vocabulary).ids).astype(float)
    shares = shares[shares > 0] / shares.sum()
    guessing = math.exp(-(shares * np.log(shares)).sum())
    assert about["dev_perplexity"] < 0.5 * guessing


def test_dev_reviews_are_not_read(tmp_path: Path, corpus: Corpus) -> None:
    run(tmp_path)
    about = json.loads((tmp_path / "language-models/forward.json").read_text())
    vocabulary = corpus.vocabulary(load_pretraining_config("language-models").text_settings)
    labelled = corpus.encoded("train", vocabulary)
    rows, dev = corpus.train_rows(20)
    assert len(dev) >= 20
    kept = labelled.lengths[rows].sum() + len(corpus.encoded("unsup", vocabulary).ids)
    assert about["tokens"] == kept


def test_a_run_that_reads_all_training_reviews_measures_nothing_on_others(
    tmp_path: Path, corpus: Corpus
) -> None:
    run(tmp_path, epochs=1, settings=SMALL.replace("dev_reviews = 20", "dev_reviews = 0"))
    about = json.loads((tmp_path / "language-models/forward.json").read_text())
    assert "dev_perplexity" not in about


WITH_VECTORS = SMALL.replace("word_vectors = false", "word_vectors = true")


def test_a_language_model_can_start_from_word_vectors(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give(corpus: Corpus, vocabulary: Vocabulary, *_: object) -> npt.NDArray[np.float32]:
        return np.full((len(vocabulary), 8), 7, np.float32)

    monkeypatch.setattr(language_models, "load_or_train", give)
    words = run(tmp_path, epochs=1, settings=WITH_VECTORS)["embedding.weight"]
    # One short epoch moves them a little; random ones are near 0.
    assert words.min() > 6


@pytest.mark.slow
def test_what_both_directions_read_is_made_once_before_they_start(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "language-models.toml"
    config.write_text(WITH_VECTORS.format(epochs=1))
    data = tmp_path / "data"

    def start(commands: list[list[str]]) -> None:
        directions = [command[-1] for command in commands]
        assert directions == ["--direction=forward", "--direction=backward"]
        assert len(list(data.glob("word-vectors-*.npy"))) == 1
        raise Killed

    monkeypatch.setattr(language_models, "run_side_by_side", start)
    with pytest.raises(Killed):
        language_models.main(
            [str(config), f"--data-dir={data}", f"--model-dir={tmp_path / 'models'}"]
        )


@pytest.mark.parametrize("killed_at", [1, 6, 10])
def test_a_killed_run_ends_as_if_it_had_not_been_killed(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    whole = run(tmp_path)
    for path in (tmp_path / "language-models/checkpoints").iterdir():
        path.unlink()
    monkeypatch.setattr(language_models, "_CHECKPOINT_SECONDS", 0)  # a checkpoint after each step
    original = checkpoints.save_checkpoint

    def save_and_die(path, key, progress, model, adam) -> None:  # type: ignore[no-untyped-def]
        original(path, key, progress, model, adam)
        if progress.step == killed_at:
            raise Killed

    monkeypatch.setattr(language_models, "save_checkpoint", save_and_die)
    with pytest.raises(Killed):
        run(tmp_path)
    monkeypatch.setattr(language_models, "save_checkpoint", original)
    for name, tensor in run(tmp_path).items():
        assert torch.equal(tensor, whole[name]), name


def test_a_longer_run_goes_on_from_where_the_rate_of_a_shorter_one_began_to_fall(
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
    continued = run(tmp_path, epochs=5)
    assert steps[length] == 2 * length // 3
    for path in (tmp_path / "language-models/checkpoints").iterdir():
        path.unlink()
    for name, tensor in run(tmp_path, epochs=5).items():
        assert torch.equal(tensor, continued[name]), name


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_classifier_starts_from_the_language_model_of_its_direction(
    tmp_path: Path, corpus: Corpus, direction: str
) -> None:
    config = tmp_path / "language-models.toml"
    config.write_text(SMALL.format(epochs=1))
    models = tmp_path / "language-models"
    places = [f"--data-dir={tmp_path / 'data'}", f"--model-dir={models}"]
    language_models.main([str(config), *places])  # both directions, side by side
    sizes = ["--embedding-size=8", "--hidden-size=8", "--batch-windows=16", "--dev-reviews=8"]
    arguments = [
        f"{direction}-teacher-1",
        places[0],
        f"--model-dir={tmp_path / 'classifier'}",
        *sizes,
    ]
    classifier.main([*arguments, f"--checkpoint-dir={tmp_path}", "--epochs=1", "--head-epochs=1"])
    trained = load_file(tmp_path / "classifier/model.safetensors")
    before = load_file(models / f"{direction}.safetensors")
    for name in ("embedding.weight", "lstm.weight_hh_l0"):
        assert torch.equal(trained[f"readers.0.{name}"], before[name])


@pytest.mark.slow
def test_a_direction_that_fails_fails_the_run(tmp_path: Path, corpus: Corpus) -> None:
    config = tmp_path / "language-models.toml"
    config.write_text(SMALL.format(epochs=1))
    models = tmp_path / "language-models"
    models.write_text("a file where a folder should be")
    with pytest.raises(ReeltoneError, match="not trained to its end"):
        language_models.main(
            [str(config), f"--data-dir={tmp_path / 'data'}", f"--model-dir={models}"]
        )


def test_a_classifier_of_other_sizes_than_its_language_models_is_refused(
    tmp_path: Path, corpus: Corpus
) -> None:
    run(tmp_path, "forward", epochs=1)
    run(tmp_path, "backward", epochs=1)
    arguments = [
        "forward-teacher-1",
        f"--data-dir={tmp_path / 'data'}",
        f"--model-dir={tmp_path / 'forward'}",
    ]
    with pytest.raises(ConfigError, match="Give all stages the same sizes"):
        classifier.main([*arguments, f"--checkpoint-dir={tmp_path}", "--dev-reviews=8"])


def test_training_a_classifier_trains_its_missing_language_models_first(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(language_models, "main", asked.append)
    arguments = [
        "forward-teacher-1",
        f"--data-dir={tmp_path / 'data'}",
        f"--model-dir={tmp_path / 'forward'}",
    ]
    with pytest.raises(FileNotFoundError):
        classifier.main([*arguments, f"--checkpoint-dir={tmp_path}", "--dev-reviews=8"])
    assert [name for name, *_ in asked] == ["language-models"]
    assert f"--model-dir={tmp_path / 'language-models'}" in asked[0]
