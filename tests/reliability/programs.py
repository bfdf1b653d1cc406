"""The project's own commands with a small data set, for processes that are killed."""

from __future__ import annotations

import torch

from model_training import data, pretrain, train
from model_training.jobs import __main__ as jobs
from model_training.jobs import transform, upload
from tests.unit.model_training.conftest import REVIEWS, reviews_of

LEAST_PART = 5 * 1024**2
"""Bytes: S3 takes no smaller part, and a small archive is to have several."""

SMALL_PART = 5_000
"""Bytes of an object with reviews: some objects for few reviews."""


def _be_small() -> None:
    torch.set_num_threads(1)
    for folder in data.EXPECTED:
        data.EXPECTED[folder] = (REVIEWS, sum(len(text.encode()) for text in reviews_of(folder)))


def train_small(arguments: list[str]) -> None:
    """``python -m model_training.train``"""
    _be_small()
    train.main(arguments)


def pretrain_small(arguments: list[str]) -> None:
    """``python -m model_training.pretrain``"""
    _be_small()
    pretrain.main(arguments)


def jobs_small(arguments: list[str]) -> None:
    """``python -m model_training.jobs``"""
    _be_small()
    upload.PART, transform.PART = LEAST_PART, SMALL_PART
    jobs.main(arguments)
