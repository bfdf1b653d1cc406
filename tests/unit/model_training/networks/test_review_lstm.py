"""The LSTM and its batches, against a plain computation of one review at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from model_training.corpus.reviews import Encoded
from model_training.networks.batches import Batch, Batches
from model_training.networks.review_lstm import ReviewLSTM
from model_training.recipes.settings import ClassifierSettings
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
