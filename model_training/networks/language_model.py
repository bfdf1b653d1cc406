"""A language model: an LSTM that guesses each next word from the words before it.

Its windows are those of the classifier: the LSTM starts each from nothing and reads
``TextSettings.window`` tokens, so what it learns is what the classifier can use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from model_training.corpus.reviews import Encoded
from model_training.recipes.settings import Direction, LanguageModelSettings
from review_text import NO_WORD

_BLOCK = 512
"""Positions at a time: with 1,024 negatives, 2 MB in fp32."""

# P positions, K negatives, E vector size.


class SampledSoftmax(torch.autograd.Function):
    """The mean cross-entropy of each position's own word among the negatives (Jean et al., 2015).

    A negative that is a position's own word takes no part there.
    """

    @staticmethod
    def forward(
        ctx: Any,
        guesses: torch.Tensor,
        own: torch.Tensor,
        own_offsets: torch.Tensor,
        others: torch.Tensor,
        other_offsets: torch.Tensor,
        same: tuple[torch.Tensor, torch.Tensor],
        weights: torch.Tensor,
    ) -> torch.Tensor:
        """Give the loss, in nats.

        Args:
            ctx: keeps the gradients.
            guesses: [P, E] what each position expects; its type is the arithmetic's.
            own: [P, E] the vector of the word that came.
            own_offsets: [P] fp32, added to its logit.
            others: [K, E] the negatives' vectors.
            other_offsets: [K] fp32, added to their logits.
            same: the ids of the words that came [P] and of the negatives [K].
            weights: [P] fp32, what each position counts.
        """
        kind = guesses.dtype
        own, low_others = own.to(kind), others.to(kind)
        of_guesses, of_own = torch.empty_like(guesses), torch.empty_like(own)
        of_own_offsets = torch.empty_like(own_offsets)
        of_others = torch.zeros_like(others, dtype=torch.float32)
        of_other_offsets = torch.zeros_like(other_offsets)
        loss = torch.zeros((), device=guesses.device)
        for start in range(0, len(guesses), _BLOCK):
            part = slice(start, start + _BLOCK)
            guess, vectors, weight = guesses[part], own[part], weights[part]
            mine = (guess * vectors).sum(1, dtype=torch.float32) + own_offsets[part]  # [B]
            rivals = (guess @ low_others.T).float().add_(other_offsets)  # [B, K]
            rivals.masked_fill_(same[0][part, None] == same[1], -torch.inf)
            highest = rivals.amax(1, keepdim=True).clamp_(min=-1e4)
            total = rivals.sub_(highest).exp_().sum(1)
            behind = highest.squeeze(1) + total.log() - mine
            loss += (nn.functional.softplus(behind) * weight).sum()
            slope = behind.sigmoid() * weight  # of the loss, by the rivals' part
            rivals.mul_((slope / total.clamp(min=1e-30))[:, None])
            low_rivals, low_slope = rivals.to(kind), slope.to(kind)[:, None]
            torch.mm(low_rivals, low_others, out=of_guesses[part])
            of_guesses[part].addcmul_(low_slope, vectors, value=-1)
            torch.mul(guess, -low_slope, out=of_own[part])
            of_own_offsets[part] = -slope
            of_others += low_rivals.T @ guess
            of_other_offsets += rivals.sum(0)
        ctx.save_for_backward(of_guesses, of_own, of_own_offsets, of_others, of_other_offsets)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Give the gradients of all that vectors and offsets are computed from."""
        scaled = [gradient * gradients[0].to(gradient.dtype) for gradient in ctx.saved_tensors]
        return *scaled, None, None


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
