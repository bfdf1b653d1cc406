"""The LSTM, in PyTorch: one class for the classic model and the shipped one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from model_training.networks.batches import Batch
from model_training.recipes.settings import DIRECTIONS, ClassifierSettings
from review_text import INFREQUENT, NO_WORD

# N windows, L tokens a window, R reviews, E embedding size, H hidden size, D directions,
# F features = H for the last state, 2·D·H for maximum and mean of all states.


class Reader(nn.Module):
    """One reading direction: word vectors of its own, and the LSTM that reads them."""

    def __init__(self, config: ClassifierSettings, entries: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(entries, config.embedding_size, padding_idx=NO_WORD)
        self.lstm = nn.LSTM(config.embedding_size, config.hidden_size)


class ReviewLSTM(nn.Module):
    """Reviews, cut into windows, to one logit each.

    The LSTM reads each window by itself. ``last`` takes the state after the last word;
    ``max+mean`` takes maximum and mean of the states at all words of all windows of a review
    (concat pooling: Howard and Ruder, 2018, there with the last state besides).
    The output layer is linear, so that the logit can be divided among the words exactly.
    """

    def __init__(self, config: ClassifierSettings, entries: int) -> None:
        super().__init__()
        self.config = config
        directions = len(config.directions)
        self.readers = nn.ModuleList(Reader(config, entries) for _ in range(directions))
        pooled = directions * (2 if config.pooling == "max+mean" else 1)
        self.output = nn.Linear(pooled * config.hidden_size, 1)

    @property
    def directions(self) -> list[Reader]:
        """The readers, in the order of the settings."""
        return [cast("Reader", reader) for reader in self.readers]

    def forward(
        self,
        batch: Batch,
        shifts: Sequence[torch.Tensor] | None = None,
        vectors: list[torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """Give [R] logits.

        Args:
            batch: the reviews.
            shifts: for each direction [L, N, E], added to the word vectors that the LSTM reads.
            vectors: is given the word vectors that the LSTMs read, to ask for their gradients.
        """
        both = dict(zip(DIRECTIONS, self._drop_words(batch), strict=True))
        words = [both[name] for name in self.config.directions]
        scale = self._embedding_mask(batch)
        pooled = []
        for number, (reader, ids) in enumerate(zip(self.directions, words, strict=True)):
            # All windows' first words, then all second ones: so the LSTM copies nothing.
            read = reader.embedding(ids.T)  # [L, N, E]
            if scale is not None:
                read = read * scale
            if shifts is not None:
                read = read + shifts[number]
            if vectors is not None:
                vectors.append(read)
            if torch.is_autocast_enabled(read.device.type):
                read = read.to(torch.get_autocast_dtype(read.device.type))
            states, _ = reader.lstm(read)  # [L, N, H]
            pooled.append(self._pool(states, batch))
        features = torch.cat([part for parts in zip(*pooled, strict=True) for part in parts], 1)
        features = nn.functional.dropout(features, self.config.dropout, self.training)  # [R, F]
        logits: torch.Tensor = self.output(features).float().squeeze(1)
        return logits

    def _pool(self, states: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, ...]:
        """[R, H] for each kind of pooling. Where a state is read from does not matter to it, so
        the backward LSTM's states need not be put back into the order of the text."""
        if self.config.pooling == "last":
            last = (batch.lengths - 1).clamp(min=0)
            kept = batch.lengths > 0
            rows = torch.arange(states.shape[1], device=states.device)
            return (states[last, rows].float()[kept],)
        count = len(batch.labels)
        steps = torch.arange(len(states), device=states.device)
        is_word = (steps[:, None] < batch.lengths)[..., None]  # [L, N, 1]
        # Not amax: its gradient is shared out among equal states, and goes over all of them again.
        inside = states.masked_fill(~is_word, -torch.inf).max(0).values.float()  # [N, H]
        sums = (states * is_word).sum(0, dtype=torch.float32)  # [N, H]
        owner = batch.reviews[:, None].expand_as(inside)
        highest = torch.full((count, inside.shape[1]), -torch.inf, device=states.device)
        highest = highest.scatter_reduce(0, owner, inside, "amax")
        total = torch.zeros_like(highest).index_add(0, batch.reviews, sums)
        words = torch.zeros(count, device=states.device).index_add(
            0, batch.reviews, batch.lengths.float()
        )
        return highest, total / words[:, None]

    def _drop_words(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """The ids, both ways, with some words made infrequent: the same ones in both."""
        rate = self.config.word_dropout
        if not self.training or rate == 0:
            return batch.ids, batch.reversed_ids
        dropped = torch.rand(batch.ids.shape, device=batch.ids.device) < rate
        steps = torch.arange(batch.ids.shape[1], device=batch.ids.device)
        mirrored = (batch.lengths[:, None] - 1 - steps).clamp(min=0)
        forward = torch.where(dropped & (batch.ids != NO_WORD), INFREQUENT, batch.ids)
        backward_dropped = dropped.gather(1, mirrored) & (batch.reversed_ids != NO_WORD)
        return forward, torch.where(backward_dropped, INFREQUENT, batch.reversed_ids)

    def _embedding_mask(self, batch: Batch) -> torch.Tensor | None:
        """[N, E]: which vector entries a review keeps, scaled up; None where all are kept."""
        rate = self.config.embedding_dropout
        if not self.training or rate == 0:
            return None
        kept = torch.rand(len(batch.labels), self.config.embedding_size, device=batch.ids.device)
        return ((kept >= rate).float() / (1 - rate))[batch.reviews]
