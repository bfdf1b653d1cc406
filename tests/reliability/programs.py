"""The project's own commands with a small data set, for processes that are killed."""

from __future__ import annotations

import torch

from model_training.corpus import acl_imdb
from model_training.jobs import __main__ as jobs
from model_training.training.__main__ import main as train
from review_text import transform
from tests.small_corpus import expect

SMALL_PART = 5_000
"""Bytes of an object with reviews: some objects for few reviews."""


def _be_small() -> None:
    torch.set_num_threads(1)
    for folder in acl_imdb.EXPECTED:
        acl_imdb.EXPECTED[folder] = expect(folder)


def train_small(arguments: list[str]) -> None:
    """``python -m model_training.training``"""
    _be_small()
    train(arguments)


def jobs_small(arguments: list[str]) -> None:
    """``python -m model_training.jobs``"""
    _be_small()
    transform.PART = SMALL_PART
    jobs.main(arguments)
