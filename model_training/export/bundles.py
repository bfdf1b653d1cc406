"""A bundle of a training run: what is left to choose is fitted on dev, what ships is
proved to be the same model as the one in PyTorch."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import expit

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.errors import BundleError
from model_training.evaluation.answers import score_split
from model_training.evaluation.calibration import fit_calibration
from model_training.evaluation.metrics import score
from model_training.export.graph import build_graph
from model_training.files import write_json
from model_training.recipes.settings import BundleWeights, ClassifierSettings
from model_training.serving.scorer import Model, load_model
from model_training.training.runs import Trained, load_run
from review_text import FIRST_WORD, load_vocabulary

TOLERANCE = 1e-4
"""Largest difference between a logit of the graph in fp32 and PyTorch's."""

INT8_TOLERANCE = 0.002
"""Largest difference that weights in 8 bits may make to the share of dev reviews that are right,
and to a probability on average."""
_PROOF_REVIEWS = 1_000


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


def write_manifest(folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    """Write manifest.json: ``about``, the vocabulary's fingerprint, and the version.

    The version names the content: graph, vocabulary and what turns a logit into a probability.
    """
    fingerprint = load_vocabulary(folder / "vocabulary.json").fingerprint
    digest = hashlib.sha256((folder / "model.onnx").read_bytes())
    digest.update(json.dumps([fingerprint, about], sort_keys=True).encode())
    manifest = about | {
        "version": f"{about['name']}-{digest.hexdigest()[:12]}",
        "vocabulary": fingerprint,
    }
    write_json(folder / "manifest.json", manifest)
    return manifest


def describe(settings: ClassifierSettings, weights: BundleWeights) -> str:
    """Describe the architecture in one sentence, for people."""
    kind = "bidirectional LSTM" if len(settings.directions) > 1 else "LSTM"
    start = ", pre-trained as language models" if settings.start else ""
    if settings.transformer:
        start = ", which learned from larger ones and from a transformer"
    bits = " in 8 bits" if weights == "int8" else ""
    is_last = settings.pooling == "last"
    pooled = "its last state" if is_last else "maximum and mean of its states"
    return (
        f"{kind} of {settings.hidden_size} units a direction{bits} over windows of "
        f"{settings.text_settings.window} tokens{start}; word vectors of "
        f"{settings.embedding_size}, {pooled}, one linear output"
    )


def export_bundle(run: Path, bundle: Path, corpus: Corpus) -> Model:
    """Make the bundle of ``run``. What is left to choose (the side path's share, shift and
    temperature of the logit) is fitted on the reviews that the run held out, as the bundle scores
    them. ``bundle`` is replaced only by one that has proved to be the model in PyTorch.

    Raises:
        BundleError: it has n-grams, or does not answer as the model in PyTorch does.
    """
    trained = load_run(run)
    settings = trained.model.config
    if trained.ngrams is not None:
        raise BundleError(f"{run} has n-grams, which do not ship: train it with ngrams = 0")
    _, dev = corpus.labelled(load_vocabulary(trained.vocabulary), settings.dev_reviews)
    bundle.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=bundle.parent) as folder:
        made = Path(folder, bundle.name)
        _make(trained, made, dev, Path(folder, "exact"))
        _replace(bundle, made, Path(folder, "former"))
    return load_model(bundle)


def _make(trained: Trained, folder: Path, dev: Encoded, exact_folder: Path) -> None:
    """Write a bundle, and prove that it is the model; in ``exact_folder`` is one in fp32."""
    weights = trained.bundle_weights
    exact = _write(exact_folder, trained, "fp32")
    prove_equal(exact, trained, dev)
    made = _write(folder, trained, weights)
    prove_close(made, exact, dev)
    metrics: dict[str, Any] = {"split": "dev", "reviews": len(dev)}
    if len(dev):
        shift, temperature = fit_calibration(score_split(made, dev), dev.labels)
        print(f"the logit is moved by {shift:.3f} and divided by {temperature:.3f}")
        with torch.no_grad():
            trained.model.output.bias.add_(shift)
        temperature = round(temperature, 4)
        made = _write(folder, trained, weights, temperature)
        metrics |= score(score_split(made, dev), dev.labels, temperature)
    write_json(folder / "metrics.json", metrics)


def _write(
    folder: Path, trained: Trained, weights: BundleWeights, temperature: float = 1.0
) -> Model:
    """A bundle without metrics."""
    folder.mkdir(parents=True, exist_ok=True)
    graph = build_graph(trained.model, weights)
    (folder / "model.onnx").write_bytes(graph.SerializeToString())
    shutil.copyfile(trained.vocabulary, folder / "vocabulary.json")
    about = {
        "name": trained.name,
        "architecture": describe(trained.model.config, trained.bundle_weights),
        "temperature": temperature,
        "bias": round(float(trained.model.output.bias.detach()), 7),
        "dev_reviews": trained.model.config.dev_reviews,
    }
    if trained.rule is not None:
        about["verdict"] = trained.rule.to_dict()
    write_manifest(folder, about)
    return load_model(folder)


def _replace(bundle: Path, made: Path, former: Path) -> None:
    """Put ``made`` where ``bundle`` is, whole."""
    if bundle.exists():
        bundle.rename(former)
    made.rename(bundle)
