"""The transformer that teaches, in a size for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from model_training.networks.transformer import Reader, ReviewTransformer, plan_batches, score_texts
from tests.unit.model_training.tiny_transformer import make_tiny_transformer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    return make_tiny_transformer(tmp_path_factory.mktemp("transformer"))


TEXTS = ["the film is good .", "bad", "the film is not very good and not fine .<br />dull ."]


def test_a_text_has_one_logit_whatever_is_read_beside_it(folder: Path) -> None:
    model, reader = ReviewTransformer(folder, 1), Reader(folder, 20)
    together = score_texts(model, reader, TEXTS)
    alone = [score_texts(model, reader, [text])[0] for text in TEXTS]
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert len(set(together.tolist())) == len(TEXTS)


def test_only_the_upper_layers_and_the_output_learn(folder: Path) -> None:
    model = ReviewTransformer(folder, 1)
    learning = {name for name, each in model.named_parameters() if each.requires_grad}
    assert {"output.weight", "output.bias"} < learning
    assert all("output" in name or "encoder.layer.1." in name for name in learning)
    assert len(list(model.learning.parameters())) == len(learning)


def test_of_a_long_text_both_ends_are_read(folder: Path) -> None:
    reader = Reader(folder, 6)
    [ids] = reader.encode(["the film is not good bad very and a dull fine"])
    [whole] = Reader(folder, 99).encode(["the film is not good bad very and a dull fine"])
    assert ids == whole[:3] + whole[-3:]
    assert reader.encode([]) == []


def test_batches_hold_each_text_once_and_no_more_tokens_than_they_may() -> None:
    lengths = np.random.default_rng(1).integers(1, 60, 2_000).tolist()
    batches = plan_batches(lengths, 256, np.random.default_rng(2))
    assert sorted(row for batch in batches for row in batch) == list(range(2_000))
    widest = [max(-(-lengths[row] // 16) * 16 for row in batch) for batch in batches]
    assert max(len(batch) * width for batch, width in zip(batches, widest, strict=True)) <= 256
