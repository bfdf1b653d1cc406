"""A transformer that reads English, with one output: the teacher, too slow to ship.

all-mpnet-base-v2 (110 M weights, Apache 2.0), of which the upper layers learn. It serves nobody: it
labels the texts that the LSTM learns from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from torch import nn

WEIGHTS = "transformer.safetensors"
"""In the folder of a finished training: what has learned."""
_WIDTH_STEP = 16
"""Widths are rounded up to this: each new shape costs the CPU new kernels."""
_POOL_TEXTS = 600
"""So many texts in a row are sorted by length before they are put into batches."""
_SPACE = re.compile(r"(?:\s|<br />)+")

Ids = list[int]


@dataclass(frozen=True)
class Batch:
    """N texts of at most L tokens."""

    ids: torch.Tensor
    """[N, L] int64, padded."""
    mask: torch.Tensor
    """[N, L] int64: 1 where there is a token."""

    def to(self, device: torch.device) -> Batch:
        """Move the batch to another device."""
        return Batch(self.ids.to(device), self.mask.to(device))


class ReviewTransformer(nn.Module):
    """Texts to one logit each: a linear layer on the mean of the last states."""

    def __init__(self, folder: Path, frozen_layers: int) -> None:
        """``folder`` has the pre-trained weights. Above its ``frozen_layers`` they learn."""
        super().__init__()
        from transformers import MPNetModel  # 2 s, which nothing but a teacher needs

        self.body = MPNetModel.from_pretrained(  # nosec B615: a folder, verified before
            folder, add_pooling_layer=False
        )
        self.body.requires_grad_(False)
        upper = self.body.encoder.layer[frozen_layers:].requires_grad_(True)
        self.output = nn.Linear(self.body.config.hidden_size, 1)
        self.learning = nn.ModuleDict({"layers": upper, "output": self.output})
        """What learns, and so what there is to keep."""

    def forward(self, batch: Batch) -> torch.Tensor:
        """Give [N] logits."""
        states = self.body(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
        mask = batch.mask[..., None].float()
        mean = (states.float() * mask).sum(1) / mask.sum(1)
        logits: torch.Tensor = self.output(mean)[:, 0]
        return logits


class Reader:
    """Texts as the transformer's own tokens."""

    def __init__(self, folder: Path, length: int) -> None:
        """Read both ends of a text of more than ``length`` tokens."""
        from transformers import AutoTokenizer

        self._tokenizer = AutoTokenizer.from_pretrained(folder)  # nosec B615: as above
        self._tokenizer.model_max_length = 10**9  # the cut is ours, and needs no warning
        self._length = length
        self.padding: int = self._tokenizer.pad_token_id

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Give the tokens of each text."""
        if not texts:
            return []
        found = self._tokenizer([_SPACE.sub(" ", text).strip() for text in texts])["input_ids"]
        return [self._cut(ids) for ids in cast("list[Ids]", found)]

    def pad(self, rows: Sequence[Ids]) -> Batch:
        """Give texts of like length side by side."""
        width = _round_up(max(map(len, rows)))
        ids = torch.full((len(rows), width), self.padding)
        mask = torch.zeros(len(rows), width, dtype=torch.int64)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row)
            mask[number, : len(row)] = 1
        return Batch(ids, mask)

    def _cut(self, ids: Ids) -> Ids:
        if len(ids) <= self._length:
            return ids
        head = self._length // 2
        return ids[:head] + ids[head - self._length :]


def load_transformer(folder: Path, pretrained: Path) -> tuple[ReviewTransformer, Reader]:
    """Read what a finished training left in ``folder``; ``pretrained`` is what it started from."""
    settings = json.loads((folder / "run.json").read_text(encoding="utf-8"))["made_of"]["settings"]
    model = ReviewTransformer(pretrained, settings["frozen_layers"])
    model.learning.load_state_dict(load_file(folder / WEIGHTS))
    return model, Reader(pretrained, settings["length"])


def plan_batches(
    lengths: Sequence[int], tokens: int, random: np.random.Generator
) -> list[list[int]]:
    """Put rows into batches of at most ``tokens`` tokens with padding (one row may have more), in
    random order, rows of like length together."""
    order = random.permutation(len(lengths))
    batches: list[list[int]] = []
    for start in range(0, len(order), _POOL_TEXTS):
        pool = sorted(order[start : start + _POOL_TEXTS].tolist(), key=lengths.__getitem__)
        batches += _fill(pool, lengths, tokens)
    return [batches[number] for number in random.permutation(len(batches))]


def score_texts(
    model: ReviewTransformer,
    reader: Reader,
    texts: Sequence[str],
    tokens: int = 4096,
) -> npt.NDArray[np.float32]:
    """Score texts, in batches of at most ``tokens`` tokens with padding: [texts] logits."""
    rows = reader.encode(texts)
    lengths = [len(row) for row in rows]
    logits = np.zeros(len(rows), np.float32)
    model.eval()
    with torch.inference_mode():
        for batch in _fill(sorted(range(len(rows)), key=lengths.__getitem__), lengths, tokens):
            padded = reader.pad([rows[row] for row in batch]).to(model.output.weight.device)
            logits[batch] = model(padded).float().cpu().numpy()
    return logits


def _fill(order: Sequence[int], lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Cut ``order``, rows of growing length, where a batch would have more than ``tokens``."""
    batch: list[int] = []
    for row in order:
        if batch and (len(batch) + 1) * _round_up(lengths[row]) > tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _round_up(length: int) -> int:
    return -(-length // _WIDTH_STEP) * _WIDTH_STEP
