"""Tables of reviews: what is read, and what is refused by which name."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from review_text import tables
from review_text.errors import TableError
from review_text.tables import MISSING, Table

ROOT = Path(__file__).resolve().parents[3]


def lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


def read(text: str) -> list[tuple[int, str | None]]:
    """Line and review of each row, or the reason why it has none in angle brackets."""
    return [
        (row.line, f"<{row.refusal.reason}>" if row.refusal else row.review)
        for row in Table(lines(text)).rows()
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_columns_are_put_apart_by_what_the_first_line_has_most_of(mark: str) -> None:
    text = f'id{mark}review{mark}stars\n1{mark}"Good, {mark} really"{mark}5\n'
    assert read(text) == [(2, f"Good, {mark} really")]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "^"])
@pytest.mark.parametrize("start", ["sep={}\r\n", "\r\nSEP={}\n"])
def test_the_line_that_tells_excel_what_puts_columns_apart_is_no_row(mark: str, start: str) -> None:
    head = start.format(mark)
    [row] = Table(lines(f'{head}id{mark}review\n1{mark}"Good; a, b | c ^ d"\n')).rows()
    assert (row.line, row.cells) == (head.count("\n") + 2, ["1", "Good; a, b | c ^ d"])


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("text,Review\nA long tale of two,Good film\n", 1),
        ("id,Text\nab,Good film\n", 1),
        ("a,b\nShort one,A much longer one\n", 1),
        ("a,b\nA much longer one,Short one\n", 0),
        ("only\nGood film\n", 0),
    ],
)
def test_the_column_with_the_reviews_is_found_by_its_name_or_its_words(
    text: str, column: int
) -> None:
    assert Table(lines(text)).column == column


def test_rows_may_go_over_lines_and_empty_lines_are_none() -> None:
    text = 'id,review\r\n\r\n1,"One\r\ntwo ""three"""\r\n\r\n2,Four five\r\n'
    assert read(text) == [(4, 'One\r\ntwo "three"'), (6, "Four five")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,", "empty"),
        ('1," "', "empty"),
        ("1,NaN", "missing"),
        ("1,#DIV/0!", "missing"),
        ("1,7.5", "number"),
        ("1,-3 %", "number"),
        ("id,review", "names"),
        ("1", "misfit"),
        ("1,2,A third", "misfit"),
        ('1,"Good" film', "broken"),
    ],
)
def test_a_row_without_a_review_is_refused_by_name_and_the_next_one_is_read(
    row: str, reason: str
) -> None:
    assert read(f"id,review\n{row}\n2,A fine film\n") == [(2, f"<{reason}>"), (3, "A fine film")]


def test_a_quote_that_never_ends_is_told_and_not_taken_for_a_review() -> None:
    assert read('id,review\n1,Good film\n2,"Bad film\n3,Odd\n') == [
        (2, "Good film"),
        (4, "<broken-end>"),
    ]


@pytest.mark.parametrize(
    ("rows", "cells"),
    [
        ('1,"Good" film,5\n2,Fine,4\n', ["1", '"Good" film', "5"]),
        ('1,"Good" film, though long,5\n', ["1", '"Good" film', " though long,5"]),
        ('1,"Good\nfilm" all in all,5\n', ["1", '"Good\nfilm" all in all', "5"]),
        ('1,"Good film,5\n', ["1", '"Good film', "5"]),
        ('1,"Good film,5\n2,Fine,4\n3,Fine,4\n', ["1", '"Good film', "5"]),
        ('"Good film\nand no more', ['"Good film\nand no more', "", ""]),
    ],
)
def test_a_broken_row_keeps_its_text(rows: str, cells: list[str]) -> None:
    table = Table(lines(f"id,review,stars\n0,A fine film,5\n{rows}"))
    _, broken, *_ = table.rows()
    assert broken.refusal is not None and broken.refusal.reason.startswith("broken")
    assert broken.cells == cells


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "nothing"),
        (" \r\n\n", "nothing"),
        ("id,review\n", "only-names"),
        ("id,stars\n1,5\n2,4\n", "no-text"),
        ("sep=;\n", "nothing"),
        ('"review"\t"stars"\n"1"\t"Good film"\t5\n"2"\t"Bad film"\t1\n', "other-width"),
        ('"review","stars"\n"1","Good film",5\n"2","Bad film",1\n', "other-width"),
    ],
)
def test_a_file_that_is_no_table_of_reviews_is_refused_by_name(content: str, reason: str) -> None:
    with pytest.raises(TableError) as raised:
        Table(lines(content))
    assert raised.value.refusal.reason == reason


def test_a_file_without_lines_is_refused_before_all_of_it_is_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "_MAX_LINE", 1_000)
    file = io.StringIO("id,review\n1," + "a b " * 10_000)
    with pytest.raises(TableError) as raised:
        Table(file)
    assert raised.value.refusal.reason == "binary"
    assert file.tell() < 2_000


def test_what_stands_for_a_missing_value_is_what_the_website_takes_for_one() -> None:
    kinds = (ROOT / "frontend/js/many/reading/kinds.js").read_text(encoding="utf-8")
    [words] = re.findall(r'"(nan [^"]*)"\.split', kinds)
    assert set(words.replace("\\\\", "\\").split()) == MISSING
