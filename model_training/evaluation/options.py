"""What the programs that measure bundles are told."""

from __future__ import annotations

import argparse
from pathlib import Path

from model_training.corpus.cache import add_data_options
from model_training.paths import RUNS


def bundles_parser(program: str, description: str | None) -> argparse.ArgumentParser:
    """Make a parser for bundles, the data, and the folder where results are kept."""
    parser = argparse.ArgumentParser(
        prog=program,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundles", type=Path, nargs="+", metavar="bundle")
    add_data_options(parser)
    parser.add_argument("--runs", type=Path, default=RUNS, help="default: %(default)s")
    return parser
