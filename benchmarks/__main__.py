"""Measure Reeltone on this machine, and write docs/benchmarks.md: make bench

Each part's figures are kept in docs/benchmarks.json; the page and its plots are made of all
that is there, so a long part need not be repeated with the others.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from benchmarks import answers, attack, cold_start, cost, distilbert, files, load, text
from benchmarks.part import Bench, Claim, Part
from benchmarks.results import Conditions, MissingNeedError, Result, load_results, measure_part
from model_training.corpus.cache import add_data_options
from model_training.errors import ReeltoneError
from model_training.files import fill_section, run_command, table
from model_training.paths import DOCS

_MODULES = (text, answers, files, cold_start, load, attack, distilbert)
PARTS = {module.PART.name: module.PART for module in _MODULES}
"""In the page's order."""
USUAL = [part.name for part in PARTS.values() if not part.long]
PAGE, PLOTS = "benchmarks.md", "benchmarks"
Results = Mapping[str, Result]


def write_report(parts: Iterable[Part], results: Results, docs: Path) -> None:
    """Fill the page, which is made of the project's own where there is none.

    The operations guide's costs follow, where it is there.

    Raises:
        ReeltoneError: the page has lost its marks.
    """
    parts = [part for part in parts if part.name in results]
    docs.mkdir(parents=True, exist_ok=True)
    if not (docs / PAGE).exists():
        shutil.copyfile(DOCS / PAGE, docs / PAGE)
    fill_section(docs / PAGE, "benchmarks", write_page(parts, results))
    for part in parts:
        if part.draw:
            (docs / PLOTS).mkdir(exist_ok=True)
            part.draw(docs / PLOTS / f"{part.name}.svg", results[part.name].figures)
    cost.fill_guide(results, docs)


def write_page(parts: Iterable[Part], results: Results) -> str:
    """Write everything between the page's marks."""
    shown = [part for part in parts if part.name in results]
    if not shown:
        return "Nothing has been measured yet."
    texts = [summarise(shown, results)]
    texts += [show(part, results[part.name]) for part in shown]
    return "\n\n".join(texts)


def summarise(parts: Iterable[Part], results: Results) -> str:
    """Summarise the ratios, each with its goal where there is one."""
    claims: list[Claim] = []
    for part in parts:
        claims += part.claim(results[part.name].figures)
    return table(("what", "measured", "goal"), [claim.row() for claim in claims])


def show(part: Part, result: Result) -> str:
    """Give one part: title, table, plot, conditions."""
    lines = [f"## {part.title}", "", part.write(result.figures), ""]
    if part.draw:
        lines += [f"![{part.title}]({PLOTS}/{part.name}.svg)", ""]
    return "\n".join([*lines, describe(part.name, result.conditions)])


def describe(part: str, conditions: Conditions) -> str:
    """Where, when and with what a part was measured."""
    before, after = conditions.load
    versions = ", ".join(f"{name} {version}" for name, version in conditions.versions.items())
    return (
        f"*`make bench ARGS={part}`, {conditions.when}: {conditions.machine}, {conditions.system}; "
        f"load average {before:g} before, {after:g} after {conditions.seconds:,.0f} s; "
        f"{', '.join(conditions.models.values())}; {versions}.*"
    )


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
    """Choose the parts that are asked for."""
    if names == ["report"]:
        return []
    if "all" in names or (quick and not names):
        return list(PARTS)
    return names or USUAL


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
