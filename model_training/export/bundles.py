"""A bundle of a training run: what is left to choose is fitted on dev, what ships is proved."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.errors import BundleError
from model_training.evaluation.calibration import fit_calibration
from model_training.evaluation.metrics import score, score_split
from model_training.export.graph import build_graph
from model_training.export.manifest import write_manifest
from model_training.export.proof import prove_close, prove_equal
from model_training.files import write_json
from model_training.recipes.settings import BundleWeights, ClassifierSettings
from model_training.serving.scorer import Model, load_model
from model_training.training.runs import Trained, load_run
from review_text import load_vocabulary


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
