"""Score a finished bundle on the 25,000 test reviews, and write the result into it.

    python -m model_training.evaluate model_training/bundle/modern --archive aclImdb_v1.tar.gz

This is the only file that reads the test split. It is for finished models: whatever is chosen, is
chosen on dev.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from model_training.bundle import read_manifest, write_json
from model_training.data import Corpus, add_data_options, prepare_corpus
from model_training.errors import ReeltoneError
from model_training.export import score_split
from model_training.files import run_command
from model_training.inference import Model, model_fn
from model_training.metrics import score


def evaluate_bundle(model: Model, corpus: Corpus) -> dict[str, float | str]:
    """The metrics of a bundle on the test split, through the code that serves it."""
    test = corpus.encoded("test", model.vocabulary)
    return {"split": "test", **score(score_split(model, test), test.labels, model.temperature)}


def main(arguments: list[str] | None = None) -> None:
    """Print the test metrics; with ``--write``, put them into the bundle's metrics.json."""
    parser = argparse.ArgumentParser(
        prog="model_training.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle", type=Path)
    add_data_options(parser)
    parser.add_argument("--write", action="store_true", help="update the bundle's metrics.json")
    options = parser.parse_args(arguments)
    manifest = read_manifest(options.bundle)
    corpus = prepare_corpus(options.data_dir, options.archive)
    metrics = evaluate_bundle(model_fn(str(options.bundle)), corpus)
    print(json.dumps({"version": manifest["version"], **metrics}, indent=2))
    if options.write:
        write_json(options.bundle / "metrics.json", metrics)


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
