"""Programs end with one clear line, or none; sections of documents are filled where they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from model_training.errors import ReeltoneError
from model_training.files import fill_section, run_command, table

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


TEXT = (
    "before\n<!-- a:begin -->\nold\nlines\n<!-- a:end -->\nafter <!-- b:begin --><!-- b:end -->\n"
)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "card.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_section_is_replaced_and_nothing_else(document: Path) -> None:
    fill_section(document, "a", r"new \1 ünïcode" + "\n\n")
    new = "<!-- a:begin -->\nnew \\1 ünïcode\n<!-- a:end -->"
    assert document.read_text(encoding="utf-8") == TEXT.replace(
        "<!-- a:begin -->\nold\nlines\n<!-- a:end -->", new
    )


def test_filling_twice_gives_the_same_document(document: Path) -> None:
    fill_section(document, "b", "figures")
    once = document.read_text(encoding="utf-8")
    fill_section(document, "b", "figures")
    assert document.read_text(encoding="utf-8") == once


def test_a_document_without_the_section_or_with_it_twice_is_refused(document: Path) -> None:
    with pytest.raises(ReeltoneError, match="c:begin"):
        fill_section(document, "c", "figures")
    document.write_text(TEXT + TEXT, encoding="utf-8")
    with pytest.raises(ReeltoneError, match="once"):
        fill_section(document, "a", "figures")


def test_a_missing_document_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReeltoneError, match=r"card\.md: No such file"):
        fill_section(tmp_path / "card.md", "a", "figures")


def test_a_table_escapes_what_would_end_a_cell() -> None:
    assert table(["name"], [["a|b\nc"]]) == "| name |\n| --- |\n| a\\|b c |"


def test_columns_of_numbers_are_aligned_to_the_right() -> None:
    rows = [["first", "-0.1 ± 0.2", "1 to 9"], ["second", "12%", "more"]]
    assert table(["", "a", "b"], rows).splitlines()[1] == "| --- | ---: | --- |"
    assert table(["a", "b"], []) == "| a | b |\n| --- | --- |"
