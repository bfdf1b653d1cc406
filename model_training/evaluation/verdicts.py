"""How often a model's verdicts are mixed or unclear, and how right the others are.

    .venv/bin/python -m model_training.evaluation.verdicts model_training/models/modern
    … --short 10 --sure 0.75 --unknown 0.4 --balance 0.7

On dev reviews, on the short cases of our own, and on files with a column ``text`` and perhaps one
``label`` (--texts). A better rule belongs into the model's recipe. One that does not leave dev
reviews alone is an error: at most 1 % of them unclear, and more of the others right than of all.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_training.corpus.cache import add_data_options, prepare_corpus
from model_training.errors import ReeltoneError
from model_training.evaluation.short_cases import SHORT_CASES
from model_training.files import run_command
from model_training.serving.scorer import Model, load_model
from review_text import Verdict, VerdictRule, VerdictRuleError, split_sentences

MAX_UNCLEAR = 0.01
"""Maximum share of dev reviews that a rule may call unclear: all of them are reviews."""
_PART = 100  # reviews scored at a time

Labelled = tuple[str, int | None]
"""A text, and 1 or 0 where it is known to be positive or negative."""


def judge_texts(
    model: Model, rule: VerdictRule, texts: Sequence[str]
) -> list[tuple[float, Verdict]]:
    """Give probability and verdict of each text, all of which have words."""
    judged: list[tuple[float, Verdict]] = []
    for start in range(0, len(texts), _PART):
        part = texts[start : start + _PART]
        encoded = [model.vocabulary.encode(text) for text in part]
        results = model.score([review.ids for review in encoded])
        for text, review, result in zip(part, encoded, results, strict=True):
            sentences = [
                float(result.contributions[sentence.first : sentence.last + 1].sum())
                for sentence in split_sentences(text, review.spans)
            ]
            verdict = rule.judge(result.probability, review.ids, sentences)
            judged.append((result.probability, verdict))
    return judged


def summarise(model: Model, rule: VerdictRule, rows: Sequence[Labelled]) -> dict[str, Any]:
    """Count the verdicts; of texts with a label, how many are right, and how many of the clear."""
    rows = [row for row in rows if model.vocabulary.encode(row[0]).has_words]
    judged = judge_texts(model, rule, [text for text, _ in rows])
    counts = Counter(verdict for _, verdict in judged)
    found: dict[str, Any] = {"texts": len(rows)}
    found |= {name: counts[name] / max(1, len(rows)) for name in ("mixed", "unclear")}
    right = [
        ((probability >= 0.5) == bool(label), verdict in ("positive", "negative"))
        for (_, label), (probability, verdict) in zip(rows, judged, strict=True)
        if label is not None
    ]
    if right:
        clear = [is_right for is_right, is_clear in right if is_clear]
        found["accuracy"] = sum(is_right for is_right, _ in right) / len(right)
        found["accuracy_of_the_clear"] = sum(clear) / max(1, len(clear))
    return found


def read_texts(path: Path) -> list[Labelled]:
    """Read a CSV file of texts.

    Raises:
        ReeltoneError: no such file, or no column ``text`` (or ``review``) in it.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise ReeltoneError(f"{path}: {error.strerror}") from error
    column = next((name for name in ("text", "review") if rows and name in rows[0]), None)
    if column is None:
        raise ReeltoneError(f'{path} has no rows with a column "text"')
    labels = {"positive": 1, "negative": 0}
    return [
        (row[column], labels.get(row.get("label") or row.get("sentiment") or "")) for row in rows
    ]


def check_rule(on_dev: dict[str, Any]) -> None:
    """See that a rule does more good than harm to reviews.

    Raises:
        ReeltoneError: too many dev reviews are unclear, or it finds none of the hard ones.
    """
    if on_dev["unclear"] > MAX_UNCLEAR:
        share = f"{on_dev['unclear']:.1%}"
        raise ReeltoneError(f"{share} of the dev reviews are unclear; at most {MAX_UNCLEAR:.0%}")
    if on_dev["accuracy_of_the_clear"] < on_dev["accuracy"]:
        raise ReeltoneError("of the other dev reviews fewer are right than of all")


def main(arguments: list[str] | None = None) -> None:
    """Measure a rule, the bundle's own or a new one."""
    parser = argparse.ArgumentParser(
        prog="model_training.evaluation.verdicts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle", type=Path)
    add_data_options(parser)
    for name, kind in (("unknown", float), ("short", int), ("sure", float), ("balance", float)):
        parser.add_argument(f"--{name}", type=kind, help="default: the bundle's own")
    parser.add_argument("--texts", type=Path, nargs="*", default=[], help="CSV files to judge, too")
    options = parser.parse_args(arguments)
    model = load_model(options.bundle)
    manifest = json.loads((options.bundle / "manifest.json").read_text(encoding="utf-8"))
    names = ("unknown", "short", "sure", "balance")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    try:
        rule = VerdictRule.from_dict(manifest.get("verdict", {}) | given)
    except VerdictRuleError as error:
        raise ReeltoneError(str(error)) from error
    corpus = prepare_corpus(options.data_dir, options.archive)
    _, dev = corpus.train_and_dev(model.dev_reviews)
    reviews = list(zip(dev.texts, dev.labels.tolist(), strict=True))
    found = {"dev": summarise(model, rule, reviews)}
    for file in (SHORT_CASES, *options.texts):
        found[file.name] = summarise(model, rule, read_texts(file))
    print(json.dumps({"version": model.version, "rule": rule.to_dict(), **found}, indent=2))
    check_rule(found["dev"])


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
