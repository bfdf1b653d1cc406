"""What a classifier learns from: reviews, and how positive each of them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.corpus.short_texts import cut_excerpts, negate_sentences
from model_training.recipes.settings import ClassifierSettings
from model_training.training.labelled_texts import LabelledTexts, load_texts
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
    """Give reviews with the labels that they have."""
    return TrainingSet(reviews, reviews.labels.astype(np.float32))


def make_training_set(
    settings: ClassifierSettings,
    corpus: Corpus,
    vocabulary: Vocabulary,
    labelled: Encoded,
    inputs: Mapping[str, Path],
    device: torch.device,
) -> TrainingSet:
    """Make what ``settings`` say is learned from: ``labelled``, what is made of it and of the
    unlabelled reviews with the teacher, and what the transformer has labelled; both are among the
    folders ``inputs``.

    Raises:
        BundleError: a teacher is not there.
    """
    learned = labelled_set(labelled)
    if settings.short_texts:
        learned += labelled_set(cut_excerpts(labelled, vocabulary, settings.seed))
    texts = None
    if settings.transformer is not None:
        texts = load_texts(inputs[settings.transformer])
        # Stars are learned by heart, also where an edit of the review turned its label.
        _mix_in(learned.targets, texts.training_targets)
        learned += _encode_texts(texts, vocabulary)
    if settings.teacher is None:
        return learned
    teacher = inputs[settings.teacher]
    reviews, targets = label_unlabelled(teacher, corpus, device)
    if texts is not None:
        # Two teachers of different kinds err on different reviews: their mean is right more often.
        _mix_in(targets, texts.unlabelled_targets)
    learned += _soft_set(reviews, targets)
    if settings.short_texts:
        both = labelled + reviews
        label = load_teacher(teacher, corpus, device).probabilities
        learned += TrainingSet(*negate_sentences(both, vocabulary, label, settings.seed))
    return learned


def _mix_in(targets: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> None:
    """Replace the first targets by their means with ``other``."""
    targets[: len(other)] = (targets[: len(other)] + other) / 2


def _encode_texts(texts: LabelledTexts, vocabulary: Vocabulary) -> TrainingSet:
    ids = [np.array(vocabulary.encode_ids(text), np.uint16) for text in texts.texts]
    return _soft_set(Encoded.of(ids), texts.targets)


def _soft_set(reviews: Encoded, targets: npt.NDArray[np.float32]) -> TrainingSet:
    hard = Encoded(reviews.ids, reviews.offsets, (targets > 0.5).astype(np.int8))
    return TrainingSet(hard, targets)
