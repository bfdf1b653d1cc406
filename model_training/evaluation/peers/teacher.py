"""The transformer that taught the shipped model: what it would be to serve it instead."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch

from model_training.corpus.cache import DEFAULT_FOLDER
from model_training.corpus.pretrained import prepare_pretrained
from model_training.evaluation.peers.peer import Floats, Peer, Reviews
from model_training.networks.transformer import WEIGHTS, load_transformer, score_texts
from model_training.paths import RUNS


class Teacher(Peer):
    """The transformer of a finished training."""

    name = "teacher"
    title = "MPNet, fine-tuned: its teacher"
    package = "transformers"
    trained_here = False
    remark = (
        "The transformer that taught Reeltone (all-mpnet-base-v2, 110 million weights), as `make "
        "train` leaves it. One pass over 7,000 of the training reviews, counterfactual reviews and "
        "phrases of SST-2 has fine-tuned it: it is there to know sentences, and would know more of "
        "whole reviews if it had read all of them. It reads 224 word pieces of a review, of both "
        "its ends, in bfloat16. Its training time is in model_log.md."
    )

    def __init__(self, run: Path = RUNS / "transformer", data: Path = DEFAULT_FOLDER) -> None:
        """``run`` is the folder of the stage; ``data`` has what it was fine-tuned from."""
        self._run, self._data = run, data

    def version(self) -> str:
        """Give the package and the weights; empty where one of them is not here."""
        package, about = super().version(), self._run / "run.json"
        if not package or not about.exists():
            return ""
        return f"{package} teacher-{json.loads(about.read_text())['weights'][:12]}"

    def missing(self) -> str:
        """Say where its weights should be, if they are not, or what reads them."""
        if self.version():
            return ""
        if not super().version():
            return f"{self.package} is not installed; pip install '.[run,train,peers]'"
        return f"{self._run} has no weights; make train leaves them there"

    def fit(self, train: Reviews, dev: Reviews, folder: Path, scratch: Path) -> None:
        """Do nothing: model_training.training has trained it, on the same reviews."""

    def load(self, folder: Path) -> None:
        """Read the weights that ``make train`` left."""
        pretrained = prepare_pretrained(self._data)
        self._read = [
            self._run / WEIGHTS,
            pretrained / "model.safetensors",
            pretrained / "tokenizer.json",
        ]
        self._model, self._reader = load_transformer(self._run, pretrained)

    def logits(self, texts: Sequence[str]) -> Floats:
        """Give [texts] log odds of positive."""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return score_texts(self._model, self._reader, texts)

    def files(self) -> list[Path]:
        """Give what has learned, what it started from, and the tokeniser."""
        return self._read
