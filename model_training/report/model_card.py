"""The figures of docs/model_card.md and the pictures beside it.

    .venv/bin/python -m model_training.report.model_card

takes them from what evaluation and training left: the bundles' metrics.json, and
in runs/ the answers to the test reviews, the faithfulness and the training history. What is not
there any more (a model that was trained elsewhere has no history here) leaves its part of the
document, or its picture, as it is. The failures are found anew, on dev.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model_training.corpus.cache import Corpus, add_data_options, prepare_corpus
from model_training.corpus.reviews import Split
from model_training.errors import ReeltoneError
from model_training.evaluation import faithfulness, other_texts
from model_training.evaluation.answers import load_answers, score_split
from model_training.evaluation.calibration import positive_probability
from model_training.evaluation.short_cases import ShortCase, score_short_cases
from model_training.files import fill_section, run_command, table
from model_training.paths import DOCS, MODELS, RUNS
from model_training.report import plots
from model_training.report.stages import describe_costs, find_stages
from model_training.serving.bundle import FILES, Manifest, read_bundle
from model_training.serving.scorer import Model, load_model

SHOWN = 8
WORDS = 5
"""Words with the largest contributions to the verdict that are named."""


@dataclass(frozen=True)
class Failure:
    """A review that was taken for the opposite of what it is."""

    file: str
    """Where it is in the official archive, without the rating that its name ends in."""
    positive: bool
    """What the reviewer says."""
    probability: float
    """Probability of positive, as the model says."""
    words: list[str]
    """What moved it to its verdict most, as written."""


def find_failures(model: Model, corpus: Corpus, shown: int = SHOWN) -> list[Failure]:
    """Find the ``shown`` surest errors on dev, the surest first."""
    split, (_, dev) = corpus.split("train"), corpus.train_rows(model.dev_reviews)
    logits = score_split(model, corpus.encoded("train", model.vocabulary).take(dev))
    wrong = (logits >= 0) != (split.labels[dev] == 1)
    order = np.argsort(-np.abs(logits), kind="stable")
    rows = dev[[row for row in order if wrong[row]][:shown]]
    return [_describe(model, split, int(row)) for row in rows]


def _describe(model: Model, split: Split, row: int) -> Failure:
    text = split.texts[row]
    encoded = model.vocabulary.encode(text)
    [result] = model.score([encoded.ids])
    sign = 1 if result.logit >= 0 else -1
    words: list[str] = []
    for place in np.argsort(-sign * result.contributions, kind="stable"):
        start, end = encoded.spans[place]
        word = text[start:end].lower()
        if word not in words and any(map(str.isalnum, word)):
            words.append(word)
    positive = split.labels[row] == 1
    probability = float(positive_probability(np.array([result.logit]), model.temperature)[0])
    return Failure(_name(split.labels, row), bool(positive), probability, words[:WORDS])


def _name(labels: npt.NDArray[np.int8], row: int) -> str:
    """A split has its positive reviews first, and each class in the order of its numbers."""
    first = int(np.argmax(labels == labels[row]))
    return f"train/{'pos' if labels[row] == 1 else 'neg'}/{row - first}"


SHIPPED = ("modern", "classic")
"""The bundles that ship. The card is about the first; the others are there to compare with."""

_METRICS = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "auc": "area under the ROC curve",
    "log_loss": "log loss",
    "brier": "Brier score",
    "ece": "expected calibration error, 15 bins of equal mass",
    "ece_before_temperature": "the same before the temperature",
}


def describe_details(bundle: Path, manifest: Manifest, model: Model) -> str:
    """Describe what the model is, as a list."""
    size = sum((bundle / name).stat().st_size for name in FILES) / 1e6
    settings = model.vocabulary.settings
    return "\n".join(
        [
            f"- Version: `{manifest.version}`",
            f"- Architecture: {manifest.architecture}",
            f"- Vocabulary: {len(model.vocabulary):,} entries, fingerprint "
            f"`{manifest.vocabulary[:12]}`",
            f"- Reads up to {settings.max_tokens} tokens: of a longer review the first "
            f"{settings.head_tokens} and the last {settings.max_tokens - settings.head_tokens}",
            f"- Bundle: {size:.1f} MB (ONNX, vocabulary, manifest, metrics)",
            f"- Temperature: {manifest.temperature}, fitted on dev",
        ]
    )


def describe_metrics(names: Sequence[str], metrics: Sequence[dict[str, Any]]) -> str:
    """Describe the quality on the test split, a column for each bundle."""
    rows = [
        ["accuracy (standard error)", *(_with_error(m["accuracy"], m["reviews"]) for m in metrics)]
    ]
    rows += [[text, *(f"{m[name]:.4f}" for m in metrics)] for name, text in _METRICS.items()]
    last = f"accuracy on the last {metrics[0]['short_tokens']} tokens of each review alone"
    rows.append([last, *(f"{m['short_accuracy']:.4f}" for m in metrics)])
    rows.append(["calibration error on those", *(f"{m['short_ece']:.4f}" for m in metrics)])
    own = f"accuracy on {metrics[0]['short_cases']} short reviews of our own"
    rows.append([own, *(f"{m['short_cases_accuracy']:.2f}" for m in metrics)])
    rows.append(["test reviews", *(f"{m['reviews']:,}" for m in metrics)])
    return table(["", *names], rows)


def describe_slices(metrics: dict[str, Any]) -> str:
    """Describe accuracy by length."""
    rows = [
        [row["tokens"], f"{row['reviews']:,}", _with_error(row["accuracy"], row["reviews"])]
        for row in metrics["slices"]
    ]
    return table(["tokens of the review", "reviews", "accuracy (standard error)"], rows)


def describe_short_cases(cases: Sequence[ShortCase]) -> str:
    """Describe short cases by kind, and those that the model gets wrong."""
    rows = []
    for kind in dict.fromkeys(case.kind for case in cases):
        of_kind = [case for case in cases if case.kind == kind]
        rows.append([kind, str(len(of_kind)), str(sum(case.is_right for case in of_kind))])
    wrong = [
        [case.review, "positive" if case.positive else "negative", f"{case.probability:.2f}"]
        for case in cases
        if not case.is_right
    ]
    text = table(["kind", "reviews", "right"], rows)
    if not wrong:
        return f"{text}\n\nNone of them is wrong."
    heads = ["review", "is", "probability of positive"]
    return f"{text}\n\nThe {len(wrong)} that it gets wrong:\n\n{table(heads, wrong)}"


def describe_failures(failures: Sequence[Failure]) -> str:
    """Describe the surest errors on dev."""
    rows = [
        [
            f"`{failure.file}`",
            "positive" if failure.positive else "negative",
            f"{failure.probability:.3f}",
            ", ".join(failure.words),
        ]
        for failure in failures
    ]
    heads = ["review", "is", "probability of positive", "words that moved it there"]
    return table(heads, rows)


def describe_faithfulness(names: Sequence[str], results: Sequence[dict[str, Any]]) -> str:
    """Describe how faithful explanations are: a table for all bundles, and what it says."""
    rows = []
    for name, result in zip(names, results, strict=True):
        for way, found in result["ways"].items():
            drop, area = found["drop"], found["area"]
            cells = (f"{value['mean']:.3f} ± {value['error']:.3f}" for value in (drop, area))
            rows.append([f"{name}: {way}", *cells, f"{found['turned']:.0%}"])
    first = results[0]
    heads = [
        "words deleted by",
        f"fall of the probability after {first['deleted']} words",
        f"area over the curve, 1 to {first['most_deleted']} words",
        f"verdicts turned by {first['deleted']} words",
    ]
    said = [
        f"- *{name}*: deleting the {result['deleted']} words with the largest contributions lowers "
        f"the probability more than deleting random ones in {result['below_random']:.0%} of "
        f"{result['reviews']} reviews; rank correlation of contributions with effects "
        f"{result['rank_correlation']['mean']:.2f} ± {result['rank_correlation']['error']:.2f}. "
        "The word that is marked strongest is the one whose deletion moves the verdict most in "
        f"{result['strongest']['contributions']:.0%} by contributions, and in "
        f"{result['strongest']['effects']:.0%} by effects."
        for name, result in zip(names, results, strict=True)
    ]
    return f"{table(heads, rows)}\n\n" + "\n".join(said)


def draw_evaluation(folder: Path, bundles: Sequence[Path], runs: Path) -> None:
    """Draw confusion, reliability and ROC of all bundles."""
    scored = []
    for bundle in bundles:
        manifest = read_bundle(bundle).manifest
        answers = load_answers(runs / "evaluation", manifest.version)
        name, temperature = manifest.name, manifest.temperature
        scored.append(plots.Scored(name, answers.logits, answers.labels, temperature))
    plots.draw_confusion(folder / "confusion.svg", scored)
    plots.draw_reliability(folder / "reliability.svg", scored)
    plots.draw_roc(folder / "roc.svg", scored)


def draw_training(folder: Path, bundles: Sequence[Path], runs: Path) -> None:
    """Draw learning curves of the bundles whose runs are here."""
    for bundle in bundles:
        manifest = read_bundle(bundle).manifest
        stages = find_stages(runs, manifest.name, manifest.vocabulary)
        learned = [stage for stage in stages if stage.history]
        if learned:
            plots.draw_learning_curves(folder / f"learning_{manifest.name}.svg", learned)


def _with_error(accuracy: float, reviews: int) -> str:
    error = math.sqrt(accuracy * (1 - accuracy) / reviews)
    return f"{accuracy:.4f} ± {error:.4f}"


def describe_other_texts(names: Sequence[str], results: Sequence[dict[str, Any]]) -> str:
    """Describe the quality on texts from elsewhere, a pair of columns for each bundle."""
    kinds = {
        "edited": "counterfactual dev, the edited reviews",
        "pairs": "counterfactual dev, edited and original",
        "sentences": "SST-2 dev, sentences",
    }
    rows = [
        [
            text,
            f"{results[0][kind]['texts']:,}",
            *(_with_error(r[kind]["accuracy"], r[kind]["texts"]) for r in results),
            *(f"{r[kind]['ece']:.4f}" for r in results),
        ]
        for kind, text in kinds.items()
    ]
    heads = [*(f"{name}: accuracy" for name in names), *(f"{name}: ECE" for name in names)]
    return table(["texts", "number", *heads], rows)


def describe_groups(result: dict[str, Any]) -> str:
    """Describe how far the probability depends on who is named, sentence by sentence."""
    rows = [
        [
            row["template"],
            str(row["words"]),
            *(f"{row[end][1]:.2f} ({row[end][0]})" for end in ("lowest", "highest")),
            f"{row['spread']:.2f}",
        ]
        for row in result["groups"]
    ]
    return table(["sentence", "words tried", "lowest", "highest", "spread"], rows)


def _read_results(
    bundles: Sequence[Path], path_of: Callable[[str], Path]
) -> tuple[list[str], list[dict[str, Any]]]:
    """What is kept of ``bundles``, for those where something is: names and results."""
    names, results = [], []
    for bundle in bundles:
        manifest = read_bundle(bundle).manifest
        path = path_of(manifest.version)
        if path.exists():
            names.append(manifest.name)
            results.append(json.loads(path.read_text(encoding="utf-8")))
    return names, results


def write_card(docs: Path, bundles: Sequence[Path], runs: Path, corpus: Corpus) -> None:
    """Fill the card and draw its pictures; the card is about the first of ``bundles``.

    Raises:
        ReeltoneError: a bundle was not evaluated.
    """
    pictures, card = docs / "evaluation", docs / "model_card.md"
    draw_evaluation(pictures, bundles, runs)
    draw_training(pictures, bundles, runs)
    manifest, model = read_bundle(bundles[0]).manifest, load_model(bundles[0])
    metrics = [json.loads((bundle / "metrics.json").read_text()) for bundle in bundles]
    if not all("slices" in figures for figures in metrics):
        raise ReeltoneError("a metrics.json is of an older evaluation: evaluate with --write first")
    names = [bundle.name for bundle in bundles]
    fill_section(card, "details", describe_details(bundles[0], manifest, model))
    fill_section(card, "metrics", describe_metrics(names, metrics))
    fill_section(card, "slices", describe_slices(metrics[0]))
    fill_section(card, "short", describe_short_cases(score_short_cases(model)))
    fill_section(card, "failures", describe_failures(find_failures(model, corpus)))
    names, results = _read_results(bundles, partial(other_texts.result_path, runs))
    if len(results) == len(bundles):
        fill_section(card, "other texts", describe_other_texts(names, results))
        fill_section(card, "groups", describe_groups(results[0]))
    names, results = _read_results(bundles, partial(faithfulness.result_path, runs))
    if len(results) == len(bundles):
        curves = [{way: r["ways"][way]["curve"] for way in r["ways"]} for r in results]
        by_name = dict(zip(names, curves, strict=True))
        plots.draw_perturbation(pictures / "faithfulness.svg", by_name)
        fill_section(card, "faithfulness", describe_faithfulness(names, results))
    stages = find_stages(runs, manifest.name, manifest.vocabulary)
    if stages:
        fill_section(card, "costs", describe_costs(stages))


def main(arguments: list[str] | None = None) -> None:
    """Write the card of the shipped bundles."""
    parser = argparse.ArgumentParser(
        prog="model_training.report.model_card",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "bundles", type=Path, nargs="*", default=[MODELS / name for name in SHIPPED]
    )
    add_data_options(parser)
    parser.add_argument("--runs", type=Path, default=RUNS, help="default: %(default)s")
    parser.add_argument("--docs", type=Path, default=DOCS, help="default: %(default)s")
    options = parser.parse_args(arguments)
    corpus = prepare_corpus(options.data_dir, options.archive)
    write_card(options.docs, options.bundles, options.runs, corpus)
    print(f"{options.docs / 'model_card.md'} and {options.docs / 'evaluation'}")


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
