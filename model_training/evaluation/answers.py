"""What bundles say of the test reviews, and the metrics of it.

Of all that makes or measures our models, this file alone reads the test split.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from model_training.corpus.cache import Corpus, add_data_options
from model_training.corpus.reviews import Encoded
from model_training.errors import ReeltoneError
from model_training.evaluation.calibration import calibration_error, positive_probability
from model_training.evaluation.metrics import score
from model_training.evaluation.short_cases import ShortCase, share_right
from model_training.files import replacing
from model_training.paths import RUNS
from model_training.serving.scorer import Model
from review_text import Vocabulary

SHORT_TOKENS = 30
"""Tokens from a review's end that are scored as a short text of their own."""
SLICES = (100, 200, 400)
"""Tokens at which slices by length end; the next ends where the model cuts, the last never."""
_WHOLE = 10_000  # tokens: more than any review of the data set has
_PART = 500  # reviews between two steps of the progress bar


@dataclass(frozen=True)
class Answers:
    """What a bundle says of the test split; all arrays are [reviews]."""

    labels: npt.NDArray[np.int8]
    """1 positive, 0 negative."""
    tokens: npt.NDArray[np.int64]
    """Tokens of each whole review, also where the model reads only a part of it."""
    logits: npt.NDArray[np.float32]
    short_logits: npt.NDArray[np.float32]
    """Logits of each review's last ``SHORT_TOKENS`` tokens alone."""


def score_test_split(model: Model, corpus: Corpus) -> Answers:
    """Give the bundle's answers to all test reviews, through the code that serves it."""
    test = corpus.encoded("test", model.vocabulary)
    whole = corpus.encoded("test", _uncut(model.vocabulary))
    return Answers(
        labels=test.labels,
        tokens=whole.lengths,
        logits=_score(model, test, "reviews"),
        short_logits=_score(model, keep_last(whole, SHORT_TOKENS), f"last {SHORT_TOKENS} tokens"),
    )


def keep_last(split: Encoded, tokens: int) -> Encoded:
    """Give the last ``tokens`` tokens of each review; all of a shorter one."""
    kept = [split[row][-tokens:] for row in range(len(split))]
    offsets = np.concatenate([[0], np.cumsum(np.minimum(split.lengths, tokens))])
    return Encoded(np.concatenate(kept), offsets.astype(np.int64), split.labels)


def load_or_score(model: Model, corpus: Corpus, folder: Path, again: bool = False) -> Answers:
    """Load the answers kept in ``folder`` for this model and data, or new ones, which are kept
    there."""
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
    """Load the kept answers of a model.

    Raises:
        ReeltoneError: it has not been evaluated.
    """
    path = folder / f"{version}.npz"
    if not path.exists():
        raise ReeltoneError(f"{path}: no such file. Evaluate {version} first: make evaluate does.")
    with np.load(path) as arrays:
        return _read(arrays)


def review_metrics(answers: Answers, temperature: float) -> dict[str, Any]:
    """Give the metrics of whole test reviews."""
    return {"split": "test", **score(answers.logits, answers.labels, temperature)}


def all_metrics(
    answers: Answers, cases: Sequence[ShortCase], temperature: float, most_tokens: int
) -> dict[str, Any]:
    """Give what metrics.json says: metrics of whole reviews, and how good the model is on parts of
    them, on reviews of each length, and on short cases of each kind."""
    kinds = list(dict.fromkeys(case.kind for case in cases))
    uncalibrated = positive_probability(answers.logits)
    short = positive_probability(answers.short_logits, temperature)
    return review_metrics(answers, temperature) | {
        "ece_before_temperature": calibration_error(uncalibrated, answers.labels),
        "short_tokens": SHORT_TOKENS,
        "short_accuracy": _accuracy(answers.short_logits, answers.labels),
        "short_ece": calibration_error(short, answers.labels),
        "short_cases": len(cases),
        "short_cases_accuracy": share_right(cases),
        "short_cases_by_kind": {
            kind: share_right([case for case in cases if case.kind == kind]) for kind in kinds
        },
        "slices": slice_by_length(answers, most_tokens),
    }


def slice_by_length(answers: Answers, most_tokens: int) -> list[dict[str, Any]]:
    """Give accuracy on reviews of different lengths; slices without reviews are left out."""
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


def score_split(model: Model, split: Encoded) -> npt.NDArray[np.float32]:
    """Give [reviews] logits of the bundle; 0 for a review without tokens."""
    logits = np.zeros(len(split), np.float32)
    rows = np.flatnonzero(split.lengths > 0)
    for part in np.array_split(rows, max(1, len(rows) // 500)):
        results = model.score([split[row].tolist() for row in part], contributions=False)
        logits[part] = [result.logit for result in results]
    return logits


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
