"""Parts of documents that commands write."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_training.documents import fill_section, table
from model_training.errors import ReeltoneError

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
