"""A language model: an LSTM that guesses each next word from the words before it.

Its windows are those of the classifier: the LSTM starts each from nothing and reads
``TextSettings.window`` tokens, so what it learns is what the classifier can use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from model_training.config import PretrainingConfig
from model_training.data import Encoded
from review_text import NO_WORD

Direction = Literal["forward", "backward"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

_NOISE_POWER = 0.75  # of word counts: rare words are drawn more often than they occur
_NEVER = -1e4  # a logit that takes no part

# N windows, L tokens a window, V entries of the vocabulary, K negatives, E embedding size.


class LanguageModel(nn.Module):
    """An LSTM whose next word is looked up in the same vectors that it reads."""

    def __init__(self, config: PretrainingConfig, counts: npt.NDArray[np.int64]) -> None:
        """``counts`` [V]: how often each entry occurs in the reviews."""
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(len(counts), config.embedding_size, padding_idx=NO_WORD)
        with torch.no_grad():
            self.embedding.weight.normal_(std=0.05)[NO_WORD] = 0.0
        self.lstm = nn.LSTM(config.embedding_size, config.hidden_size, batch_first=True)
        self.projection = nn.Linear(config.hidden_size, config.embedding_size)
        shares = torch.from_numpy(np.maximum(counts, 1) / counts.sum())
        self.bias = nn.Parameter(shares.log().float())
        noise = torch.from_numpy(counts.astype(np.float64) ** _NOISE_POWER)
        noise[NO_WORD] = 0.0
        noise = (noise / noise.sum()).float()
        self.register_buffer("noise", noise, persistent=False)
        # A word drawn often as a negative must not look unlikely for that: Jean et al., 2015.
        expected = (noise * config.negatives).clamp(min=1e-12).log()
        self.register_buffer("log_expected", expected, persistent=False)

    def forward(self, words: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """The loss of telling ``following`` [N, L], after ``words`` [N, L], from the negatives.

        Positions whose next entry is ``NO_WORD`` (a review's end) are left out.
        """
        noise, log_expected = self.get_buffer("noise"), self.get_buffer("log_expected")
        negatives = torch.multinomial(noise, self.config.negatives, replacement=True)
        guesses, targets = self._guesses(words), following.reshape(-1).long()  # [N·L, E], [N·L]
        true = (guesses * self.embedding(targets).to(guesses.dtype)).sum(1, dtype=torch.float32)
        true = true + self.bias[targets] - log_expected[targets]
        offsets = self.bias[negatives] - log_expected[negatives]
        others = guesses @ self.embedding(negatives).to(guesses.dtype).T  # [N·L, K]
        others = others + offsets.to(others.dtype)
        others = others.masked_fill(targets[:, None] == negatives, _NEVER)
        rivals = torch.logsumexp(others.float(), 1)
        losses = nn.functional.softplus(rivals - true)
        kept = targets != NO_WORD
        return losses[kept].mean()

    def full_losses(self, words: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """[positions that count] losses against the whole vocabulary, in nats a token."""
        guesses, targets = self._guesses(words), following.reshape(-1).long()
        logits = guesses @ self.embedding.weight.to(guesses.dtype).T + self.bias
        losses = nn.functional.cross_entropy(logits.float(), targets, reduction="none")
        return losses[targets != NO_WORD]

    def _guesses(self, words: torch.Tensor) -> torch.Tensor:
        """[N·L, E]: the vector that each next word is expected near."""
        vectors = self.embedding(words.long())
        rate = self.config.embedding_dropout
        if self.training and rate:
            kept = torch.rand(len(words), 1, vectors.shape[2], device=words.device) >= rate
            vectors = vectors * (kept.float() / (1 - rate))
        if torch.is_autocast_enabled(vectors.device.type):
            vectors = vectors.to(torch.get_autocast_dtype(vectors.device.type))
        states = self.lstm(vectors)[0].reshape(-1, self.config.hidden_size)
        states = nn.functional.dropout(states, self.config.dropout, self.training)
        guesses: torch.Tensor = self.projection(states)
        return guesses


class Stream:
    """Reviews one after the other, cut into windows wherever they fall: other cuts each epoch."""

    def __init__(self, splits: Sequence[Encoded], direction: Direction, window: int) -> None:
        self._splits, self._window = splits, window
        self._backward = direction == "backward"
        self._reviews = [
            (part, row) for part, split in enumerate(splits) for row in range(len(split))
        ]

    @property
    def windows(self) -> int:
        """Whole windows in an epoch."""
        tokens = sum(len(split.ids) + len(split) for split in self._splits)
        return (tokens - 1 - self._window) // self._window

    def epoch(self, seed: int, epoch: int) -> npt.NDArray[np.uint16]:
        """[windows, L + 1]: each window with the entry that follows it, in random order."""
        random = np.random.default_rng((seed, epoch))
        pieces: list[npt.NDArray[np.uint16]] = [np.zeros(0, np.uint16)]
        end = np.array([NO_WORD], np.uint16)
        for index in random.permutation(len(self._reviews)):
            part, row = self._reviews[index]
            review = self._splits[part][row]
            pieces += [review[::-1] if self._backward else review, end]
        tokens = np.concatenate(pieces)
        starts = random.integers(self._window) + self._window * random.permutation(self.windows)
        windows: npt.NDArray[np.uint16] = tokens[starts[:, None] + np.arange(self._window + 1)]
        return windows
