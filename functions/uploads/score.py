"""From a file of reviews to the same file with their sentiments, and a report of its other rows."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from itertools import islice

from errors import CallerError
from review_text.encodings import find_encoding
from review_text.predict import MAX_REVIEWS, Prediction
from review_text.refusals import TableError, say
from review_text.tables import Row, Table

ANSWERS = ("sentiment", "probability", "verdict", "truncated", "problem")
"""Columns that are added."""

Outcome = Prediction | CallerError
Ask = Callable[[list[str]], Sequence[Outcome]]
"""Gives a prediction or an error for each of up to ``MAX_REVIEWS`` reviews."""


@dataclass(frozen=True)
class Scored:
    """What is written beside a file."""

    table: bytes | None
    """The file's rows with their answers, as CSV; None: the file cannot be read."""
    report: bytes
    """Line and reason of each row without an answer, or of the file, as CSV."""
    rows: int
    problems: int


def score_file(content: bytes, ask: Ask) -> Scored:
    """Score the reviews of a file.

    Raises:
        ServiceError: as ``ask`` does.
    """
    report, file = _Sheet(["line", "problem"]), BytesIO(content)
    try:
        encoding = find_encoding(file)
        table = Table(encoding.open(file))
    except TableError as error:
        report.write(["", say("files", error.refusal)])
        return Scored(None, report.content, 0, 1)
    if encoding.notice:
        report.write(["", encoding.notice])
    added = [f"reeltone_{name}" if name in table.columns else name for name in ANSWERS]
    sheet, rows, problems = _Sheet([*table.columns, *added]), 0, 0
    for row, outcome in _ask_all(table, ask):
        rows += 1
        answer = _show(row, outcome)
        sheet.write([*row.cells, *answer])
        if answer[-1]:
            problems += 1
            report.write([str(row.line), answer[-1]])
    return Scored(sheet.content, report.content, rows, problems)


class _Sheet:
    """A CSV that grows."""

    def __init__(self, columns: list[str]) -> None:
        self._file = StringIO()
        self._writer = csv.writer(self._file)
        self.write(columns)

    def write(self, cells: list[str]) -> None:
        """Add a row."""
        self._writer.writerow(cells)

    @property
    def content(self) -> bytes:
        """All of it in UTF-8, with the mark that spreadsheets know it by."""
        return self._file.getvalue().encode("utf-8-sig")


def _ask_all(table: Table, ask: Ask) -> Iterator[tuple[Row, Outcome | None]]:
    """Each row with what its review got; None: it has none."""
    lines = table.rows()
    while rows := list(islice(lines, MAX_REVIEWS)):
        reviews = [row.review for row in rows if row.refusal is None]
        outcomes = iter(ask(reviews) if reviews else [])
        for row in rows:
            yield row, next(outcomes) if row.refusal is None else None


def _show(row: Row, outcome: Outcome | None) -> list[str]:
    if isinstance(outcome, Prediction):
        shown = outcome.to_dict()
        return [json.dumps(shown[name]).strip('"') for name in ANSWERS[:-1]] + [""]
    problem = str(outcome) if row.refusal is None else say("rows", row.refusal)
    return ["", "", "", "", problem]
