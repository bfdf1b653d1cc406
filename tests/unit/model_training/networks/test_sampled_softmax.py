"""The sampled loss and its gradients, against PyTorch's own."""

from __future__ import annotations

import pytest
import torch

from model_training.networks import sampled_softmax
from model_training.networks.sampled_softmax import SampledSoftmax

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
    monkeypatch.setattr(sampled_softmax, "_BLOCK", block)
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
