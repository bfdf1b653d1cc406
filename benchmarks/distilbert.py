"""The time that DistilBERT takes for one review: python -m benchmarks.distilbert

Its shape with random weights, in PyTorch on one thread: what the weights are does not change how
long it takes. Source of the shape: Sanh et al., DistilBERT, 2019 (distilbert-base-uncased).
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from statistics import median

import torch

from model_training.errors import ReeltoneError
from model_training.files import run_command

TOKENS = 300  # word pieces of a review of 230 words
LAYERS, WIDTH, HEADS, INNER = 6, 768, 12, 3072
RUNS = 15


def make_encoder() -> torch.nn.Module:
    """DistilBERT's six layers, without its embeddings, which are a table to look into."""
    layer = torch.nn.TransformerEncoderLayer(
        WIDTH, HEADS, INNER, activation="gelu", batch_first=True
    )
    return torch.nn.TransformerEncoder(layer, LAYERS).eval()


def milliseconds(runs: int = RUNS) -> float:
    """Median processor time of one review, after two that warm up."""
    torch.set_num_threads(1)
    encoder, times = make_encoder(), []
    tokens = torch.randn(1, TOKENS, WIDTH)  # [review, token, width]
    with torch.inference_mode():
        for _ in range(runs + 2):
            started = time.process_time()
            encoder(tokens)
            times.append(1000 * (time.process_time() - started))
    return median(times[2:])


def main(arguments: list[str]) -> None:
    """Print what was measured."""
    ArgumentParser(prog="python -m benchmarks.distilbert", description=__doc__).parse_args(
        arguments
    )
    print(f"DistilBERT, {TOKENS} tokens, one thread: {milliseconds():.0f} ms")


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
