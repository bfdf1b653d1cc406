"""The LSTM, its batches and its sampled loss, against plain computations; smaller ones of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from model_training.corpus.reviews import Encoded
from model_training.networks import language_model
from model_training.networks.batches import Batch, Batches
from model_training.networks.language_model import SampledSoftmax
from model_training.networks.review_lstm import ReviewLSTM
from model_training.networks.shrinking import shrink
from model_training.recipes.settings import ClassifierSettings
from model_training.training.runs import predict_logits
from review_text import INFREQUENT, MODERN
from tests.small_recipes import settings_of

ENTRIES = 50
WINDOW = MODERN.window


def make_config(name: str) -> ClassifierSettings:
    return replace(settings_of(name), embedding_size=6, hidden_size=5, batch_windows=7)


def make_split(lengths: list[int], seed: int = 0) -> Encoded:
    random = np.random.default_rng(seed)
    ids = random.integers(1, ENTRIES, sum(lengths)).astype(np.uint16)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Encoded(ids, offsets, random.integers(0, 2, len(lengths)).astype(np.int8))


def plain_logit(model: ReviewLSTM, ids: list[int]) -> float:
    """The logit by the definition: each window alone, no padding, no batch."""
    window = model.config.text_settings.window
    states = []
    for start in range(0, len(ids), window):
        words = torch.tensor(ids[start : start + window])[:, None]  # [L, 1]
        directions = [model.directions[0].lstm(model.directions[0].embedding(words))[0]]
        if len(model.config.directions) > 1:
            backward = model.directions[1]
            directions.append(backward.lstm(backward.embedding(words.flip(0)))[0].flip(0))
        states.append(torch.cat(directions, 2)[:, 0])
    all_states = torch.cat(states)
    if model.config.pooling == "last":
        return float(model.output(all_states[-1]))
    return float(model.output(torch.cat([all_states.amax(0), all_states.mean(0)])))


@pytest.mark.parametrize("name", ["classic", "modern"])
def test_batches_give_each_review_the_logit_that_it_has_alone(name: str) -> None:
    config = make_config(name)
    most = config.text_settings.max_tokens
    edges = [WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 2 * WINDOW + 1]
    split = make_split([1, 2, *edges, most - 1, most, 7])
    torch.manual_seed(0)
    model = ReviewLSTM(config, ENTRIES).eval()
    with torch.inference_mode():
        for batch in Batches(split, config.text_settings, config.batch_windows).in_order():
            expected = [plain_logit(model, split[row].tolist()) for row in batch.rows]
            assert model(batch).numpy() == pytest.approx(expected, abs=1e-5)


def batches_of(split: Encoded, **plan: int) -> list[list[int]]:
    settings = settings_of("modern").text_settings
    return [rows.tolist() for rows in Batches(split, settings, 7).plan(**plan)]


def test_an_epoch_has_every_review_once_in_an_order_of_its_own() -> None:
    split = make_split([30, WINDOW + 6, 200, 500, 5, WINDOW, WINDOW + 1, 400] * 5)
    first = batches_of(split, seed=3, epoch=0)
    assert sorted(row for rows in first for row in rows) == list(range(40))
    assert first == batches_of(split, seed=3, epoch=0)
    assert first != batches_of(split, seed=3, epoch=1)
    assert first != batches_of(split, seed=4, epoch=0)


def test_batches_have_few_shapes_and_no_more_tokens_than_allowed() -> None:
    split = make_split([30, WINDOW + 6, 200, 400, 5, WINDOW, WINDOW + 1, 40] * 20)
    settings = settings_of("modern").text_settings
    batches = Batches(split, settings, 7)
    shapes = {tuple(batches.make(rows).ids.shape) for rows in batches.plan(seed=0)}
    assert shapes == {(21, 32), (10, 64), (7, WINDOW)}


def test_a_review_of_more_windows_than_a_batch_has_a_batch_of_its_own() -> None:
    split = make_split([512, 10])
    batches = Batches(split, settings_of("modern").text_settings, 3)
    assert sorted(len(rows) for rows in batches.plan(seed=0)) == [1, 1]


def test_reviews_without_tokens_are_left_out() -> None:
    assert batches_of(make_split([3, 0, 4])) == [[0, 2]]


def test_dropped_words_are_the_same_ones_in_both_directions() -> None:
    config = replace(make_config("modern"), word_dropout=0.5)
    model = ReviewLSTM(config, ENTRIES).train()
    split = make_split([WINDOW, 20, WINDOW + 36])
    batch: Batch = Batches(split, config.text_settings, 7).make(np.arange(3))
    torch.manual_seed(1)
    forward, backward = model._drop_words(batch)
    for row, length in enumerate(batch.lengths.tolist()):
        assert forward[row, :length].tolist() == backward[row, :length].flip(0).tolist()
        assert not forward[row, length:].any()
        assert not backward[row, length:].any()
    share = ((forward == INFREQUENT) & (batch.ids != INFREQUENT)).sum() / batch.lengths.sum()
    assert 0.35 < share < 0.65


def test_a_review_keeps_the_same_vector_entries_in_all_its_windows() -> None:
    config = replace(make_config("modern"), embedding_dropout=0.5)
    model = ReviewLSTM(config, ENTRIES).train()
    batch = Batches(make_split([2 * WINDOW + 2, 60]), config.text_settings, 7).make(np.arange(2))
    mask = model._embedding_mask(batch)
    assert mask is not None
    assert set(mask.flatten().tolist()) == {0.0, 2.0}
    assert torch.equal(mask[0], mask[1]) and torch.equal(mask[1], mask[2])
    assert model.eval()._embedding_mask(batch) is None


WORDS, UNITS, VECTORS = 60, 16, 12
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
    return ReviewLSTM(LARGE, WORDS)


def logits(model: ReviewLSTM) -> np.ndarray:
    draws = np.random.default_rng(1)
    reviews = [draws.integers(2, WORDS, length).astype(np.uint16) for length in (5, 40, 130, 9)]
    return predict_logits(model, Encoded.of(reviews), torch.device("cpu"))


def shrunk(model: ReviewLSTM, vectors: int, units: int) -> ReviewLSTM:
    small = ReviewLSTM(replace(LARGE, hidden_size=units, embedding_size=vectors), WORDS)
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


POSITIONS, NEGATIVES, SIZE = 70, 9, 4

Tensors = list[torch.Tensor]


def make_inputs(scale: float = 1.0) -> tuple[Tensors, tuple[torch.Tensor, torch.Tensor]]:
    """Guesses, own vectors and offsets, the negatives' vectors and offsets; and the ids."""
    torch.manual_seed(0)
    shapes = [(POSITIONS, SIZE), (POSITIONS, SIZE), (POSITIONS,), (NEGATIVES, SIZE), (NEGATIVES,)]
    inputs = [(torch.randn(shape) * scale).requires_grad_() for shape in shapes]
    return inputs, (torch.randint(0, 12, (POSITIONS,)), torch.randint(0, 12, (NEGATIVES,)))


def sampled_loss(
    inputs: Tensors, same: tuple[torch.Tensor, torch.Tensor], weights: torch.Tensor
) -> torch.Tensor:
    """The loss that is tested."""
    loss: torch.Tensor = SampledSoftmax.apply(*inputs, same, weights)  # type: ignore[no-untyped-call]
    return loss


def plain_loss(
    inputs: Tensors, same: tuple[torch.Tensor, torch.Tensor], weights: torch.Tensor
) -> torch.Tensor:
    """The loss by the definition."""
    guesses, own, own_offsets, others, other_offsets = inputs
    mine = (guesses * own).sum(1) + own_offsets
    rivals = (guesses @ others.T + other_offsets).masked_fill(
        same[0][:, None] == same[1], -torch.inf
    )
    logits = torch.cat([mine[:, None], rivals], 1)
    first = torch.zeros(POSITIONS, dtype=torch.long)
    losses = torch.nn.functional.cross_entropy(logits, first, reduction="none")
    return (losses * weights).sum()


@pytest.mark.parametrize("block", [16, 512])
@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_loss_and_gradients_are_those_of_the_definition(
    monkeypatch: pytest.MonkeyPatch, block: int, scale: float
) -> None:
    monkeypatch.setattr(language_model, "_BLOCK", block)
    inputs, same = make_inputs(scale)
    weights = torch.rand(POSITIONS)
    weights[3] = 0.0
    losses = []
    gradients = []
    for compute in (sampled_loss, plain_loss):
        loss = compute(inputs, same, weights)
        torch.autograd.backward(3.0 * loss)
        losses.append(loss.item())
        gradients.append([tensor.grad for tensor in inputs])
        for tensor in inputs:
            tensor.grad = None
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for found, expected in zip(*gradients, strict=True):
        assert found is not None and expected is not None
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5 * scale)


def test_a_position_whose_rivals_are_all_its_own_word_loses_nothing() -> None:
    inputs, _ = make_inputs()
    same = (torch.zeros(POSITIONS, dtype=torch.long), torch.zeros(NEGATIVES, dtype=torch.long))
    loss = sampled_loss(inputs, same, torch.ones(POSITIONS))
    torch.autograd.backward(loss)
    assert loss.item() == pytest.approx(0.0, abs=1e-6)
    for tensor in inputs:
        assert tensor.grad is not None and torch.isfinite(tensor.grad).all()
