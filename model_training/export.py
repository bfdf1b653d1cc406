"""From a training run to a bundle, with the proof that they are the same model.

    python -m model_training.export runs/modern

writes model_training/bundle/<name>. The proof compares the bundle, through inference.py, with the
model in PyTorch on dev reviews and on reviews of every length that the model reads.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file

from model_training.bundle import BUNDLES, write_json, write_manifest
from model_training.config import TrainingConfig, make_config
from model_training.data import Corpus, Encoded, add_data_options, prepare_corpus
from model_training.errors import BundleError, ReeltoneError
from model_training.files import replacing, run_command
from model_training.inference import Model, model_fn
from model_training.metrics import fit_temperature, score
from model_training.model import ReviewLSTM
from model_training.onnx_graph import build_graph
from model_training.train import predict_logits
from review_text import FIRST_WORD, load_vocabulary

TOLERANCE = 1e-4
"""Largest difference between a logit of the bundle and PyTorch's; and between a logit and its
contributions plus bias."""
_PROOF_REVIEWS = 1_000


def load_run(folder: Path) -> tuple[ReviewLSTM, dict[str, Any]]:
    """The trained model of a run, and what run.json says of it.

    Raises:
        BundleError: the folder is not a finished run.
    """
    try:
        about: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        config = make_config(about["config"], f"{folder}/run.json")
        model = ReviewLSTM(config, len(load_vocabulary(folder / "vocabulary.json")))
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except OSError as error:
        raise BundleError(f"{folder} is not a finished training run: {error}") from error
    return model.eval(), about


def describe(config: TrainingConfig) -> str:
    """The architecture in one sentence, for people."""
    words = config.text_settings
    kind = "bidirectional LSTM" if config.bidirectional else "LSTM"
    pooled = "maximum and mean of its states" if config.pooling == "max+mean" else "its last state"
    return (
        f"{kind} of {config.hidden_size} units a direction over windows of {words.window} tokens, "
        f"word vectors of {config.embedding_size}, {pooled}, one linear output"
    )


def export_bundle(run: Path, bundle: Path, dev: Encoded) -> Model:
    """Write the bundle of ``run``; its temperature is fitted on ``dev`` as the bundle scores it."""
    model, about = load_run(run)
    bundle.mkdir(parents=True, exist_ok=True)
    graph = build_graph(model)
    with replacing(bundle / "model.onnx") as part:
        part.write_bytes(graph.SerializeToString())
    shutil.copyfile(run / "vocabulary.json", bundle / "vocabulary.json")
    manifest = {
        "name": about["name"],
        "architecture": describe(model.config),
        "temperature": 1.0,
        "bias": round(float(model.output.bias.detach()), 7),
    }
    write_manifest(bundle, manifest)
    if len(dev):
        logits = score_split(model_fn(str(bundle)), dev)
        manifest["temperature"] = round(fit_temperature(logits, dev.labels), 4)
        write_manifest(bundle, manifest)
        write_json(
            bundle / "metrics.json",
            {"split": "dev", **score(logits, dev.labels, manifest["temperature"])},
        )
    return prove_equal(model_fn(str(bundle)), model, dev)


def score_split(model: Model, split: Encoded) -> npt.NDArray[np.float32]:
    """[reviews] logits of the bundle; 0 for a review without tokens."""
    logits = np.zeros(len(split), np.float32)
    rows = np.flatnonzero(split.lengths > 0)
    for part in np.array_split(rows, max(1, len(rows) // 500)):
        results = model.score([split[row].tolist() for row in part])
        logits[part] = [result.logit for result in results]
    return logits


def prove_equal(bundle: Model, model: ReviewLSTM, reviews: Encoded) -> Model:
    """Compare the bundle with PyTorch on real reviews and on every length.

    Raises:
        BundleError: a logit, or the sum of its contributions, is off by more than ``TOLERANCE``.
    """
    proof = _proof_reviews(bundle, reviews)
    expected = predict_logits(model, proof, model.config, torch.device("cpu"))
    results = bundle.score([proof[row].tolist() for row in range(len(proof))])
    logits = np.array([result.logit for result in results])
    sums = np.array([result.contributions.sum(dtype=np.float64) for result in results])
    differences = {
        "from PyTorch": np.abs(logits - expected).max(),
        "from the sum of contributions": np.abs(sums + bundle.bias - logits).max(),
    }
    for name, difference in differences.items():
        print(f"largest difference {name}: {difference:.1e}, over {len(proof):,} reviews")
        if not difference <= TOLERANCE:
            raise BundleError(f"the bundle differs {name} by {difference:.1e} > {TOLERANCE}")
    return bundle


def _proof_reviews(bundle: Model, reviews: Encoded) -> Encoded:
    """Real reviews, then one of random words for each length from 1 to the most."""
    most, entries = bundle.vocabulary.settings.max_tokens, len(bundle.vocabulary)
    real = reviews.take(np.flatnonzero(reviews.lengths > 0)[:_PROOF_REVIEWS])
    random = np.random.default_rng(0)
    made = [random.integers(FIRST_WORD - 1, entries, length) for length in range(1, most + 1)]
    ids = np.concatenate([real.ids, *made]).astype(np.uint16)
    lengths = np.concatenate([real.lengths, np.arange(1, most + 1)])
    return Encoded(
        ids,
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([real.labels, np.zeros(most, np.int8)]),
    )


def dev_split(corpus: Corpus, run: Path) -> Encoded:
    """The reviews that a run held out, encoded with its vocabulary."""
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    _, dev_rows = corpus.train_rows(about["config"]["dev_reviews"])
    vocabulary = load_vocabulary(run / "vocabulary.json")
    return corpus.encoded("train", vocabulary).take(dev_rows)


def main(arguments: list[str] | None = None) -> None:
    """Export a run."""
    parser = argparse.ArgumentParser(
        prog="model_training.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, help="the model folder of a training run")
    parser.add_argument("--bundle", type=Path, help="default: model_training/bundle/<name>")
    add_data_options(parser)
    options = parser.parse_args(arguments)
    _, about = load_run(options.run)
    bundle = options.bundle or BUNDLES / about["name"]
    model = export_bundle(
        options.run,
        bundle,
        dev_split(prepare_corpus(options.data_dir, options.archive), options.run),
    )
    print(f"{bundle}: {model.version}")


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
