"""A finished training run, to be asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file

from model_training.corpus.reviews import Encoded
from model_training.errors import BundleError
from model_training.networks.batches import Batches
from model_training.networks.ngrams import NGrams, load_ngrams
from model_training.networks.review_lstm import ReviewLSTM
from model_training.recipes.settings import Precision, TrainingConfig, make_config
from model_training.training.processes import low_precision
from review_text import load_vocabulary

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Trained:
    """What a training run left."""

    name: str
    model: ReviewLSTM
    ngrams: NGrams | None
    vocabulary: Path

    def logits(
        self, reviews: Encoded, device: torch.device = CPU, precision: Precision = "fp32"
    ) -> npt.NDArray[np.float64]:
        """[reviews] logits in PyTorch and NumPy."""
        model = self.model.to(device)
        logits = predict_logits(model, reviews, model.config, device, precision)
        beside = self.ngrams.logits(reviews) if self.ngrams else np.zeros(len(reviews))
        return logits.astype(np.float64) + beside

    def without_ngrams(self) -> Trained:
        """The LSTM alone."""
        return replace(self, ngrams=None)

    def with_share(self, share: float) -> Trained:
        """The same with the n-grams' logit counted ``share`` times."""
        return replace(self, ngrams=self.ngrams and self.ngrams.times(share))


def load_run(folder: Path) -> Trained:
    """A finished training run.

    Raises:
        BundleError: the folder is not one.
    """
    try:
        about: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        config = make_config(about["config"], f"{folder}/run.json")
        vocabulary = folder / "vocabulary.json"
        model = ReviewLSTM(config, len(load_vocabulary(vocabulary)))
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except OSError as error:
        raise BundleError(f"{folder} is not a finished training run: {error}") from error
    ngrams = load_ngrams(folder / "ngrams.safetensors")
    return Trained(about["name"], model.eval(), ngrams, vocabulary)


def predict_logits(
    model: ReviewLSTM,
    split: Encoded,
    config: TrainingConfig,
    device: torch.device,
    precision: Precision = "fp32",
) -> npt.NDArray[np.float32]:
    """[reviews] logits; 0 for a review without tokens."""
    logits = np.zeros(len(split), np.float32)
    was_training = model.training
    model.eval()
    with torch.inference_mode(), low_precision(precision, device):
        for batch in Batches(split, config.text_settings, config.batch_windows).in_order():
            logits[batch.rows] = model(batch.to(device)).cpu().numpy()
    model.train(was_training)
    return logits
