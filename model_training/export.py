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

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import expit

from model_training.bundle import BUNDLES, write_json, write_manifest
from model_training.config import BundleWeights, TrainingConfig
from model_training.data import Corpus, Encoded, add_data_options, prepare_corpus
from model_training.errors import BundleError, ReeltoneError
from model_training.files import replacing, run_command
from model_training.inference import Model, model_fn
from model_training.metrics import fit_calibration, fit_share, score
from model_training.onnx_graph import build_graph
from model_training.trained import Trained, load_run
from review_text import FIRST_WORD, load_vocabulary

TOLERANCE = 1e-4
"""Largest difference between a logit of the graph in fp32 and PyTorch's."""
INT8_TOLERANCE = 0.002
"""Largest difference that weights in 8 bits may make to the share of dev reviews that are right,
and to a probability on average."""
_PROOF_REVIEWS = 1_000


def describe(config: TrainingConfig) -> str:
    """The architecture in one sentence, for people."""
    words = config.text_settings
    kind = "bidirectional LSTM" if config.bidirectional else "LSTM"
    is_pretrained = config.start_from not in ("random", "word-vectors")
    start = ", pre-trained as language models" if is_pretrained else ""
    weights = " in 8 bits" if config.bundle_weights == "int8" else ""
    pooled = "maximum and mean of its states" if config.pooling == "max+mean" else "its last state"
    beside = ", and beside it a linear classifier of 1- to 3-grams" if config.ngrams else ""
    return (
        f"{kind} of {config.hidden_size} units a direction{weights} over windows of "
        f"{words.window} tokens{start}; word vectors of {config.embedding_size}, {pooled}, "
        f"one linear output{beside}"
    )


def export_bundle(run: Path, bundle: Path, dev: Encoded) -> Model:
    """Write the bundle of ``run``. What is left to choose (the side path's share, shift and
    temperature of the logit) is fitted on ``dev`` as the bundle scores it.

    Raises:
        BundleError: the bundle does not answer as the model in PyTorch does.
    """
    trained = load_run(run)
    weights = trained.model.config.bundle_weights
    with tempfile.TemporaryDirectory() as folder:
        if trained.ngrams and len(dev):
            alone = _write(Path(folder), trained.without_ngrams(), weights)
            share = fit_share(score_split(alone, dev), trained.ngrams.logits(dev), dev.labels)
            print(f"the n-grams' logit counts {share:.3f} times the LSTM's")
            trained = trained.with_share(share)
        exact = _write(Path(folder), trained, "fp32")
        prove_equal(exact, trained, dev)
        made = _write(bundle, trained, weights)
        prove_close(made, exact, dev)
    if len(dev):
        shift, temperature = fit_calibration(score_split(made, dev), dev.labels)
        print(f"the logit is moved by {shift:.3f} and divided by {temperature:.3f}")
        with torch.no_grad():
            trained.model.output.bias.add_(shift)
        temperature = round(temperature, 4)
        made = _write(bundle, trained, weights, temperature)
        metrics = {"split": "dev", **score(score_split(made, dev), dev.labels, temperature)}
        write_json(bundle / "metrics.json", metrics)
    return made


def _write(
    folder: Path, trained: Trained, weights: BundleWeights, temperature: float = 1.0
) -> Model:
    """A bundle without metrics."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "model.onnx") as part:
        graph = build_graph(trained.model, weights, trained.ngrams)
        part.write_bytes(graph.SerializeToString())
    shutil.copyfile(trained.vocabulary, folder / "vocabulary.json")
    bias = float(trained.model.output.bias.detach())
    about = {
        "name": trained.name,
        "architecture": describe(trained.model.config),
        "temperature": temperature,
        "bias": round(bias + (trained.ngrams.bias if trained.ngrams else 0.0), 7),
    }
    write_manifest(folder, about)
    return model_fn(str(folder))


def score_split(model: Model, split: Encoded) -> npt.NDArray[np.float32]:
    """[reviews] logits of the bundle; 0 for a review without tokens."""
    logits = np.zeros(len(split), np.float32)
    rows = np.flatnonzero(split.lengths > 0)
    for part in np.array_split(rows, max(1, len(rows) // 500)):
        results = model.score([split[row].tolist() for row in part], contributions=False)
        logits[part] = [result.logit for result in results]
    return logits


def prove_equal(bundle: Model, trained: Trained, reviews: Encoded) -> None:
    """Compare a bundle in fp32 with PyTorch on real reviews and on every length.

    Raises:
        BundleError: a logit, which is the sum of its contributions, is off by more than
            ``TOLERANCE``.
    """
    proof = _proof_reviews(bundle, reviews)
    difference = float(np.abs(_score(bundle, proof) - trained.logits(proof)).max())
    _report("the bundle's logits differ from PyTorch's", difference, TOLERANCE, len(proof))


def prove_close(bundle: Model, exact: Model, reviews: Encoded) -> None:
    """Compare the bundle that ships, whose weights may have 8 bits, with the one in fp32.

    Raises:
        BundleError: it is right less often, or its probabilities are off on average, by more than
            ``INT8_TOLERANCE``.
    """
    proof = _proof_reviews(bundle, reviews)
    logits, expected = _score(bundle, proof), _score(exact, proof)
    off = float(np.abs(expit(logits) - expit(expected)).mean())
    _report("the shipped weights change probabilities", off, INT8_TOLERANCE, len(proof))
    real = min(len(reviews), _PROOF_REVIEWS)
    right = [(scored[:real] > 0) == (proof.labels[:real] == 1) for scored in (logits, expected)]
    lost = float(np.mean(right[1]) - np.mean(right[0])) if real else 0.0
    _report("the shipped weights lose accuracy", lost, INT8_TOLERANCE, real)


def _score(bundle: Model, reviews: Encoded) -> npt.NDArray[np.float64]:
    """[reviews] logits, each of them the sum of its contributions."""
    results = bundle.score([reviews[row].tolist() for row in range(len(reviews))])
    return np.array([result.logit for result in results])


def _report(what: str, difference: float, most: float, reviews: int) -> None:
    print(f"{what} by {difference:.1e}, over {reviews:,} reviews; at most {most} will do")
    if not difference <= most:
        raise BundleError(f"{what} by {difference:.1e}, which is more than {most}")


def _proof_reviews(bundle: Model, reviews: Encoded) -> Encoded:
    """Real reviews, then one of random words for each length from 1 to the most."""
    most, entries = bundle.vocabulary.settings.max_tokens, len(bundle.vocabulary)
    real = reviews.take(np.flatnonzero(reviews.lengths > 0)[:_PROOF_REVIEWS])
    random = np.random.default_rng(0)
    made = [random.integers(FIRST_WORD - 1, entries, length) for length in range(1, most + 1)]
    return real + Encoded.of([ids.astype(np.uint16) for ids in made], np.zeros(most, np.int8))


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
    bundle = options.bundle or BUNDLES / load_run(options.run).name
    model = export_bundle(
        options.run,
        bundle,
        dev_split(prepare_corpus(options.data_dir, options.archive), options.run),
    )
    print(f"{bundle}: {model.version}")


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
