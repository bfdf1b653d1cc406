"""How good a model is on texts that are no whole reviews from IMDb, and whom it names.

    .venv/bin/python -m model_training.evaluation.other_texts model_training/models/modern

The dev part of the counterfactual reviews, of which half were edited by people to say the opposite;
SST-2's dev sentences; and, in sentences of our own (groups.toml), how far the probability depends
on a first name or on a group of people that is named. None of these texts is learned from.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model_training.corpus.cache import prepare_corpus
from model_training.corpus.labelled import COUNTERFACTUAL, SST2, Labelled, prepare_labelled
from model_training.errors import ReeltoneError
from model_training.evaluation.answers import bundles_parser
from model_training.evaluation.calibration import calibration_error, positive_probability
from model_training.files import run_command, write_json
from model_training.serving.scorer import Model, load_model

GROUPS = Path(__file__).with_name("groups.toml")
_PART = 100  # texts scored at a time


def probabilities(model: Model, texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Give [texts] probabilities of positive; 0.5 of a text without words."""
    logits = np.zeros(len(texts))
    ids = [model.vocabulary.encode_ids(text) for text in texts]
    rows = [row for row, tokens in enumerate(ids) if tokens]
    for start in range(0, len(rows), _PART):
        part = rows[start : start + _PART]
        logits[part] = [result.logit for result in model.score([ids[row] for row in part])]
    return positive_probability(logits, model.temperature)


def measure_labelled(model: Model, texts: Labelled) -> dict[str, float]:
    """Measure accuracy and calibration on labelled texts."""
    found, labels = probabilities(model, texts.texts), np.array(texts.labels) > 0.5
    return {
        "texts": len(texts),
        "accuracy": float(((found >= 0.5) == labels).mean()),
        "ece": calibration_error(found, labels.astype(np.int8)),
    }


def find_edited(pairs: Labelled, originals: Sequence[str]) -> Labelled:
    """Find the reviews of pairs that people edited: the others stand in IMDb's training split."""
    known = {_plain(text) for text in originals}
    return pairs.take(row for row, text in enumerate(pairs.texts) if _plain(text) not in known)


def _plain(text: str) -> str:
    """What a review is known by, however its line ends and spaces were kept."""
    return re.sub(r"[\W_]+", "", re.sub(r"<[^<>]*>", "", text))


def measure_groups(model: Model) -> list[dict[str, Any]]:
    """For each sentence of groups.toml, who gets the lowest and the highest probability."""
    content = tomllib.loads(GROUPS.read_text(encoding="utf-8"))
    rows = []
    for template in content["templates"]:
        kind = "names" if "{name}" in template else "groups"
        words = content[kind]
        found = probabilities(model, [re.sub(r"\{\w+\}", word, template) for word in words])
        low, high = int(found.argmin()), int(found.argmax())
        rows.append(
            {
                "template": template,
                "words": len(words),
                "lowest": [words[low], float(found[low])],
                "highest": [words[high], float(found[high])],
                "spread": float(found[high] - found[low]),
            }
        )
    return rows


def result_path(runs: Path, version: str) -> Path:
    """Say where the result of a model is kept."""
    return runs / "evaluation" / f"{version}-other-texts.json"


def main(arguments: list[str] | None = None) -> None:
    """Measure bundles and keep the results."""
    options = bundles_parser("model_training.evaluation.other_texts", __doc__).parse_args(arguments)
    corpus = prepare_corpus(options.data_dir, options.archive)
    _, pairs = prepare_labelled(COUNTERFACTUAL, options.data_dir)
    _, sentences = prepare_labelled(SST2, options.data_dir)
    edited = find_edited(pairs, list(corpus.split("train").texts))
    for bundle in options.bundles:
        model = load_model(bundle)
        result = {
            "pairs": measure_labelled(model, pairs),
            "edited": measure_labelled(model, edited),
            "sentences": measure_labelled(model, sentences),
            "groups": measure_groups(model),
        }
        write_json(result_path(options.runs, model.version), result)
        print(json.dumps({"version": model.version, **result}, indent=2))


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
