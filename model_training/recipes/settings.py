"""What each kind of stage can be told, with its unit and reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import UnionType
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from model_training.errors import ConfigError
from review_text import CLASSIC, MODERN, TextSettings

Text = Literal["classic", "modern"]
Direction = Literal["forward", "backward"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
Pooling = Literal["last", "max+mean"]
Schedule = Literal["constant", "one-cycle"]
Precision = Literal["fp32", "bf16"]
BundleWeights = Literal["fp32", "int8"]

_TEXTS: dict[Text, TextSettings] = {"classic": CLASSIC, "modern": MODERN}


@dataclass(frozen=True, kw_only=True)
class StageSettings:
    """What all kinds of stages share. Together with the data and the stages before it, a stage's
    settings decide its result."""

    text: Text  # which text processing: review_text.CLASSIC or MODERN
    dev_reviews: int  # held out from training, in whole movies; 0 = none, for a published recipe
    seed: int  # of weights, order and dropout

    def __post_init__(self) -> None:
        for name in _RANGES.keys() & self.types():
            value, (least, most) = getattr(self, name), _RANGES[name]
            if not least <= value <= most:
                raise ConfigError(f"{name} = {value}; use {least} to {most}")

    @property
    def text_settings(self) -> TextSettings:
        """The text processing's own settings."""
        return _TEXTS[self.text]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The stages that must be finished before this one."""
        return ()

    @classmethod
    def types(cls) -> dict[str, Any]:
        """Give the type of each setting, by name."""
        return get_type_hints(cls)

    @classmethod
    def read(cls, values: Mapping[str, Any], origin: str) -> Self:
        """Read settings from what TOML or a command line has; ``origin`` is named in errors.

        Raises:
            ConfigError: a setting is missing, unknown, of another type or out of range.
        """
        types = cls.types()
        needed = {field.name for field in fields(cls) if field.name not in vars(cls)}
        missing, unknown = sorted(needed - values.keys()), sorted(values.keys() - types.keys())
        if missing or unknown:
            raise ConfigError(f"{origin}: missing {missing}, unknown {unknown}")
        try:
            return cls(**{name: _read(types[name], name, values[name]) for name in values})
        except ConfigError as error:
            raise ConfigError(f"{origin}: {error}") from error


@dataclass(frozen=True, kw_only=True)
class LanguageModelSettings(StageSettings):
    """A language model for each direction, from the training and unlabelled reviews."""

    directions: tuple[Direction, ...]  # each has a model of its own
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


@dataclass(frozen=True, kw_only=True)
class ClassifierSettings(StageSettings):
    """An LSTM for each direction, trained by itself; their logits are averaged."""

    directions: tuple[Direction, ...]
    embedding_size: int  # numbers a word vector has
    hidden_size: int  # LSTM units a direction
    pooling: Pooling  # what the output layer sees: the last state, or max and mean of all
    start: str | None = None  # an earlier stage whose weights each direction begins with
    teacher: str | None = None  # one whose probabilities label the unlabelled reviews
    transformer: str | None = None  # one that has labelled texts of many kinds; "none": without
    short_texts: bool  # learn excerpts too, and with a teacher negated sentences
    epochs: int  # passes over the training reviews
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
    ngrams: int  # entries of the linear side path; 0 = none

    @property
    def inputs(self) -> tuple[str, ...]:
        """Where it starts, and its teachers."""
        return tuple(dict.fromkeys(filter(None, (self.start, self.teacher, self.transformer))))


@dataclass(frozen=True, kw_only=True)
class TransformerSettings(StageSettings):
    """A transformer that knows English, fine-tuned on all labels, and the texts that it labels for
    a classifier to learn from."""

    length: int  # tokens of a text that it reads, of both its ends
    frozen_layers: int  # of 12; what they know of English is good enough
    batch_tokens: int  # in a batch, with padding
    learning_rate: float  # AdamW's, at its highest, of the layers that learn
    output_learning_rate: float  # AdamW's, of the output layer
    weight_decay: float  # AdamW's
    clip_norm: float  # largest norm of the gradient
    reviews: int  # training reviews learned from; the others it labels without having seen them
    phrases: int  # of SST-2 learned from
    neutral: int  # texts without an opinion, made of patterns, learned from
    neutral_passed_on: int  # such texts for the classifier
    opinions: int  # texts with an opinion, made of patterns, for the classifier
    ratings: int  # texts that are little but a rating, made of patterns, for the classifier
    sentences: int  # of all reviews, labelled
    renamed: int  # of those sentences, with another name in them
    edits: int  # of those sentences, labelled
    stretches: int  # of several sentences, labelled
    labelled: int  # training reviews, labelled: their stars count as much
    unlabelled: int  # reviews that nobody has labelled, labelled


KINDS: dict[str, type[StageSettings]] = {
    "language-model": LanguageModelSettings,
    "classifier": ClassifierSettings,
    "transformer": TransformerSettings,
}
"""What a stage of each kind is told; training/stages.py has what it does."""

_RANGES: dict[str, tuple[float, float]] = {
    "embedding_size": (1, 4096),
    "hidden_size": (1, 4096),
    "epochs": (0, 1000),
    "batch_windows": (1, 100_000),
    "decay_epochs": (0, 1000),
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
    "length": (8, 512),
    "frozen_layers": (0, 12),
    "batch_tokens": (8, 1_000_000),
    "output_learning_rate": (1e-8, 10),
    "weight_decay": (0, 10),
    **dict.fromkeys(("reviews", "labelled", "unlabelled"), (0, 50_000)),
    **dict.fromkeys(
        (
            "phrases",
            "neutral",
            "neutral_passed_on",
            "opinions",
            "ratings",
            "sentences",
            "renamed",
            "edits",
            "stretches",
        ),
        (0, 1_000_000),
    ),
    "dev_reviews": (0, 20_000),
    "seed": (0, 2**31),
}


def _read(kind: Any, name: str, value: Any) -> Any:
    """A setting of type ``kind`` from TOML's value, or from text as a command line has it."""
    if isinstance(kind, UnionType):  # str | None: what can be left out
        return None if value in (None, "none") else _read(str, name, value)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ConfigError(f"{name} = {value!r}; use one of {get_args(kind)}")
        return value
    if get_origin(kind) is tuple:
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, list) or not words or len(set(words)) < len(words):
            raise ConfigError(f"{name} = {value!r}; use a list, each once")
        return tuple(_read(get_args(kind)[0], name, word) for word in words)
    try:
        return _READERS[kind](value)
    except (ValueError, TypeError, KeyError):
        raise ConfigError(f"{name} = {value!r}; use a {_WORDS[kind]}") from None


def _read_int(value: Any) -> int:
    if isinstance(value, bool | float):
        raise TypeError
    return int(value)


def _read_float(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)


def _read_bool(value: Any) -> bool:
    return {"true": True, "false": False}[str(value).lower()]


def _read_str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


_READERS = {int: _read_int, float: _read_float, bool: _read_bool, str: _read_str}
_WORDS = {int: "whole number", float: "number", bool: "switch: true or false", str: "text"}
