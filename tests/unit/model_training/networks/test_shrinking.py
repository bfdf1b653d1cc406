"""A smaller LSTM out of a larger one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from model_training.corpus.reviews import Encoded
from model_training.networks.review_lstm import ReviewLSTM
from model_training.networks.shrinking import shrink
from model_training.training.runs import predict_logits
from tests.small_recipes import settings_of

ENTRIES, UNITS, VECTORS = 60, 16, 12
LARGE = replace(
    settings_of("modern"),
    directions=("forward",),
    hidden_size=UNITS,
    embedding_size=VECTORS,
    batch_windows=8,
)


@pytest.fixture
def model() -> ReviewLSTM:
    torch.manual_seed(1)
    return ReviewLSTM(LARGE, ENTRIES)


def logits(model: ReviewLSTM) -> np.ndarray:
    draws = np.random.default_rng(1)
    reviews = [draws.integers(2, ENTRIES, length).astype(np.uint16) for length in (5, 40, 130, 9)]
    return predict_logits(model, Encoded.of(reviews), torch.device("cpu"))


def shrunk(model: ReviewLSTM, vectors: int, units: int) -> ReviewLSTM:
    small = ReviewLSTM(replace(LARGE, hidden_size=units, embedding_size=vectors), ENTRIES)
    small.load_state_dict(shrink(model.state_dict(), vectors, units))
    return small


def test_units_that_nothing_listens_to_are_the_ones_that_go(model: ReviewLSTM) -> None:
    deaf = [1, 4, 5, 15]
    with torch.no_grad():
        model.output.weight.view(2, UNITS)[:, deaf] = 0
        model.directions[0].lstm.get_parameter("weight_hh_l0")[:, deaf] = 0
    np.testing.assert_allclose(logits(shrunk(model, VECTORS, 12)), logits(model), atol=1e-5)


def test_vectors_are_the_same_function_with_fewer_entries_where_these_say_all(
    model: ReviewLSTM,
) -> None:
    with torch.no_grad():
        vectors = model.directions[0].embedding.weight
        vectors.copy_(vectors[:, :5] @ torch.randn(5, VECTORS))
    np.testing.assert_allclose(logits(shrunk(model, 5, UNITS)), logits(model), atol=1e-4)
    assert not shrunk(model, 5, UNITS).directions[0].embedding.weight[0].any()


def test_it_gives_up_what_matters_least(model: ReviewLSTM) -> None:
    whole = logits(model)
    errors = [np.abs(logits(shrunk(model, size, UNITS)) - whole).max() for size in (2, 8, 11, 12)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-6 < errors[0]


def test_it_makes_nothing_larger(model: ReviewLSTM) -> None:
    with pytest.raises(ValueError, match="16 units do not make 12 and 17"):
        shrink(model.state_dict(), VECTORS, 17)
