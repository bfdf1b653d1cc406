"""Programs in processes of their own that end by SIGKILL, at a moment that they cannot choose.

The programs are the project's own commands, with a small data set. They are forked from a process
that has imported what takes long, so that one can be killed many times. The moments are operations
on files, where what a program leaves is least whole, or a time.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch

from model_training.corpus import acl_imdb
from model_training.jobs import __main__ as jobs
from model_training.training.__main__ import main as train
from review_text import transform
from tests.small_corpus import expect

Program = Callable[[list[str]], None]
"""A command's ``main``, with its arguments."""

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([__name__])
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link"}
_WRITES = os.O_WRONLY | os.O_RDWR


@dataclass(frozen=True)
class Moment:
    """An operation that changes a file or a folder."""

    number: int
    """From 1 on."""
    empty: bool
    """Whether a file that it opens for writing is there already, with nothing in it."""


@dataclass
class Killer:
    """Notes operations below a folder, as an audit hook, and ends the process at one of them."""

    folder: str
    moment: Moment | None
    operations: list[str] = field(default_factory=list)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Before each operation of the process."""
        opens = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES
        if not opens and event not in _CHANGES:
            return
        if not isinstance(arguments[0], str | Path) or self.folder not in str(arguments[0]):
            return
        self.operations.append(event)
        if self.moment is None or len(self.operations) != self.moment.number:
            return
        if opens and self.moment.empty:
            os.close(os.open(arguments[0], os.O_CREAT | os.O_TRUNC | os.O_WRONLY))
        os.kill(os.getpid(), signal.SIGKILL)


def start(
    program: Program,
    arguments: list[str],
    folder: Path,
    moment: Moment | None = None,
    environment: Mapping[str, str] | None = None,
) -> BaseProcess:
    """Start a program that is killed at ``moment``, an operation below ``folder``."""
    started = _SERVER.Process(
        target=_run, args=(program, arguments, str(folder), moment, dict(environment or {}))
    )
    started.start()
    return started


def run(program: Program, arguments: list[str], folder: Path, moment: Moment | None = None) -> int:
    """Run a program to its end; its exit code, -9 where it was killed."""
    process = start(program, arguments, folder, moment)
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def moments_of(folder: Path) -> list[Moment]:
    """All moments of the program that last came to its end below ``folder``."""
    operations = json.loads(_noted(str(folder)).read_text())
    return [
        Moment(number, empty)
        for number, operation in enumerate(operations, 1)
        for empty in ((False, True) if operation == "open" else (False,))
    ]


def choose_moments(moments: list[Moment], number: int, seed: int) -> list[Moment]:
    """So many of them, in random order; half of them leave a file empty, if there are as many."""
    chance = random.Random(seed)
    chance.shuffle(moments)
    rest = [moment for moment in moments if not moment.empty]
    chosen = [moment for moment in moments if moment.empty][: (number + 1) // 2]
    chosen += rest[: number - len(chosen)]
    return chance.sample(chosen, len(chosen))


def _run(
    program: Program,
    arguments: list[str],
    folder: str,
    moment: Moment | None,
    environment: dict[str, str],
) -> None:
    os.environ.update(environment)
    killer = Killer(folder, moment)
    sys.addaudithook(killer)
    program(arguments)
    _noted(folder).write_text(json.dumps(killer.operations))


def _noted(folder: str) -> Path:
    return Path(f"{folder}.operations")


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
