"""Recipes that are trained in a second, on the made-up reviews."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from model_training.corpus.cache import Corpus
from model_training.recipes.recipe import load_recipe
from model_training.recipes.settings import ClassifierSettings
from model_training.training.__main__ import main

SETTINGS = """
text = "modern"
directions = {directions}
embedding_size = 8
hidden_size = 8
precision = "fp32"
clip_norm = 1.0
dev_reviews = 8
seed = 1
batch_windows = 16
learning_rate = 0.03
embedding_dropout = 0.1
dropout = 0.1
pooling = "max+mean"
layer_decay = 1.0
schedule = "one-cycle"
word_dropout = 0.05
adversarial = 1.0
short_texts = false
keep_start = 0.0
ngrams = 0
epochs = 3
"""
LANGUAGE_MODELS = """
[[stages]]
name = "language-models"
kind = "language-model"
word_vectors = false
decay_epochs = 1
epochs = {epochs}
batch_windows = 1
warm_up_steps = 2
negatives = 20
"""
CHAIN = """
[[stages]]
name = "teacher"
kind = "classifier"
start = "language-models"
ngrams = 50

[[stages]]
name = "student"
kind = "classifier"
start = "teacher"
teacher = "teacher"
short_texts = true
epochs = 1
keep_start = 0.5
ngrams = 50
"""
ONE = """
[[stages]]
name = "small"
kind = "classifier"
"""


def settings_of(recipe: str) -> ClassifierSettings:
    """What the model of a recipe that ships is made by."""
    settings = load_recipe(recipe).stages[-1].settings
    assert isinstance(settings, ClassifierSettings)
    return settings


def write_recipe(path: Path, stages: str = ONE, directions: str = '["forward"]') -> Path:
    """A recipe with small sizes and few epochs."""
    head = f'bundle_weights = "fp32"\n[defaults]{SETTINGS.format(directions=directions)}'
    path.write_text(head + stages)
    return path


def write_chain(path: Path, directions: str = '["forward"]') -> Path:
    """Language models, a teacher from them and its student."""
    return write_recipe(path, LANGUAGE_MODELS.format(epochs=1) + CHAIN, directions)


def train(folder: Path, recipe: Path, *more: Any) -> Path:
    """Train in ``folder``, on the data in its ``data``; where the last stage's results are."""
    model = folder / "runs" / "model"
    places = {"data-dir": folder / "data", "model-dir": model, "checkpoint-dir": folder / "kept"}
    main([str(recipe), *(f"--{name}={path}" for name, path in places.items()), *map(str, more)])
    return model


def train_small(folder: Path, corpus: Corpus, *more: Any) -> Path:
    """Train one classifier of one direction on ``corpus``, which is in ``folder``/data."""
    return train(folder, write_recipe(folder / "small.toml"), *more)
