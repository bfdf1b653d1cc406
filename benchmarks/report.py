"""docs/benchmarks.md, of all figures that are kept: ratios first, then a part after the other."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks import cost
from benchmarks.part import Claim, Part
from benchmarks.results import Conditions, Result
from model_training.files import fill_section, table
from model_training.paths import DOCS

PAGE, PLOTS = "benchmarks.md", "benchmarks"
Results = Mapping[str, Result]


def write_report(parts: Iterable[Part], results: Results, docs: Path) -> None:
    """Fill the page, which is made of the project's own where there is none, and draw its plots.

    The operations guide's costs follow, where it is there.

    Raises:
        ReeltoneError: the page has lost its marks.
    """
    parts = [part for part in parts if part.name in results]
    docs.mkdir(parents=True, exist_ok=True)
    if not (docs / PAGE).exists():
        shutil.copyfile(DOCS / PAGE, docs / PAGE)
    for part in parts:
        if part.draw is not None:
            part.draw(docs / PLOTS / f"{part.name}.svg", results[part.name].figures)
    fill_section(docs / PAGE, "benchmarks", write_page(parts, results))
    cost.fill_guide(results, docs)


def write_page(parts: Iterable[Part], results: Results) -> str:
    """Everything between the page's marks."""
    shown = [part for part in parts if part.name in results]
    if not shown:
        return "Nothing has been measured yet."
    texts = [summarise(shown, results)]
    texts += [show(part, results[part.name]) for part in shown]
    if costs := cost.write(results):
        texts.append(costs)
    return "\n\n".join(texts)


def summarise(parts: Iterable[Part], results: Results) -> str:
    """The ratios, each with its goal where there is one."""
    claims: list[Claim] = []
    for part in parts:
        claims += part.claim(results[part.name].figures)
    return table(("what", "measured", "goal"), [claim.row() for claim in claims])


def show(part: Part, result: Result) -> str:
    """One part: title, table, plot, conditions."""
    lines = [f"## {part.title}", "", part.write(result.figures), ""]
    if part.draw is not None:
        lines += [f"![{part.caption}]({PLOTS}/{part.name}.svg)", ""]
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
