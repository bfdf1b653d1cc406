"""A finished classifier, to be asked or to go on from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file

from model_training.corpus.reviews import Encoded
from model_training.errors import BundleError, ConfigError
from model_training.networks.batches import Batches
from model_training.networks.ngrams import NGrams, load_ngrams
from model_training.networks.review_lstm import ReviewLSTM
from model_training.recipes.settings import BundleWeights, ClassifierSettings, Precision
from model_training.training.processes import low_precision
from review_text import VerdictRule, VerdictRuleError, load_vocabulary

CPU = torch.device("cpu")
VOCABULARY, NGRAMS = "vocabulary.json", "ngrams.safetensors"


@dataclass(frozen=True)
class Trained:
    """What a training run left."""

    name: str
    model: ReviewLSTM
    ngrams: NGrams | None
    vocabulary: Path
    bundle_weights: BundleWeights = "fp32"
    rule: VerdictRule | None = None

    def logits(
        self, reviews: Encoded, device: torch.device = CPU, precision: Precision = "fp32"
    ) -> npt.NDArray[np.float64]:
        """Give [reviews] logits in PyTorch and NumPy."""
        model = self.model.to(device)
        logits = predict_logits(model, reviews, device, precision)
        beside = self.ngrams.logits(reviews) if self.ngrams else np.zeros(len(reviews))
        return logits.astype(np.float64) + beside

    def without_ngrams(self) -> Trained:
        """Give the LSTM alone."""
        return replace(self, ngrams=None)

    def with_share(self, share: float) -> Trained:
        """Give the same with the n-grams' logit counted ``share`` times."""
        return replace(self, ngrams=self.ngrams and self.ngrams.times(share))


def load_run(folder: Path) -> Trained:
    """Load a finished training run of a classifier.

    Raises:
        BundleError: the folder is not one.
    """
    about = read_about(folder)
    try:
        settings = ClassifierSettings.read(about["made_of"]["settings"], f"{folder}/run.json")
        model = load_classifier(folder, settings)
        return Trained(
            about["name"],
            model.eval(),
            load_ngrams(folder / NGRAMS) if settings.ngrams else None,
            folder / VOCABULARY,
            about["bundle_weights"],
            VerdictRule.from_manifest(about),
        )
    except (OSError, KeyError, ConfigError, VerdictRuleError) as error:
        raise BundleError(f"{folder} is not a finished training run: {error}") from error


def read_about(folder: Path) -> dict[str, Any]:
    """Read what a finished run says of itself.

    Raises:
        BundleError: the folder is not one.
    """
    try:
        about: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"{folder} is not a finished training run: {error}") from error
    return about


def load_classifier(folder: Path, settings: ClassifierSettings) -> ReviewLSTM:
    """Load the LSTMs of all directions in ``folder`` as one, whose logit is the mean of theirs."""
    model = ReviewLSTM(settings, len(load_vocabulary(folder / VOCABULARY)))
    parts = [load_file(folder / f"{name}.safetensors") for name in settings.directions]
    model.load_state_dict(_join(parts, kinds=2 if settings.pooling == "max+mean" else 1))
    return model


def predict_logits(
    model: ReviewLSTM, split: Encoded, device: torch.device, precision: Precision = "fp32"
) -> npt.NDArray[np.float32]:
    """Give [reviews] logits; 0 for a review without tokens."""
    logits = np.zeros(len(split), np.float32)
    settings, was_training = model.config, model.training
    model.eval()
    with torch.inference_mode(), low_precision(precision, device):
        for batch in Batches(split, settings.text_settings, settings.batch_windows).in_order():
            logits[batch.rows] = model(batch.to(device)).cpu().numpy()
    model.train(was_training)
    return logits


def _join(parts: Sequence[dict[str, torch.Tensor]], kinds: int) -> dict[str, torch.Tensor]:
    """Classifiers of one direction and ``kinds`` of pooling each as one of all directions."""
    joined = {
        name.replace("readers.0", f"readers.{number}"): tensor
        for number, part in enumerate(parts)
        for name, tensor in part.items()
        if name.startswith("readers.")
    }
    # Each has its maxima first, then its means; together: all maxima, then all means.
    halves = [part["output.weight"].chunk(kinds, 1) for part in parts]
    weights = [half[kind] for kind in range(kinds) for half in halves]
    joined["output.weight"] = torch.cat(weights, 1) / len(parts)
    joined["output.bias"] = torch.stack([part["output.bias"] for part in parts]).mean(0)
    return joined
