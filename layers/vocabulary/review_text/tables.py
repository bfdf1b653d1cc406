"""Reviews in a table: CSV with commas, semicolons, tabs or bars.

What cannot be read is refused by name, as on the website: a file as a whole, or a row of it.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import TextIOBase
from itertools import chain, islice

from review_text.errors import Refusal, TableError

csv.field_size_limit(1 << 20)  # a stray quote must not hold the rest of a file

NAMES = ("review", "text", "comment", "body", "content")
"""Names of the column with the reviews, the likeliest first. Without one: the wordiest column."""
DELIMITERS = ",;\t|"
_SEPARATOR = re.compile(r'\s*sep=([^"\r\n])\s*', re.IGNORECASE)
"""The line above the names in which Excel is told what puts columns apart."""
_MAX_LINE = 1 << 24
"""Characters. A line that is longer is no row of any table of reviews."""
_LOOKED_AT = 100
"""Rows that a column is chosen by."""
_NUMBER = re.compile(r"[-+]?[$€£]?\s?[\d.,:/ ]*\d[\d.,:/ ]*(?:e[-+]?\d+)?\s*%?", re.IGNORECASE)
_WORDS = re.compile(r"[^\W\d_]+\W+[^\W\d_]+")
MISSING = frozenset(
    [
        r"nan",
        r"-nan",
        r"na",
        r"n/a",
        r"#n/a",
        r"#na",
        r"null",
        r"(null)",
        r"[null]",
        r"none",
        r"nil",
        r"<na>",
        r"nat",
        r"\n",
        r"#name?",
        r"#value!",
        r"#ref!",
        r"#div/0!",
        r"#null!",
        r"#num!",
        r"#n/a!",
        r"#error!",
        r"undefined",
        r"missing",
        r"n.a.",
        r"(none)",
        r"(empty)",
        r"[empty]",
        r"(blank)",
        r"[blank]",
        r"[deleted]",
        r"[removed]",
    ]
)
"""What stands for a missing value, in lower case."""


@dataclass(frozen=True)
class Row:
    """A row below the names of the columns."""

    line: int
    """Number of the file's line, from 1, that it ends in."""
    cells: list[str]
    """As many as there are columns; what a row that does not fit has beyond them is in the last.
    Of a row that is broken: its text between delimiters, quotes and all."""
    review: str
    refusal: Refusal | None
    """Why it has no review."""


class Table:
    """A table of reviews, whose rows are read once, one after the other."""

    def __init__(self, lines: Iterable[str], delimiters: str = DELIMITERS) -> None:
        """Read the names of the columns, and find the one with the reviews.

        ``lines`` are those of a file that was opened with ``newline=""``.

        Raises:
            TableError: it is no table, or has no rows, or no column of text.
        """
        self._lines = _Lines(lines)
        head = self._lines.skip_blank()
        if head and (told := _SEPARATOR.fullmatch(head)):
            next(self._lines)
            delimiters, head = told[1], self._lines.skip_blank()
        if head is None:
            raise TableError("nothing")
        self._delimiter = max(delimiters, key=lambda mark: len(_split(head, mark)))
        self._width = 0  # not known yet
        self._records = self._read()
        _, first, refusal = next(self._records)
        self.columns = _split(head, self._delimiter) if refusal else first
        self._width = len(self.columns)
        self._first = list(islice(self._records, _LOOKED_AT))
        if not self._first:
            raise TableError("only-names")
        self._refuse_width()
        self.column = self._find_column([cells for _, cells, refusal in self._first if not refusal])

    def rows(self) -> Iterator[Row]:
        """Give the rows in order, once; lines without anything are none."""
        for line, cells, broken in chain(self._first, self._records):
            fitted = self._fit(cells)
            refusal = broken or self._refuse(cells, fitted[self.column])
            yield Row(line, fitted, "" if refusal else fitted[self.column], refusal)

    def _read(self) -> Iterator[tuple[int, list[str], Refusal | None]]:
        """Line number and cells of each row that has any, and why they can't be told apart."""
        lines = self._lines
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        while True:
            lines.taken.clear()
            cells, refusal = list[str](), None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                refusal = Refusal("broken-end" if "end of data" in str(error) else "broken", {})
            if refusal or self._are_rows(lines.taken):
                # A quote that belongs to no field.
                cells, refusal = self._read_plainly(refusal or Refusal("broken", {}))
            if cells:
                yield lines.number, cells, refusal

    def _are_rows(self, lines: list[str]) -> bool:
        """Whether each of several lines is a row by itself: no quote holds them together."""
        if len(lines) < 2 or self._width < 2 or (self._delimiter != "\t" and len(lines) < 3):
            return False
        return all(line.count(self._delimiter) == self._width - 1 for line in lines)

    def _read_plainly(self, refusal: Refusal) -> tuple[list[str], Refusal | None]:
        """Read the taken lines as they stand; where each is a row, only the first of them.

        A tab is never a part of a review, so there a quote can be taken for what it says.
        """
        lines = self._lines.taken[:]
        if self._are_rows(lines):
            self._lines.give_back(lines[1:])
            lines = lines[:1]
        cells = "".join(lines).rstrip("\r\n").split(self._delimiter)
        is_told = self._delimiter == "\t" and len(lines) == 1 and refusal.reason != "broken-end"
        return cells, None if is_told else refusal

    def _refuse_width(self) -> None:
        """Refuse a table whose names are not those of its columns: R leaves out the first."""
        widths = {len(cells) for _, cells, _ in self._first}
        if len(self._first) > 1 and len(widths) == 1 and self._width not in widths:
            raise TableError("other-width", width=self._width, found=widths.pop())

    def _find_column(self, rows: list[list[str]]) -> int:
        names = [name.strip().lower() for name in self.columns]
        for name in NAMES:
            if name in names:
                return names.index(name)
        whole = [cells for cells in rows if len(cells) == len(names)]
        wordy = [sum(len(cells[at]) for cells in whole) for at in range(len(names))]
        best = max(range(len(names)), key=wordy.__getitem__, default=0)
        if not any(_WORDS.search(cells[best]) for cells in whole):
            raise TableError("no-text", columns=", ".join(self.columns))
        return best

    def _fit(self, cells: list[str]) -> list[str]:
        last = self._width - 1
        return [*cells[:last], self._delimiter.join(cells[last:])] + [""] * (last - len(cells))

    def _refuse(self, cells: list[str], review: str) -> Refusal | None:
        if len(cells) != self._width:
            return Refusal("misfit", {"found": len(cells), "width": self._width})
        return Refusal("names", {}) if cells == self.columns else refuse_value(review)


class _Lines:
    """Lines that can be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        if isinstance(lines, TextIOBase):  # some files have no lines, and more than fits in memory
            file = lines
            lines = iter(lambda: file.readline(_MAX_LINE), "")
        self._lines, self._again = iter(lines), deque[str]()
        self.number = 0
        """Number of the last line that was taken, from 1."""
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        if len(line) >= _MAX_LINE:
            raise TableError("binary")
        self.number += 1
        self.taken.append(line)
        return line

    def give_back(self, lines: list[str]) -> None:
        """Take the last ones once more, later."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)

    def skip_blank(self) -> str | None:
        """Go to the first line with anything in it, and show it."""
        for line in self:
            if line.strip():
                self.give_back([line])
                return line
        return None


def refuse_value(value: object) -> Refusal | None:
    """Say why a value is no review; it may be too long or have no word all the same."""
    if isinstance(value, int | float):
        return Refusal("number", {})
    if not isinstance(value, str) or not (text := value.strip()):
        return Refusal("empty", {})
    if text.lower() in MISSING:
        return Refusal("missing", {"value": text})
    return Refusal("number", {}) if _NUMBER.fullmatch(text) else None


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])
