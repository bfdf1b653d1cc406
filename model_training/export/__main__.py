"""From a training run to a bundle, with the proof that they are the same model.

    .venv/bin/python -m model_training.export runs/modern           makes runs/modern/bundle
    .venv/bin/python -m model_training.export runs/modern --ship    makes the bundle that ships

The second one is what runs and is deployed from then on. The proof compares the bundle, as it is
served, with the model in PyTorch on dev reviews and on reviews of every length that the model
reads; a bundle that fails it replaces nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from model_training.corpus.cache import add_data_options, prepare_corpus
from model_training.errors import ReeltoneError
from model_training.export.bundles import export_bundle
from model_training.files import run_command
from model_training.paths import MODELS
from model_training.training.runs import read_about


def main(arguments: list[str] | None = None) -> None:
    """Export a run."""
    parser = argparse.ArgumentParser(
        prog="model_training.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="the model folder of a training run")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--bundle", type=Path, help="default: RUN/bundle")
    where.add_argument("--ship", action="store_true", help="replace the bundle that ships")
    add_data_options(parser)
    options = parser.parse_args(arguments)
    name = read_about(options.run)["name"]
    bundle = options.bundle or (MODELS / name if options.ship else options.run / "bundle")
    model = export_bundle(options.run, bundle, prepare_corpus(options.data_dir, options.archive))
    print(f"{bundle}: {model.version}")
    if bundle == options.run / "bundle":
        print(f"what ships is as it was; to ship this one: make ship MODEL={name}")


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
