"""What a classifier learns from: reviews, and how positive each of them is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.corpus.short_texts import cut_excerpts, negate_sentences
from model_training.recipes.settings import ClassifierSettings
from model_training.training.teacher import label_unlabelled, load_teacher
from review_text import Vocabulary


@dataclass(frozen=True)
class TrainingSet:
    """Reviews to learn from."""

    reviews: Encoded
    """Each with the more likely label."""
    targets: npt.NDArray[np.float32]
    """[reviews] probabilities of positive: 0 or 1 where the reviewer gave stars."""

    def __len__(self) -> int:
        return len(self.targets)

    def __add__(self, other: TrainingSet) -> TrainingSet:
        targets = np.concatenate([self.targets, other.targets])
        return TrainingSet(self.reviews + other.reviews, targets)


def labelled_set(reviews: Encoded) -> TrainingSet:
    """Reviews with the labels that they have."""
    return TrainingSet(reviews, reviews.labels.astype(np.float32))


def make_training_set(
    settings: ClassifierSettings,
    corpus: Corpus,
    vocabulary: Vocabulary,
    labelled: Encoded,
    teacher: Path | None,
    device: torch.device,
) -> TrainingSet:
    """What ``settings`` say is learned from: ``labelled``, and what is made of it and of the
    unlabelled reviews, with the run in the folder ``teacher``.

    Raises:
        BundleError: the teacher is not there.
    """
    learned = labelled_set(labelled)
    if settings.short_texts:
        learned += labelled_set(cut_excerpts(labelled, vocabulary, settings.seed))
    if teacher is None:
        return learned
    reviews, targets = label_unlabelled(teacher, corpus, device)
    hard = Encoded(reviews.ids, reviews.offsets, (targets > 0.5).astype(np.int8))
    learned += TrainingSet(hard, targets)
    if settings.short_texts:
        both = labelled + reviews
        label = load_teacher(teacher, corpus, device).probabilities
        learned += TrainingSet(*negate_sentences(both, vocabulary, label, settings.seed))
    return learned
