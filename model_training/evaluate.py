"""Score finished bundles on the 25,000 test reviews, and write the result into them.

    python -m model_training.evaluate model_training/bundle/modern --archive aclImdb_v1.tar.gz

Of all that makes or judges our models, this file alone reads the test split. It is for finished
models: whatever is chosen, is chosen on dev. The answers are kept in runs/evaluation, so that a
model is scored once, and pictures and model card (model_card.py) do not score it again.

Besides whole reviews it scores the last 30 tokens of each, and 100 short reviews of our own
(short_reviews.csv): people type one sentence.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from model_training.bundle import read_manifest, write_json
from model_training.data import Corpus, Encoded, add_data_options, prepare_corpus
from model_training.errors import ReeltoneError
from model_training.export import score_split
from model_training.files import replacing, run_command
from model_training.inference import Model, model_fn
from model_training.metrics import calibration_error, positive_probability, score
from review_text import Vocabulary

SHORT_TOKENS = 30
"""Tokens from a review's end that are scored as a short text of their own."""
SHORT_CASES = Path(__file__).with_name("short_reviews.csv")
SLICES = (100, 200, 400)
"""Tokens at which slices by length end; the next ends where the model cuts, the last never."""
RUNS = Path("runs")

_WHOLE = 10_000  # tokens: more than any review of the data set has
_PART = 500  # reviews between two steps of the progress bar


@dataclass(frozen=True)
class Answers:
    """What a bundle says of the test split; all arrays are [reviews]."""

    labels: npt.NDArray[np.int8]
    """1 positive, 0 negative."""
    tokens: npt.NDArray[np.int64]
    """Of each whole review, also where the model reads only a part of it."""
    logits: npt.NDArray[np.float32]
    short_logits: npt.NDArray[np.float32]
    """Of each review's last ``SHORT_TOKENS`` tokens alone."""


@dataclass(frozen=True)
class ShortCase:
    """A short review of short_reviews.csv, and what the model says of it."""

    review: str
    kind: str
    positive: bool
    probability: float
    """Of positive."""

    @property
    def is_right(self) -> bool:
        return (self.probability >= 0.5) is self.positive


def score_test_split(model: Model, corpus: Corpus) -> Answers:
    """The bundle's answers to all test reviews, through the code that serves it."""
    test = corpus.encoded("test", model.vocabulary)
    whole = corpus.encoded("test", _uncut(model.vocabulary))
    return Answers(
        labels=test.labels,
        tokens=whole.lengths,
        logits=_score(model, test, "reviews"),
        short_logits=_score(model, keep_last(whole, SHORT_TOKENS), f"last {SHORT_TOKENS} tokens"),
    )


def keep_last(split: Encoded, tokens: int) -> Encoded:
    """The last ``tokens`` tokens of each review; all of a shorter one."""
    kept = [split[row][-tokens:] for row in range(len(split))]
    offsets = np.concatenate([[0], np.cumsum(np.minimum(split.lengths, tokens))])
    return Encoded(np.concatenate(kept), offsets.astype(np.int64), split.labels)


def load_or_score(model: Model, corpus: Corpus, folder: Path, again: bool = False) -> Answers:
    """The answers kept in ``folder`` for this model and data, or new ones, which are kept there."""
    path = folder / f"{model.version}.npz"
    if path.exists() and not again:
        with np.load(path) as arrays:
            if str(arrays["data"]) == corpus.fingerprint:
                return _read(arrays)
    answers = score_test_split(model, corpus)
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, data=np.array(corpus.fingerprint), **vars(answers))
    return answers


def load_answers(folder: Path, version: str) -> Answers:
    """The kept answers of a model.

    Raises:
        ReeltoneError: it has not been evaluated.
    """
    path = folder / f"{version}.npz"
    if not path.exists():
        raise ReeltoneError(f"{path}: no such file. Evaluate {version} first: make evaluate does.")
    with np.load(path) as arrays:
        return _read(arrays)


def evaluate_bundle(model: Model, corpus: Corpus) -> dict[str, Any]:
    """The metrics of a bundle on whole test reviews."""
    return review_metrics(score_test_split(model, corpus), model.temperature)


def review_metrics(answers: Answers, temperature: float) -> dict[str, Any]:
    """What metrics.py says of whole test reviews."""
    return {"split": "test", **score(answers.logits, answers.labels, temperature)}


def all_metrics(
    answers: Answers, cases: Sequence[ShortCase], temperature: float, most_tokens: int
) -> dict[str, Any]:
    """What metrics.json says: metrics of whole reviews, and how good the model is on parts of them,
    on reviews of each length, and on short cases of each kind."""
    kinds = list(dict.fromkeys(case.kind for case in cases))
    uncalibrated = positive_probability(answers.logits)
    short = positive_probability(answers.short_logits, temperature)
    return review_metrics(answers, temperature) | {
        "ece_before_temperature": calibration_error(uncalibrated, answers.labels),
        "short_tokens": SHORT_TOKENS,
        "short_accuracy": _accuracy(answers.short_logits, answers.labels),
        "short_ece": calibration_error(short, answers.labels),
        "short_cases": len(cases),
        "short_cases_accuracy": _share_right(cases),
        "short_cases_by_kind": {
            kind: _share_right([case for case in cases if case.kind == kind]) for kind in kinds
        },
        "slices": slice_by_length(answers, most_tokens),
    }


def slice_by_length(answers: Answers, most_tokens: int) -> list[dict[str, Any]]:
    """Accuracy on reviews of different lengths; slices without reviews are left out."""
    ends = [*(end for end in SLICES if end < most_tokens), most_tokens]
    rows = []
    for start, end in zip([0, *ends], [*ends, None], strict=True):
        inside = (answers.tokens > start) | (start == 0)
        if end is not None:
            inside &= answers.tokens <= end
        if inside.any():
            rows.append(
                {
                    "tokens": f"more than {start}" if end is None else f"{start + 1} to {end}",
                    "reviews": int(inside.sum()),
                    "accuracy": _accuracy(answers.logits[inside], answers.labels[inside]),
                }
            )
    return rows


def score_short_cases(model: Model, path: Path = SHORT_CASES) -> list[ShortCase]:
    """What the model says of each short review in ``path`` (columns sentiment, kind, review)."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cases = []
    for row in rows:
        ids = model.vocabulary.encode_ids(row["review"])
        # Of a review of stop words alone nothing is left; its logit is 0, as for the test split.
        probability = model.score([ids])[0].probability if ids else 0.5
        positive = row["sentiment"] == "positive"
        cases.append(ShortCase(row["review"], row["kind"], positive, probability))
    return cases


def _uncut(vocabulary: Vocabulary) -> Vocabulary:
    """The same vocabulary, reading whole reviews."""
    settings = replace(vocabulary.settings, max_tokens=_WHOLE, head_tokens=_WHOLE)
    return Vocabulary(settings, vocabulary.words)


def _score(model: Model, split: Encoded, name: str) -> npt.NDArray[np.float32]:
    """``score_split`` with a progress bar."""
    parts = np.array_split(np.arange(len(split)), max(1, len(split) // _PART))
    bar = tqdm(parts, f"{model.version}: {name}", mininterval=1)
    return np.concatenate([score_split(model, split.take(part)) for part in bar])


def _read(arrays: Any) -> Answers:
    return Answers(**{name: arrays[name] for name in Answers.__dataclass_fields__})


def _accuracy(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int8]) -> float:
    return float(((logits >= 0) == (labels == 1)).mean())


def _share_right(cases: Sequence[ShortCase]) -> float:
    return sum(case.is_right for case in cases) / len(cases)


def main(arguments: list[str] | None = None) -> None:
    """Print the test metrics; with ``--write``, put them into the bundles' metrics.json."""
    parser = argparse.ArgumentParser(
        prog="model_training.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundles", type=Path, nargs="+", metavar="bundle")
    add_data_options(parser)
    parser.add_argument("--write", action="store_true", help="update the bundles' metrics.json")
    parser.add_argument("--again", action="store_true", help="score also what was scored before")
    parser.add_argument("--runs", type=Path, default=RUNS, help="default: %(default)s")
    options = parser.parse_args(arguments)
    for bundle in options.bundles:
        read_manifest(bundle)
    corpus = prepare_corpus(options.data_dir, options.archive)
    for bundle in options.bundles:
        model = model_fn(str(bundle))
        answers = load_or_score(model, corpus, options.runs / "evaluation", options.again)
        most_tokens = model.vocabulary.settings.max_tokens
        cases = score_short_cases(model)
        metrics = all_metrics(answers, cases, model.temperature, most_tokens)
        print(json.dumps({"version": model.version, **metrics}, indent=2))
        if options.write:
            write_json(bundle / "metrics.json", metrics)


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
