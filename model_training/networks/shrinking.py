"""A smaller LSTM out of a larger one of the same direction, to go on learning from there.

Of its units those stay that the output layer listens to most. Its word vectors are turned so that
the entries that matter most to these units come first, and the others are left out. It is a better
start than chance, not the same function: what is lost, the smaller one learns again.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

Weights = dict[str, torch.Tensor]

_VECTORS = "readers.0.embedding.weight"
_INPUT, _RECURRENT = "readers.0.lstm.weight_ih_l0", "readers.0.lstm.weight_hh_l0"
_BIASES = ("readers.0.lstm.bias_ih_l0", "readers.0.lstm.bias_hh_l0")
_GATES = 4


def shrink(weights: Mapping[str, torch.Tensor], embedding_size: int, hidden_size: int) -> Weights:
    """Make the weights of a classifier of one direction fit ``embedding_size`` entries a word
    vector and ``hidden_size`` units; as they are where they fit already.

    Raises:
        ValueError: they are smaller than that.
    """
    vectors, recurrent = weights[_VECTORS], weights[_RECURRENT]
    if embedding_size > vectors.shape[1] or hidden_size > recurrent.shape[1]:
        raise ValueError(
            f"{vectors.shape[1]} entries and {recurrent.shape[1]} units do not make "
            f"{embedding_size} and {hidden_size}"
        )
    small = dict(weights)
    if hidden_size < recurrent.shape[1]:
        small |= _keep_units(weights, hidden_size)
    if embedding_size < vectors.shape[1]:
        small |= _turn_vectors(vectors, small[_INPUT], embedding_size)
    return small


def _keep_units(weights: Mapping[str, torch.Tensor], count: int) -> Weights:
    heard = weights["output.weight"].reshape(-1, weights[_RECURRENT].shape[1])  # [kinds, H]
    kept = heard.abs().sum(0).topk(count).indices.sort().values
    size = len(heard[0])
    rows = torch.cat([kept + gate * size for gate in range(_GATES)])
    small = {name: weights[name][rows] for name in (_INPUT, *_BIASES)}
    return small | {
        _RECURRENT: weights[_RECURRENT][rows][:, kept],
        "output.weight": heard[:, kept].reshape(1, -1),
    }


def _turn_vectors(vectors: torch.Tensor, reading: torch.Tensor, count: int) -> Weights:
    """The best approximation of what the gates make of each word, of rank ``count``; frequent words
    count more, by Zipf's law, since a vocabulary has them first."""
    words = vectors.double().numpy()
    shares = 1 / np.sqrt(np.arange(1, len(words) + 1))[:, None]
    triangle = np.linalg.qr(words * shares, mode="r")
    made = triangle @ reading.double().numpy().T  # [E, 4H], as far apart as the words' own
    _, _, turned = np.linalg.svd(made, full_matrices=False)
    # Turned once more, at random: all entries vary alike, as one scale for their 8 bits needs it.
    mixed = np.linalg.qr(np.random.default_rng(0).normal(size=(count, count))).Q
    gates = mixed @ turned[:count]  # [count, 4H], orthonormal
    small = words @ reading.double().numpy().T @ gates.T  # [entries, count]
    # As long as the vectors were, so that what was fit for them (learning rates, noise) still is.
    scale = np.sqrt(np.mean(words**2) / np.mean(small**2))
    return {
        _VECTORS: torch.from_numpy(small * scale).float(),
        _INPUT: torch.from_numpy(gates.T / scale).float().contiguous(),
    }
