"""Programs end with one clear line, or none."""

from __future__ import annotations

import subprocess
import sys

import pytest

from model_training.errors import ReeltoneError
from model_training.files import run_command

PROGRAM = """
import sys
from model_training.files import run_command
def main(arguments):
    for number in range(100_000):
        print(number)
run_command(main, ValueError, [])
"""


@pytest.mark.parametrize("buffered", [True, False])
def test_a_reader_who_has_read_enough_is_no_error(buffered: bool) -> None:
    command = [sys.executable, *([] if buffered else ["-u"]), "-c", PROGRAM]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None and program.stderr is not None
        assert program.stdout.readline() == "0\n"
        program.stdout.close()
        assert program.stderr.read() == ""
    assert program.returncode == 1


def test_a_connection_that_breaks_is_not_taken_for_that_reader() -> None:
    def main(arguments: list[str]) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_command(main, ReeltoneError, [])


def test_an_expected_error_is_one_line() -> None:
    def main(arguments: list[str]) -> None:
        raise ReeltoneError("no such model")

    with pytest.raises(SystemExit, match=r"^error: no such model$"):
        run_command(main, ReeltoneError, [])
