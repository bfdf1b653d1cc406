"""How long DistilBERT takes for one review: what a larger model at the endpoint would cost.

Its shape with random weights, in PyTorch on one thread: what the weights are does not change how
long it takes. Source of the shape: Sanh et al., DistilBERT, 2019 (distilbert-base-uncased).
"""

from __future__ import annotations

import time

import torch

from benchmarks.part import Bench, Part, number
from benchmarks.results import Figures
from benchmarks.timing import median, one_core

TOKENS = 300
"""Word pieces of a review of 230 words."""
LAYERS, WIDTH, HEADS, INNER = 6, 768, 12, 3072


def make_encoder() -> torch.nn.Module:
    """Make DistilBERT's six layers, without its embeddings, which are a table to look into."""
    layer = torch.nn.TransformerEncoderLayer(
        WIDTH, HEADS, INNER, activation="gelu", batch_first=True
    )
    return torch.nn.TransformerEncoder(layer, LAYERS).eval()


def measure(bench: Bench) -> Figures:
    """Measure median milliseconds of processor time for one review, after two that warm up."""
    torch.set_num_threads(1)
    encoder, times = make_encoder(), []
    tokens = torch.randn(1, TOKENS, WIDTH)  # [review, token, width]
    with one_core(), torch.inference_mode():
        for _ in range(2 + (1 if bench.quick else 15)):
            started = time.process_time()
            encoder(tokens)
            times.append(1000 * (time.process_time() - started))
    return {"tokens": TOKENS, "milliseconds": round(median(times[2:]), 1)}


# --- What is shown --------------------------------------------------------------------------------


def write(figures: Figures) -> str:
    """Write one sentence."""
    return (
        f"A review of 230 words, {figures['tokens']} word pieces, takes a model of its shape "
        f"{number(figures['milliseconds'])} ms of one core. How fast and how accurate others are "
        "that read these reviews is in [peers.md](peers.md)."
    )


PART = Part(name="distilbert", title="DistilBERT", measure=measure, write=write)
