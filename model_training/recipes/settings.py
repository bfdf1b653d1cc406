"""A training run's settings: one block, each with its unit and reason."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from model_training.errors import ConfigError
from review_text import CLASSIC, MODERN, TextSettings

RECIPES = Path(__file__).parent

Text = Literal["classic", "modern"]
Pooling = Literal["last", "max+mean"]
Schedule = Literal["constant", "one-cycle"]
Precision = Literal["fp32", "bf16"]
BundleWeights = Literal["fp32", "int8"]

_TEXTS = {"classic": CLASSIC, "modern": MODERN}


@dataclass(frozen=True)
class _Settings:
    """What the settings of all kinds of run share: the text, and that they are checked."""

    text: Text  # which text processing: review_text.CLASSIC or MODERN

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _CHOICES and value not in _CHOICES[field.name]:
                raise ConfigError(f"{field.name} = {value!r}; use one of {_CHOICES[field.name]}")
            if field.name in _RANGES:
                least, most = _RANGES[field.name]
                if not least <= value <= most:
                    raise ConfigError(f"{field.name} = {value}; use {least} to {most}")

    @property
    def text_settings(self) -> TextSettings:
        """The text processing's own settings."""
        return _TEXTS[self.text]


@dataclass(frozen=True)
class TrainingConfig(_Settings):
    """Everything that decides a classifier's result, with the data."""

    embedding_size: int  # numbers a word vector has
    hidden_size: int  # LSTM units a direction
    bidirectional: bool  # two LSTMs: one reads each window from its start, one from its end
    backward: bool  # a single LSTM reads each window from its end
    pooling: Pooling  # what the output layer sees: the last state, or max and mean of all
    start_from: str  # "random", "word-vectors" (skip-gram), or an earlier stage; "forward+backward"
    # joins two classifiers of one direction, whose logits are averaged
    teacher: str  # "none", or an earlier stage, whose probabilities label the unlabelled reviews
    short_texts: bool  # learn excerpts too, and with a teacher negated sentences
    epochs: int  # passes over the training reviews; 0 = as it starts
    head_epochs: int  # the first of them, in which only the output layer learns
    batch_windows: int  # windows in a batch; fixed, since each new shape costs the CPU new kernels
    learning_rate: float  # Adam's, at its highest, of the output layer
    layer_decay: float  # the LSTM's learning rate is smaller by this, the vectors' by it once more
    schedule: Schedule  # one-cycle: up over the first 30 %, then down to nothing (cosine)
    embedding_dropout: float  # share of vector entries zeroed, the same ones in a whole review
    word_dropout: float  # share of words replaced by "infrequent"
    dropout: float  # share of pooled features zeroed
    adversarial: float  # length of the worst change to a review's vectors, in their rms; 0 = none
    clip_norm: float  # largest norm of the gradient; 0 = not clipped
    keep_start: float  # share of the weights it started from in those it ends with; 0 = none
    precision: Precision  # of the LSTM's arithmetic; the weights stay in fp32
    bundle_weights: BundleWeights  # of the LSTM as it ships
    ngrams: int  # entries of the linear side path; 0 = none
    dev_reviews: int  # held out from training, in whole movies; 0 = none, for a published recipe
    seed: int  # of weights, order and dropout


@dataclass(frozen=True)
class PretrainingConfig(_Settings):
    """Everything that decides a language model's result, with the data."""

    embedding_size: int  # numbers a word vector has
    hidden_size: int  # LSTM units
    word_vectors: bool  # start from skip-gram vectors of the training and unlabelled reviews
    epochs: float  # passes over the training and unlabelled reviews
    decay_epochs: float  # over the last so many passes the learning rate falls to nothing
    batch_windows: int  # windows in a batch
    learning_rate: float  # Adam's, before it falls
    warm_up_steps: int  # over which the learning rate rises
    negatives: int  # words that each next word is told apart from, the same in a whole batch
    embedding_dropout: float  # share of vector entries zeroed, the same ones in a whole window
    dropout: float  # share of the LSTM's outputs zeroed
    clip_norm: float  # largest norm of the gradient
    precision: Precision  # of the matrices' arithmetic; the weights stay in fp32
    dev_reviews: int  # not read, in whole movies: the same as the classifier's dev reviews
    seed: int  # of weights, order, negatives and dropout


_CHOICES = {
    "text": get_args(Text),
    "pooling": get_args(Pooling),
    "schedule": get_args(Schedule),
    "precision": get_args(Precision),
    "bundle_weights": get_args(BundleWeights),
}
_RANGES: dict[str, tuple[float, float]] = {
    "embedding_size": (1, 4096),
    "hidden_size": (1, 4096),
    "epochs": (0, 1000),
    "batch_windows": (1, 100_000),
    "decay_epochs": (0, 1000),
    "head_epochs": (0, 1000),
    "layer_decay": (1, 100),
    "adversarial": (0, 1000),
    "ngrams": (0, 500_000),
    "warm_up_steps": (0, 1_000_000),
    "negatives": (1, 100_000),
    "learning_rate": (1e-8, 10),
    "embedding_dropout": (0, 0.95),
    "word_dropout": (0, 0.95),
    "dropout": (0, 0.95),
    "keep_start": (0, 1),
    "clip_norm": (0, 1e6),
    "dev_reviews": (0, 20_000),
    "seed": (0, 2**31),
}
_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool}


_Kind = TypeVar("_Kind", bound=_Settings)


def load_config(name: str, overrides: Mapping[str, Any] | None = None) -> TrainingConfig:
    """The settings of ``configs/<name>.toml`` (or of the file ``name``), with ``overrides``.

    Raises:
        ConfigError: no such file, not TOML, or a setting is missing, unknown or out of range.
    """
    return _load(TrainingConfig, name, overrides)


def load_pretraining_config(
    name: str, overrides: Mapping[str, Any] | None = None
) -> PretrainingConfig:
    """The same for a language model's settings; raises as ``load_config``."""
    return _load(PretrainingConfig, name, overrides)


def is_pretraining(name: str) -> bool:
    """Whether ``configs/<name>.toml`` is a language model's."""
    return (RECIPES / f"{name}.toml").exists() and "negatives" in tomllib.loads(
        (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
    )


def _load(kind: type[_Kind], name: str, overrides: Mapping[str, Any] | None) -> _Kind:
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(sorted(file.stem for file in RECIPES.glob("*.toml")))
        raise ConfigError(f"no configuration {name!r}; there are {known}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    return _make(kind, values | dict(overrides or {}), str(path))


def make_config(values: Mapping[str, Any], origin: str) -> TrainingConfig:
    """A configuration from plain values; ``origin`` is named in errors."""
    return _make(TrainingConfig, values, origin)


def _make(kind: type[_Kind], values: Mapping[str, Any], origin: str) -> _Kind:
    expected = {field.name: _TYPES.get(str(field.type), str) for field in fields(kind)}
    missing, unknown = sorted(expected.keys() - values), sorted(values.keys() - expected)
    if missing or unknown:
        raise ConfigError(f"{origin}: missing {missing}, unknown {unknown}")
    for name, of_type in expected.items():
        value = values[name]
        if type(value) is not of_type and not (of_type is float and type(value) is int):
            raise ConfigError(f"{origin}: {name} = {value!r}; use a {of_type.__name__}")
    return kind(**values)


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """One option for each setting, as SageMaker passes hyperparameters: ``--epochs 3``."""
    group = parser.add_argument_group("settings that replace the configuration's")
    for field in fields(TrainingConfig):
        kind = _TYPES.get(str(field.type), str)
        group.add_argument(
            f"--{field.name.replace('_', '-')}",
            f"--{field.name}",
            dest=field.name,
            type=_read_bool if kind is bool else kind,
            metavar=str(getattr(kind, "__name__", kind)).upper(),
        )


def overrides_of(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given on the command line."""
    values = {field.name: getattr(options, field.name) for field in fields(TrainingConfig)}
    return {name: value for name, value in values.items() if value is not None}


def _read_bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r}; use true or false")
    return text.lower() == "true"
