"""Scores film reviews on the command line: reeltone score, explain, serve"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from model_training.errors import BundleError
from model_training.files import run_command
from model_training.paths import SHIPPED
from model_training.serving.bundle import read_bundle
from reeltone.files import FORMATS, FileError, Source, Writer, find_format, open_source
from reeltone.model import Reeltone, ReviewError
from reeltone.scoring import Checkpoints, Count, Progress, Workers, score_file, score_to
from reeltone.stack import Stack, StackError

_FOR = (22, 28, 34)
"""Numbers among the 256 colours, from a little to much."""
_AGAINST = (94, 130, 166)
_STRONG, _LITTLE = 0.5, 0.08
"""Shares of the strongest effect in the review; a word with less than a little is left plain."""
_LISTED = 5


def show_explanation(review: str, answer: dict[str, Any], in_colour: bool) -> str:
    """Show an answer of the API with reasons. A word's effect is how much the logit loses without
    it; above 0 it speaks for the film."""
    words: list[dict[str, Any]] = answer["words"]
    # A review is shown, not obeyed: it may hold what a terminal takes for a command.
    review = "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in review)
    head = f"{answer['verdict']}: {answer['sentiment']} with {answer['confidence']:.1%}"
    text = _colour(review, words) if in_colour else review
    lines = [head, "", text, ""]
    for name, sign in (("for the film", 1), ("against it", -1)):
        strongest = _pick(words, sign)
        if strongest:
            shown = (
                f"{review[word['start'] : word['end']]} {word['effect']:+.2f}" for word in strongest
            )
            lines.append(f"{name}: {', '.join(shown)}")
    if answer["truncated"]:
        lines.append("The review is longer than what the model reads: its middle was left out.")
    return "\n".join(lines)


def _pick(words: Sequence[dict[str, Any]], sign: int) -> list[dict[str, Any]]:
    ours = [word for word in words if word["effect"] * sign > 0.005]
    return sorted(ours, key=lambda word: -abs(word["effect"]))[:_LISTED]


def _colour(review: str, words: Sequence[dict[str, Any]]) -> str:
    most = max((abs(word["effect"]) for word in words), default=0.0)
    parts, at = [], 0
    for word in words:
        share = abs(word["effect"]) / most if most else 0.0
        start = max(at, word["start"])  # several tokens may stand in one place
        parts.append(review[at:start])
        piece, at = review[start : word["end"]], max(at, word["end"])
        colours = _FOR if word["effect"] > 0 else _AGAINST
        level = (share >= _LITTLE) + (share >= 0.25) + (share >= _STRONG)
        if level and piece:
            piece = f"\x1b[97;48;5;{colours[level - 1]}m{piece}\x1b[0m"
        parts.append(piece)
    return "".join(parts) + review[at:]


EXPECTED = (FileError, StackError, BundleError, ReviewError, OSError, BrokenProcessPool)


class CommandError(Exception):
    """An expected error, with a message for the person at the keyboard."""


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Give options from command-line arguments; ends the process on wrong ones."""
    parser = argparse.ArgumentParser(prog="reeltone", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    asked = argparse.ArgumentParser(add_help=False)
    model = asked.add_mutually_exclusive_group()
    model.add_argument("--endpoint", metavar="URL", help="ask a deployed stack instead")
    model.add_argument("--bundle", type=Path, help="another model's folder")
    score = commands.add_parser(
        "score",
        parents=[asked],
        help="score a file of reviews",
        description="Adds sentiment, probability, confidence, verdict, truncated and problem to "
        "each row. Where it was interrupted, the same command goes on.",
    )
    score.add_argument("file", help="CSV, TSV, JSON Lines, JSON or Parquet; - is standard input")
    score.add_argument("--column", help="name of the one with the reviews")
    score.add_argument("-o", "--output", default="-", help=".csv, .tsv or .jsonl; default: stdout")
    score.add_argument("--format", choices=FORMATS, help="of the input, where its name says none")
    score.add_argument("--cores", type=_count, help="default: all; of a stack: requests at a time")
    explain = commands.add_parser(
        "explain",
        parents=[asked],
        help="say why, word by word",
    )
    explain.add_argument("review", help="the text; - is standard input")
    commands.add_parser("serve", help="start website and API, as make run does", add_help=False)
    options, others = parser.parse_known_args(arguments)
    if others and options.command != "serve":
        parser.error(f"unknown: {' '.join(others)}")
    options.others = others
    return options


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("use a number from 1")
    return int(text)


def score(options: argparse.Namespace) -> None:
    """Score a file of reviews."""
    stack = Stack(options.endpoint) if options.endpoint else None
    form = find_format(options.file, options.format)
    with open_source(options.file, form, options.column) as source:
        if source.notice:
            print(f"{options.file}: {source.notice}", file=sys.stderr)
        if options.output == "-":
            _score_to_stdout(options, stack, form, source)
        else:
            _score_to_file(options, stack, source)


def _score_to_stdout(
    options: argparse.Namespace, stack: Stack | None, form: str, source: Source
) -> None:
    writer = Writer(sys.stdout, form if form in ("tsv", "jsonl") else "csv", source.names)
    writer.begin()
    with Workers(stack, options.bundle, options.cores) as workers:
        score_to(writer, source, workers, lambda _: sys.stdout.flush(), Count())


def _score_to_file(options: argparse.Namespace, stack: Stack | None, source: Source) -> None:
    if options.file != "-":
        _refuse_same(options.file, options.output)
    form = find_format(options.output, None)
    checkpoints = Checkpoints(Path(options.output), _describe(options, stack, form))
    progress = Progress()
    try:
        with Workers(stack, options.bundle, options.cores) as workers:
            count, before = score_file(source, form, workers, checkpoints, progress)
    finally:
        progress.end()
    _report(count, before, options.output)


def _refuse_same(file: str, output: str) -> None:
    if Path(output).exists() and os.path.samefile(file, output):
        raise FileError(f"{output} is the file that is read: choose another --output")


def _describe(options: argparse.Namespace, stack: Stack | None, written: str) -> dict[str, Any]:
    """What the rows of an output are made of: a run that goes on must make the same."""
    if stack is not None:
        version = stack.version
    else:
        version = read_bundle(options.bundle or SHIPPED).manifest.version
    read = None
    if options.file != "-":
        found = os.stat(options.file)
        read = [os.path.abspath(options.file), found.st_size, found.st_mtime_ns]
    # Standard input can't be read again, so nothing is like it.
    return {
        "input": read or os.urandom(8).hex(),
        "column": options.column,
        "format": [options.format, written],
        "model": version,
    }


def _report(count: Count, before: int, output: str) -> None:
    print(f"{count.rows:,} rows in {output}", end="", file=sys.stderr)
    if before:
        print(f", {before:,} of them from an earlier run", end="", file=sys.stderr)
    if count.problems:
        print(
            f"; {count.problems:,} have no answer: see the column problem", end="", file=sys.stderr
        )
    print(file=sys.stderr)


def explain(options: argparse.Namespace) -> None:
    """Show a review with what its words do to the answer."""
    review = sys.stdin.read().rstrip("\n") if options.review == "-" else options.review
    if options.endpoint:
        answer = Stack(options.endpoint).explain(review)
    else:
        answer = Reeltone(options.bundle).explain(review).to_dict()
    print(show_explanation(review, answer, sys.stdout.isatty() and "NO_COLOR" not in os.environ))


def serve(options: argparse.Namespace) -> None:
    """Start website and API on this machine."""
    try:
        from local_stack.__main__ import main as run_stack
    except ImportError as error:
        raise FileError(
            f'serve needs more packages ({error.name} is missing): pip install "reeltone[run]"'
        ) from None
    sys.exit(run_stack(options.others))


def main(arguments: list[str]) -> None:
    """Run a command.

    Raises:
        CommandError: it can't be done; the message says why.
    """
    options = parse_options(arguments)
    try:
        {"score": score, "explain": explain, "serve": serve}[options.command](options)
    except BrokenPipeError:
        raise
    except EXPECTED as error:
        raise CommandError(str(error) or type(error).__name__) from error


def run() -> None:
    """Run the command line."""
    run_command(main, CommandError, sys.argv[1:])


if __name__ == "__main__":
    run()
