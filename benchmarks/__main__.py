"""Measure text processing, answers and memory: make bench"""

from __future__ import annotations

import argparse
import os
import platform
import sys

from benchmarks import answers, text
from model_training.data import add_data_options, prepare_corpus
from model_training.errors import ReeltoneError
from model_training.files import run_command


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add_data_options(parser)
    options = parser.parse_args(arguments)
    corpus = prepare_corpus(options.data_dir, options.archive)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"| on {machine} | |\n|---|---|")
    for measure in (text.measure, answers.measure):
        for name, figure in measure(corpus):
            print(f"| {name} | {figure} |", flush=True)


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
