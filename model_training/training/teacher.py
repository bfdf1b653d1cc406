"""An earlier stage that says what it thinks of reviews nobody has labelled.

A classifier that learns from its teacher's probabilities learns from 50,000 more reviews, of 7,091
more movies. The teacher, two LSTMs and n-grams together, is right more often than either LSTM.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.evaluation.calibration import fit_share, fit_temperature, positive_probability
from model_training.files import replacing
from model_training.training.runs import Trained, load_run, read_about
from review_text import load_vocabulary


@dataclass(frozen=True)
class Teacher:
    """A finished stage whose probabilities can be believed."""

    trained: Trained
    temperature: float
    device: torch.device

    def probabilities(self, reviews: Encoded) -> npt.NDArray[np.float32]:
        """Give [reviews] probabilities of positive."""
        precision = self.trained.model.config.precision
        logits = self.trained.logits(reviews, self.device, precision)
        return positive_probability(logits, self.temperature).astype(np.float32)


def make_teacher(trained: Trained, dev: Encoded, device: torch.device) -> Teacher:
    """Make a teacher of ``trained``: n-grams' share and temperature are fitted on ``dev``."""
    if trained.ngrams is not None:
        precision = trained.model.config.precision
        alone = trained.without_ngrams().logits(dev, device, precision)
        share = fit_share(alone, trained.ngrams.logits(dev), dev.labels)
        trained = trained.with_share(share)
    temperature = fit_temperature(
        trained.logits(dev, device, trained.model.config.precision), dev.labels
    )
    return Teacher(trained, temperature, device)


def label_unlabelled(
    folder: Path, corpus: Corpus, device: torch.device
) -> tuple[Encoded, npt.NDArray[np.float32]]:
    """Give the unlabelled reviews, and what the teacher in ``folder`` thinks of each; kept beside
    it."""
    vocabulary = load_vocabulary(folder / "vocabulary.json")
    reviews = corpus.encoded("unsup", vocabulary)
    # Of these very weights: a teacher that was trained anew has other opinions.
    path = folder / f"unlabelled-{read_about(folder)['weights'][:12]}.npy"
    if not path.exists():
        labels = load_teacher(folder, corpus, device).probabilities(reviews)
        with replacing(path) as part, part.open("wb") as file:
            np.save(file, labels)
    targets: npt.NDArray[np.float32] = np.load(path)
    return reviews, targets


def load_teacher(folder: Path, corpus: Corpus, device: torch.device) -> Teacher:
    """Load the teacher in ``folder``, fitted on the reviews that it held out."""
    trained = load_run(folder)
    vocabulary = load_vocabulary(trained.vocabulary)
    _, dev = corpus.labelled(vocabulary, trained.model.config.dev_reviews)
    return make_teacher(trained, dev, device)
