"""The transformer's training and labelling, in a size for tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from model_training.corpus.cache import Corpus
from model_training.corpus.labelled import (
    COUNTERFACTUAL,
    SST2,
    Labelled,
    Row,
    Source,
    digest_rows,
)
from model_training.networks import transformer as network
from model_training.networks.transformer import Reader, ReviewTransformer
from model_training.training import transformer as stage
from model_training.training.transformer import (
    TransformerSettings,
    label_texts,
    main,
    train_transformer,
)
from tests.unit.model_training.tiny_transformer import make_tiny_transformer

SETTINGS = TransformerSettings(
    length=24, frozen_layers=1, batch_tokens=64, reviews=20, phrases=4, neutral=10, dev_reviews=10
)
TEXTS = ["the film is good", "bad", "a dull film , not fine", "very good", "the film", "is it"] * 4
EXAMPLES = Labelled(TEXTS, [1.0, 0.0, 0.0, 1.0, 0.5, 0.5] * 4)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    torch.manual_seed(1)
    made = make_tiny_transformer(tmp_path / "pretrained")
    digest = hashlib.sha256((made / "model.safetensors").read_bytes()).hexdigest()
    monkeypatch.setattr(network, "WEIGHTS_SHA256", digest)
    return made


def train(folder: Path, checkpoint: Path) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    model = ReviewTransformer(folder, SETTINGS.frozen_layers)
    reader = Reader(folder, SETTINGS.length)
    progress = train_transformer(SETTINGS, model, reader, EXAMPLES, checkpoint, "key")
    assert progress.step > 3
    return dict(model.learning.state_dict())


def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(folder, tmp_path / "whole.safetensors")
    monkeypatch.setattr(stage, "_CHECKPOINT_SECONDS", -1)
    real, steps = stage._step, []

    def stop_at_third(*arguments: object) -> float:
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "_step", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        train(folder, tmp_path / "stopped.safetensors")
    monkeypatch.setattr(stage, "_step", real)
    resumed = train(folder, tmp_path / "stopped.safetensors")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_shards_are_kept_for_the_teacher_and_the_texts_that_they_are_of(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_SHARD", 5)
    model, reader = ReviewTransformer(folder, 1), Reader(folder, 24)
    first = label_texts(model, reader, TEXTS, tmp_path / "labels", "texts", "one")
    assert len(first) == len(TEXTS)
    with torch.no_grad():
        model.output.bias.add_(1.0)
    again = label_texts(model, reader, TEXTS, tmp_path / "labels", "texts", "one")
    np.testing.assert_array_equal(first, again)
    other = label_texts(model, reader, TEXTS, tmp_path / "labels", "texts", "two")
    np.testing.assert_allclose(other, first + 1, atol=0.05)


def small_source(source: Source, rows: Sequence[Row], header: str, folder: Path) -> Source:
    place = folder / source.name
    place.mkdir(parents=True)
    for name in source.digests:
        text = "\n".join([header, *("\t".join(row) for row in rows)]) + "\n"
        (place / name).write_text(text)
    return replace(source, digests=dict.fromkeys(source.digests, digest_rows(rows)))


def test_the_command_trains_judges_and_labels(
    corpus: Corpus, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    pairs = [("Positive", "a good film .", "1"), ("Negative", "a bad film .", "1")]
    phrases = [("the film is n't good", "0"), ("very very fine", "1"), ("bad", "0")]
    small_pairs = small_source(COUNTERFACTUAL, pairs, "S\tT\tb", data)
    monkeypatch.setattr(stage, "COUNTERFACTUAL", small_pairs)
    monkeypatch.setattr(stage, "SST2", small_source(SST2, phrases, "s\tl", data))
    monkeypatch.setattr(stage, "TransformerSettings", lambda: SETTINGS)
    model_dir = tmp_path / "transformer"
    main([f"--data-dir={data}", f"--pretrained={folder}", f"--model-dir={model_dir}"])
    about = json.loads((model_dir / "run.json").read_text())
    assert about["dev_accuracy"].keys() == {"reviews", "counterfactual", "sentences"}
    labelled = {path.name.partition("-")[0] for path in (model_dir / "labels").iterdir()}
    assert labelled == {"counterfactual", "sst2", "edits", "sentences", "unsup", "train"}
    [weights] = (path for path in model_dir.glob("*.safetensors") if "check" not in path.name)
    made = weights.stat()
    monkeypatch.setattr(stage, "train_transformer", None)  # a finished one is not trained again
    main([f"--data-dir={data}", f"--pretrained={folder}", f"--model-dir={model_dir}"])
    assert weights.stat() == made
    monkeypatch.setattr(stage, "TransformerSettings", lambda: replace(SETTINGS, seed=2))
    with pytest.raises(TypeError):  # but one with other settings is another one
        main([f"--data-dir={data}", f"--pretrained={folder}", f"--model-dir={model_dir}"])
