"""The local stack as the benchmarks start it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from typing import IO

import pytest

from benchmarks import start
from benchmarks.chain import python
from benchmarks.results import BenchmarkError


def test_a_stack_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def fail(
        arguments: Sequence[str], log: IO[bytes] | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        with python(("-c", "import sys; sys.exit('port 80 is taken')"), log) as process:
            yield process

    monkeypatch.setattr(start, "python", fail)
    with (
        pytest.raises(BenchmarkError, match="the local stack did not start: port 80 is taken"),
        start.local_stack(),
    ):
        pass


def test_a_process_of_python_ends_with_the_block() -> None:
    with python(("-c", "import time; print('up', flush=True); time.sleep(600)")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
    assert process.returncode is not None
