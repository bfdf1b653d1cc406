"""From a table of reviews to the same table with their sentiments, and a report of its other rows.

Both are written row by row: neither is ever in memory as a whole.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from errors import CallerError
from review_text.errors import say
from review_text.predict import MAX_REVIEWS, Prediction
from review_text.tables import Row, Table
from storage import NewFile

ANSWERS = ("sentiment", "probability", "verdict", "truncated", "problem")
"""Columns that are added."""

Outcome = Prediction | CallerError
Ask = Callable[[list[str]], Sequence[Outcome]]
"""Gives a prediction or an error for each of up to ``MAX_REVIEWS`` reviews."""

Answered = Iterable[tuple[Row, Mapping[str, Any]]]
"""Each row with its answer, which may be none; or with the problem that it has."""


class Sheet:
    """A CSV in UTF-8, with the mark that spreadsheets know it by."""

    def __init__(self, file: NewFile, columns: Sequence[str]) -> None:
        self._file = file
        self._writer = csv.writer(self)
        file.write("\ufeff".encode())
        self.add(columns)

    def add(self, cells: Sequence[object]) -> None:
        """Add a row."""
        self._writer.writerow(cells)

    def write(self, text: str) -> None:
        """Take what the writer makes of a row."""
        self._file.write(text.encode())

    def close(self) -> None:
        """Put the file in its place."""
        self._file.close()


@dataclass
class Count:
    """What became of a file's rows."""

    rows: int = 0
    problems: int = 0


def write_rows(table: Table, answered: Answered, scored: NewFile, report: Sheet) -> Count:
    """Write each row of a table with its answer, and to the report those that have none."""
    added = [f"reeltone_{name}" if name in table.columns else name for name in ANSWERS]
    sheet, count = Sheet(scored, [*table.columns, *added]), Count()
    for row, answer in answered:
        count.rows += 1
        sheet.add([*row.cells, *(_show(answer.get(name, "")) for name in ANSWERS)])
        if problem := answer.get("problem"):
            count.problems += 1
            report.add([row.line, problem])
    sheet.close()
    return count


def ask_all(table: Table, ask: Ask) -> Answered:
    """Ask for the answers to a table.

    Raises:
        ServiceError: as ``ask`` does.
    """
    lines = table.rows()
    while rows := list(islice(lines, MAX_REVIEWS)):
        reviews = [row.review for row in rows if row.refusal is None]
        outcomes = iter(ask(reviews) if reviews else [])
        for row in rows:
            yield row, refuse(row) or _describe(next(outcomes))


def refuse(row: Row) -> dict[str, str]:
    """Say why a row has no review; empty where it has one."""
    return {"problem": say("rows", row.refusal)} if row.refusal else {}


def _describe(outcome: Outcome) -> Mapping[str, Any]:
    return {"problem": str(outcome)} if isinstance(outcome, CallerError) else outcome.to_dict()


def _show(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool | float) else str(value)
