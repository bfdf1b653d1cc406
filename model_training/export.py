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
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from scipy.special import expit

from model_training.bundle import BUNDLES, write_json, write_manifest
from model_training.config import BundleWeights, TrainingConfig, make_config
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
"""Largest difference between a logit of the graph in fp32 and PyTorch's; and between a logit of the
bundle and its contributions plus bias."""
INT8_TOLERANCE = 0.002
"""Largest difference that int8 weights may make to the share of dev reviews that are right, and
to a probability on average."""
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
    start = "pre-trained as language models, " if config.start_from == "language-models" else ""
    weights = " in 8 bits" if config.bundle_weights == "int8" else ""
    pooled = "maximum and mean of its states" if config.pooling == "max+mean" else "its last state"
    return (
        f"{kind} of {config.hidden_size} units a direction{weights} over windows of "
        f"{words.window} tokens, {start}word vectors of {config.embedding_size}, {pooled}, "
        f"one linear output"
    )


def export_bundle(run: Path, bundle: Path, dev: Encoded) -> Model:
    """Write the bundle of ``run``; its temperature is fitted on ``dev`` as the bundle scores it.

    Raises:
        BundleError: the bundle does not answer as the model in PyTorch does.
    """
    model, about = load_run(run)
    vocabulary = run / "vocabulary.json"
    weights = model.config.bundle_weights
    made = _write(bundle, model, about["name"], vocabulary, weights)
    if weights == "fp32":
        prove_equal(made, model, dev)
    else:
        with tempfile.TemporaryDirectory() as folder:
            exact = _write(Path(folder), model, about["name"], vocabulary, "fp32")
            prove_equal(exact, model, dev)
            prove_close(made, exact, dev)
    if len(dev):
        logits = score_split(made, dev)
        temperature = round(fit_temperature(logits, dev.labels), 4)
        write_manifest(bundle, _manifest(model, about["name"], temperature))
        metrics = {"split": "dev", **score(logits, dev.labels, temperature)}
        write_json(bundle / "metrics.json", metrics)
    return model_fn(str(bundle))


def _write(
    folder: Path, model: ReviewLSTM, name: str, vocabulary: Path, weights: BundleWeights
) -> Model:
    """A bundle without temperature and metrics."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "model.onnx") as part:
        part.write_bytes(build_graph(model, weights).SerializeToString())
    shutil.copyfile(vocabulary, folder / "vocabulary.json")
    write_manifest(folder, _manifest(model, name, 1.0))
    return model_fn(str(folder))


def _manifest(model: ReviewLSTM, name: str, temperature: float) -> dict[str, Any]:
    return {
        "name": name,
        "architecture": describe(model.config),
        "temperature": temperature,
        "bias": round(float(model.output.bias.detach()), 7),
    }


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


def prove_close(bundle: Model, exact: Model, reviews: Encoded) -> None:
    """Compare a bundle whose weights have 8 bits with the same one in fp32.

    Raises:
        BundleError: it is right less often, or its probabilities are off, by more than
            ``INT8_TOLERANCE``.
    """
    proof = _proof_reviews(bundle, reviews)
    logits, expected = score_split(bundle, proof), score_split(exact, proof)
    real = slice(0, min(len(reviews), _PROOF_REVIEWS))
    right, expected_right = (
        float(np.mean((scored > 0)[real] == (proof.labels[real] == 1))) if len(reviews) else 0.0
        for scored in (logits, expected)
    )
    differences = {
        "probabilities": float(np.abs(expit(logits) - expit(expected)).mean()),
        "the share that is right": expected_right - right,
    }
    for name, difference in differences.items():
        print(f"8 bits change {name} by {difference:.5f}, over {len(proof):,} reviews")
        if not difference <= INT8_TOLERANCE:
            raise BundleError(
                f"8 bits change {name} by {difference:.5f} > {INT8_TOLERANCE}: set "
                f'bundle_weights = "fp32"'
            )


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
