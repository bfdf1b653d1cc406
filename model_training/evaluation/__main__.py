"""Score finished bundles on the 25,000 test reviews, and write the result into them.

    .venv/bin/python -m model_training.evaluation model_training/models/modern

It is for finished models: whatever is chosen, is chosen on dev. The answers are kept in
runs/evaluation, so that a model is scored once, and pictures and model card (report/model_card.py)
do not score it again.

Besides whole reviews it scores the last 30 tokens of each, and 100 short reviews of our own
(short_reviews.csv): people type one sentence.
"""

from __future__ import annotations

import json
import sys

from model_training.corpus.cache import prepare_corpus
from model_training.errors import ReeltoneError
from model_training.evaluation.answers import all_metrics, bundles_parser, load_or_score
from model_training.evaluation.short_cases import score_short_cases
from model_training.files import run_command, write_json
from model_training.serving.bundle import read_bundle
from model_training.serving.scorer import load_model


def main(arguments: list[str] | None = None) -> None:
    """Print the test metrics; with ``--write``, put them into the bundles' metrics.json."""
    parser = bundles_parser("model_training.evaluation", __doc__)
    parser.add_argument("--write", action="store_true", help="update the bundles' metrics.json")
    parser.add_argument("--again", action="store_true", help="score also what was scored before")
    options = parser.parse_args(arguments)
    for bundle in options.bundles:
        read_bundle(bundle)
    corpus = prepare_corpus(options.data_dir, options.archive)
    for bundle in options.bundles:
        model = load_model(bundle)
        answers = load_or_score(model, corpus, options.runs / "evaluation", options.again)
        most_tokens = model.vocabulary.settings.max_tokens
        cases = score_short_cases(model)
        metrics = all_metrics(answers, cases, model.temperature, most_tokens)
        print(json.dumps({"version": model.version, **metrics}, indent=2))
        if options.write:
            write_json(bundle / "metrics.json", metrics)


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
