"""What a transformer passes on to its students: texts, and how positive it thinks each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model_training.corpus.reviews import Texts
from model_training.files import replacing

TEXTS = "texts.npz"

Targets = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LabelledTexts:
    """Texts of many kinds, and the opinion on reviews that are elsewhere."""

    texts: Sequence[str]
    targets: Targets
    """[texts] probabilities of positive."""
    training_targets: Targets
    """[reviews] probabilities of positive of the first training reviews, without those of dev."""
    unlabelled_targets: Targets
    """[reviews] probabilities of positive of the first unlabelled reviews."""

    def __len__(self) -> int:
        """How many texts and reviews there is an opinion on."""
        return sum(map(len, (self.targets, self.training_targets, self.unlabelled_targets)))


def save_texts(labelled: LabelledTexts, folder: Path) -> None:
    """Write them for ``load_texts``."""
    texts = Texts.of([text.encode() for text in labelled.texts])
    with replacing(folder / TEXTS) as part, part.open("wb") as file:
        np.savez(
            file,
            blob=texts.blob,
            offsets=texts.offsets,
            targets=labelled.targets,
            labelled=labelled.training_targets,
            unlabelled=labelled.unlabelled_targets,
        )


def load_texts(folder: Path) -> LabelledTexts:
    """Load what a finished transformer left in ``folder``."""
    with np.load(folder / TEXTS) as arrays:
        texts = Texts(arrays["blob"], arrays["offsets"])
        opinions = (arrays[name] for name in ("targets", "labelled", "unlabelled"))
        return LabelledTexts(texts, *opinions)
