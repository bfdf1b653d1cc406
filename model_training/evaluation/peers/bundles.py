"""Reeltone's own models, as they are served."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model_training.evaluation.peers.peer import Family, Floats, Peer, Reviews
from model_training.paths import MODELS
from model_training.serving.bundle import FILES, read_bundle
from model_training.serving.scorer import load_model


class Bundle(Peer):
    """A shipped bundle: nothing is trained here."""

    package = "onnxruntime"
    trained_here = False

    def __init__(self, name: str, title: str, family: Family, remark: str) -> None:
        self.name, self.title, self.family, self.remark = name, title, family, remark
        self._folder = MODELS / name

    def version(self) -> str:
        """The bundle's version, which names its content."""
        return str(read_bundle(self._folder).manifest.version)

    def fit(self, train: Reviews, dev: Reviews, folder: Path, scratch: Path) -> None:
        """Do nothing: model_training.training has trained it, on the same reviews."""

    def load(self, folder: Path) -> None:
        """Open the bundle."""
        self._model = load_model(self._folder)

    def logits(self, texts: Sequence[str]) -> Floats:
        """[texts] calibrated log odds of positive."""
        vocabulary = self._model.vocabulary
        results = self._model.score([vocabulary.encode_ids(text) for text in texts])
        return np.array([result.logit for result in results]) / self._model.temperature

    def files(self) -> list[Path]:
        """The bundle's files."""
        return [self._folder / file for file in FILES]
