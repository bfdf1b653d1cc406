"""The loss of a language model that tells each next word apart from a sample of others.

In PyTorch's own operators, a dozen passes over a matrix of positions by negatives took half of the
time of a training step. Here a block of it is made, used and forgotten while it is in the
processor's cache, and the gradient comes out of the same pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

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
