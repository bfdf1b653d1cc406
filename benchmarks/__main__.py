"""Measure Reeltone on this machine, and write docs/benchmarks.md: make bench

Each part's figures are kept in benchmarks/results; the page and its plots are made of all that is
there, so a long part need not be repeated with the others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from benchmarks import (
    answers,
    batch,
    cold_start,
    limit,
    load,
    million,
    peers,
    start,
    text,
)
from benchmarks.report import write_report
from benchmarks.results import RESULTS, Figures, MissingNeedError, load_results, measure_part
from benchmarks.reviews import Source, from_corpus, made_up
from model_training.corpus.cache import add_data_options, prepare_corpus
from model_training.errors import ReeltoneError
from model_training.files import run_command
from model_training.paths import DOCS


@dataclass(frozen=True)
class Bench:
    """What a run measures with."""

    data_dir: Path
    archive: Path | None
    quick: bool
    reviews: int
    """Of the part ``million``."""
    seconds: float
    """Of each number of users of the part ``load``."""

    @cached_property
    def source(self) -> Source:
        """The reviews; the data set is only read when a part asks for them."""
        return made_up() if self.quick else from_corpus(prepare_corpus(self.data_dir, self.archive))


PARTS: dict[str, Callable[[Bench], Figures]] = {
    "text": lambda bench: text.measure(bench.source, bench.quick),
    "answers": lambda bench: answers.measure(bench.source, bench.quick),
    "limit": lambda bench: limit.measure(bench.source, bench.quick),
    "batch": lambda bench: batch.measure(bench.source, bench.quick),
    "start": lambda bench: start.measure(bench.source, bench.quick),
    "peers": lambda bench: peers.measure(bench.source, bench.quick),
    "cold-start": lambda bench: cold_start.measure(bench.quick),
    "load": lambda bench: load.measure(bench.source, bench.quick, seconds=bench.seconds),
    "million": lambda bench: million.measure(bench.source, bench.reviews, bench.quick),
}
USUAL = ("text", "answers", "limit", "batch", "start", "peers")
"""What is measured where no part is named: some ten minutes. The others take longer, or Docker."""


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts, keep their figures, write the page."""
    options = parse_options(sys.argv[1:] if arguments is None else arguments)
    bench = Bench(
        options.data_dir, options.archive, options.quick, options.reviews, options.seconds
    )
    for part in options.parts:
        print(f"{part} ...", flush=True)
        try:
            result = measure_part(part, partial(PARTS[part], bench))
        except MissingNeedError as error:
            print(f"{part}: skipped, {error}", file=sys.stderr)
            continue
        result.save(options.results)
        print(f"{part}: {result.conditions.seconds:.0f} s", flush=True)
    write_report(load_results(options.results, PARTS), options.docs)


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
        help=f"{', '.join(PARTS)}; all; report (measures nothing); default: {' '.join(USUAL)}",
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes and made-up reviews")
    parser.add_argument("--reviews", type=int, default=million.REVIEWS, help="of the part million")
    parser.add_argument("--seconds", type=float, default=load.SECONDS, help="of each load")
    parser.add_argument("--results", type=Path, default=RESULTS, help="default: %(default)s")
    parser.add_argument("--docs", type=Path, default=DOCS, help="default: %(default)s")
    options = parser.parse_args(arguments)
    options.parts = choose(options.parts, parser.error)
    if options.quick and RESULTS in (options.results, options.results.resolve()):
        parser.error("figures of a quick run mean nothing: pass --results and --docs, elsewhere")
    return options


def choose(names: list[str], fail: Callable[[str], object]) -> list[str]:
    """The parts that are asked for."""
    if names == ["report"]:
        return []
    if names == ["all"]:
        return list(PARTS)
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        fail(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return names or list(USUAL)


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
