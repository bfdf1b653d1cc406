"""From a training run to a bundle, with the proof that they are the same model.

    python -m model_training.export runs/modern

writes model_training/models/<name>. The proof compares the bundle, as it is served, with the model
in PyTorch on dev reviews and on reviews of every length that the model reads.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from model_training.corpus.cache import add_data_options, prepare_corpus
from model_training.errors import ReeltoneError
from model_training.export.bundles import dev_split, export_bundle
from model_training.files import run_command
from model_training.paths import MODELS
from model_training.training.runs import load_run


def main(arguments: list[str] | None = None) -> None:
    """Export a run."""
    parser = argparse.ArgumentParser(
        prog="model_training.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="the model folder of a training run")
    parser.add_argument("--bundle", type=Path, help="default: model_training/models/<name>")
    add_data_options(parser)
    options = parser.parse_args(arguments)
    bundle = options.bundle or MODELS / load_run(options.run).name
    model = export_bundle(
        options.run,
        bundle,
        dev_split(prepare_corpus(options.data_dir, options.archive), options.run),
    )
    print(f"{bundle}: {model.version}")


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
