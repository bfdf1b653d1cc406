"""What every compared model has in common, and how a score without a probability gets one."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from model_training.errors import ReeltoneError
from model_training.evaluation.calibration import fit_line
from review_text import CLASSIC, MODERN
from review_text.tokens import find_surfaces, make_normalise

Floats = npt.NDArray[np.floating[Any]]


class PeerError(ReeltoneError):
    """A compared model cannot be trained, loaded or found."""


@dataclass(frozen=True)
class Reviews:
    """Texts and what their authors thought."""

    texts: Sequence[str]
    labels: npt.NDArray[np.integer[Any]]
    """[reviews]: 1 positive, 0 negative."""


class Peer(ABC):
    """A model that is compared: trained on the same reviews, asked for the same test reviews."""

    name: str
    """On the command line and in file names."""
    title: str
    package: str
    """The distribution on PyPI that it stands on."""
    remark: str
    """For the reader of the table: where its hyperparameters come from, what may be unfair."""

    trained_here: bool = True
    """Whether ``fit`` is what trains it, so that its time means something."""
    earlier_seconds: float = 0.0
    """Processor seconds of its training that an interrupted run had spent before."""
    own_threshold: float | None = None
    """The logit where its package draws the line, when the comparison draws it elsewhere."""

    @abstractmethod
    def fit(self, train: Reviews, dev: Reviews, folder: Path, scratch: Path) -> None:
        """Train, and leave what was learned in ``folder``.

        What is only of use to a run that takes up this one again goes to ``scratch``.
        """

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Get ready to score with what ``fit`` left in ``folder``."""

    @abstractmethod
    def logits(self, texts: Sequence[str]) -> Floats:
        """Give [texts] log odds of positive."""

    def files(self) -> list[Path]:
        """Files that it reads when it scores, besides those in its folder."""
        return []

    def missing(self) -> str:
        """Say what this machine lacks to ask it; nothing where it lacks nothing."""
        return ""

    def version(self) -> str:
        """Give what was compared; a result of another version is out of date. Empty: not
        installed."""
        try:
            return f"{self.package} {version(self.package)}"
        except PackageNotFoundError:
            return ""


@dataclass(frozen=True)
class Platt:
    """Turns a score into log odds (Platt, 1999)."""

    slope: float
    intercept: float

    def __call__(self, scores: Floats) -> Floats:
        return self.slope * np.asarray(scores, np.float64) + self.intercept


def fit_platt(scores: Floats, labels: npt.NDArray[np.integer[Any]]) -> Platt:
    """Give the line from scores to log odds that makes the labels most likely."""
    return Platt(*fit_line(scores, labels))


def log_odds(probabilities: Floats) -> Floats:
    """Give logits of probabilities, finite where they are rounded to 0 or 1."""
    logits: Floats = logit(np.clip(np.asarray(probabilities, np.float64), 1e-7, 1 - 1e-7))
    return logits


def optional(module: str) -> Any:
    """Give a module that only the comparison needs.

    Raises:
        PeerError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise PeerError(
            f"{module} is not installed ({error}); pip install '.[run,train,peers]'"
        ) from error


_normalise_modern = make_normalise(MODERN)
_normalise_classic = make_normalise(CLASSIC)


def modern(text: str) -> list[str]:
    """Give the tokens of the shipped model, of the whole review."""
    return [_normalise_modern(surface) or "" for surface in find_surfaces(text, MODERN)]


def classic(text: str) -> list[str]:
    """Give stems without stop words and punctuation, of the whole review."""
    words = map(_normalise_classic, find_surfaces(text, CLASSIC))
    return [word for word in words if word is not None]
