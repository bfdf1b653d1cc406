"""A language model: an LSTM that guesses each next word from the words before it.

Its windows are those of the classifier: the LSTM starts each from nothing and reads
``TextSettings.window`` tokens, so what it learns is what the classifier can use.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from model_training.corpus.reviews import Encoded
from model_training.networks.sampled_softmax import SampledSoftmax
from model_training.recipes.settings import Direction, LanguageModelSettings
from review_text import NO_WORD

_NOISE_POWER = 0.75  # of word counts: rare words are drawn more often than they occur

# N windows, L tokens a window, V entries of the vocabulary, K negatives, E embedding size.


class LanguageModel(nn.Module):
    """An LSTM whose next word is looked up in the same vectors that it reads."""

    def __init__(self, config: LanguageModelSettings, counts: npt.NDArray[np.int64]) -> None:
        """``counts`` [V]: how often each entry occurs in the reviews."""
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(len(counts), config.embedding_size, padding_idx=NO_WORD)
        with torch.no_grad():
            self.embedding.weight.normal_(std=0.05)[NO_WORD] = 0.0
        self.lstm = nn.LSTM(config.embedding_size, config.hidden_size)
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
        """Give the loss of telling ``following`` [N, L], after ``words`` [N, L], from the
        negatives.

        Positions whose next entry is ``NO_WORD`` (a review's end) are left out.
        """
        noise, log_expected = self.get_buffer("noise"), self.get_buffer("log_expected")
        negatives = torch.multinomial(noise, self.config.negatives, replacement=True)
        # The LSTM takes all windows' first words, then all second ones.
        words, targets = words.T.long(), following.T.reshape(-1).long()  # [L, N], [L·N]
        # One lookup for all: each one costs a gradient as large as the whole table.
        rows = torch.cat([words.reshape(-1), targets, negatives])
        sizes = [len(targets), len(targets), len(negatives)]
        read, own, others = self.embedding(rows).split(sizes)
        offsets = self.bias - log_expected
        kept = (targets != NO_WORD).float()
        loss: torch.Tensor = SampledSoftmax.apply(  # type: ignore[no-untyped-call]
            self._guesses(read.view(*words.shape, -1)),
            own,
            offsets[targets],
            others,
            offsets[negatives],
            (targets, negatives),
            kept / kept.sum(),
        )
        return loss

    def full_losses(self, words: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """Give [positions that count] losses against the whole vocabulary, in nats a token."""
        targets = following.T.reshape(-1).long()
        guesses = self._guesses(self.embedding(words.T.long()))
        logits = guesses @ self.embedding.weight.to(guesses.dtype).T + self.bias
        losses = nn.functional.cross_entropy(logits.float(), targets, reduction="none")
        return losses[targets != NO_WORD]

    def _guesses(self, vectors: torch.Tensor) -> torch.Tensor:
        """[L·N, E]: the vector that each next word is expected near, after ``vectors`` [L, N, E].

        Dropout zeroes the same entries at all places of a window (Gal & Ghahramani, 2016).
        """
        vectors = self._drop(vectors, self.config.embedding_dropout)
        if torch.is_autocast_enabled(vectors.device.type):
            vectors = vectors.to(torch.get_autocast_dtype(vectors.device.type))
        states = self._drop(self.lstm(vectors)[0], self.config.dropout)
        guesses: torch.Tensor = self.projection(states.reshape(-1, self.config.hidden_size))
        return guesses

    def _drop(self, values: torch.Tensor, rate: float) -> torch.Tensor:
        if not self.training or rate == 0:
            return values
        kept = torch.rand(values.shape[1:], device=values.device) >= rate
        return values * (kept / (1 - rate)).to(values.dtype)


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
        """Give [windows, L + 1]: each window with the entry that follows it, in random order."""
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
