"""Sentiment lexicons that need no training: VADER and TextBlob."""

from __future__ import annotations

import json
import os
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model_training.evaluation.peers.peer import Floats, Peer, Platt, Reviews, fit_platt, optional


class Lexicon(Peer):
    """Scores from -1 to 1 by rules; dev says where they turn positive, and how sure that is."""

    family = "lexicon"

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
        """[texts] log odds of positive."""
        return self._line(self._scores(texts))

    def _scores(self, texts: Sequence[str]) -> Floats:
        return np.array([self.rate(text.replace("<br />", " ")) for text in texts])

    @abstractmethod
    def open(self) -> None:
        """Read the lexicon."""

    @abstractmethod
    def rate(self, text: str) -> float:
        """From -1, negative, to 1, positive."""


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
        """The compound score, from -1 to 1."""
        return float(self._rate(text)["compound"])

    def files(self) -> list[Path]:
        """Its lexicons of words and emoji."""
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
        """The polarity, from -1 to 1."""
        return float(self._blob(text).sentiment.polarity)

    def files(self) -> list[Path]:
        """Its lexicon of adjectives."""
        return [self._folder / "en" / "en-sentiment.xml"]
