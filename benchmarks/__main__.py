"""Measure Reeltone on this machine, and write docs/benchmarks.md: make bench

Each part's figures are kept in docs/benchmarks.json; the page and its plots are made of all that is
there, so a long part need not be repeated with the others.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from benchmarks import (
    answers,
    attack,
    cold_start,
    distilbert,
    files,
    load,
    text,
)
from benchmarks.part import Bench
from benchmarks.report import write_report
from benchmarks.results import MissingNeedError, load_results, measure_part
from model_training.corpus.cache import add_data_options
from model_training.errors import ReeltoneError
from model_training.files import run_command
from model_training.paths import DOCS

PARTS = {
    module.PART.name: module.PART
    for module in (
        text,
        answers,
        files,
        cold_start,
        load,
        attack,
        distilbert,
    )
}
"""In the page's order."""
USUAL = [part.name for part in PARTS.values() if not part.long]


def main(arguments: list[str]) -> None:
    """Measure the parts, keep their figures, write the page."""
    options = parse_options(arguments)
    bench = Bench(
        options.data_dir, options.archive, options.quick, options.reviews, options.seconds
    )
    for name in options.parts:
        print(f"{name} ...", flush=True)
        try:
            result = measure_part(partial(PARTS[name].measure, bench))
        except MissingNeedError as error:
            print(f"{name}: skipped, {error}", file=sys.stderr)
            continue
        result.save(options.docs, name)
        print(f"{name}: {result.conditions.seconds:.0f} s", flush=True)
    write_report(PARTS.values(), load_results(options.docs), options.docs)


def parse_options(arguments: list[str]) -> argparse.Namespace:
    """Options; a quick run keeps nothing unless it is told where."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_options(parser)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"{', '.join(PARTS)}; all; report (measures nothing); default: {' '.join(USUAL)}, "
        "or all of a quick run",
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes and made-up reviews")
    parser.add_argument("--reviews", type=int, default=Bench.reviews, help="of the part files")
    parser.add_argument("--seconds", type=float, default=Bench.seconds, help="of each load")
    parser.add_argument("--docs", type=Path, default=DOCS, help="default: %(default)s")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.parts if name not in (*PARTS, "all", "report")]
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if options.quick and options.docs.resolve() == DOCS:
        parser.error("figures of a quick run mean nothing: pass --docs, elsewhere")
    options.parts = choose(options.parts, options.quick)
    return options


def choose(names: list[str], quick: bool) -> list[str]:
    """The parts that are asked for."""
    if names == ["report"]:
        return []
    if "all" in names or (quick and not names):
        return list(PARTS)
    return names or USUAL


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
