"""Scores lines as the endpoint does, in a process that holds nothing else.

    python -m benchmarks.scorer BUNDLE SIZE < lines.jsonl

Calls the container's four functions with ``SIZE`` reviews at a time, once to warm up and then for
all lines, and prints {"seconds": processor time, "megabytes": peak memory, null where not known}.
"""

from __future__ import annotations

import json
import sys
import time

from benchmarks.timing import peak_megabytes
from model_training.serving.functions import JSON_LINES, input_fn, model_fn, output_fn, predict_fn
from model_training.serving.scorer import Model


def score(model: Model, lines: list[bytes], size: int) -> None:
    """Score all lines."""
    for start in range(0, len(lines), size):
        body = b"".join(lines[start : start + size])
        output_fn(predict_fn(input_fn(body, JSON_LINES), model), "*/*")


def main(folder: str, size: int) -> None:
    """Measure, and print what was measured."""
    lines, model = sys.stdin.buffer.readlines(), model_fn(folder)
    score(model, lines[:size], size)
    started = time.process_time()
    score(model, lines, size)
    seconds = time.process_time() - started
    print(json.dumps({"seconds": seconds, "megabytes": peak_megabytes()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
