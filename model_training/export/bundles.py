"""A bundle of a training run: what is left to choose is fitted on dev, what ships is proved."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import torch

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.evaluation.calibration import fit_calibration, fit_share
from model_training.evaluation.metrics import score
from model_training.evaluation.scoring import score_split
from model_training.export.graph import build_graph
from model_training.export.manifest import write_manifest
from model_training.export.proof import prove_close, prove_equal
from model_training.files import replacing, write_json
from model_training.recipes.settings import BundleWeights, TrainingConfig
from model_training.serving.scorer import Model, load_model
from model_training.training.runs import Trained, load_run
from review_text import load_vocabulary


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
    return load_model(folder)


def dev_split(corpus: Corpus, run: Path) -> Encoded:
    """The reviews that a run held out, encoded with its vocabulary."""
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    _, dev_rows = corpus.train_rows(about["config"]["dev_reviews"])
    vocabulary = load_vocabulary(run / "vocabulary.json")
    return corpus.encoded("train", vocabulary).take(dev_rows)
