"""Files of reviews, read and written a row at a time.

Rows of a table are lists of cells below ``names``; those of JSON are objects, of any fields.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TextIO

from model_training.serving.bundle import read_json
from review_text.encodings import Encoding, find_encoding
from review_text.errors import Refusal, TableError, say
from review_text.tables import NAMES, Table, refuse_value

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
}
FORMATS = tuple(dict.fromkeys(SUFFIXES.values()))
ADDED = ("sentiment", "probability", "confidence", "verdict", "truncated", "problem")
"""What is added to each row; the last says why the others are empty."""

_DELIMITERS = {"csv": ",;\t|", "tsv": "\t"}
_BLOCK = 1 << 20
_LOOKED_AT = 100
_GZIP = b"\x1f\x8b"
_NO_NUMBERS = {"NaN": None, "Infinity": "Infinity", "-Infinity": "-Infinity"}
"""What JSON has in the place of what Python takes for numbers."""


class FileError(Exception):
    """A file cannot be read or written; the message says why, and what would be right."""


@dataclass(frozen=True)
class Row:
    """One review of a file, or why there is none."""

    cells: Sequence[Any] | Mapping[str, Any]
    review: str
    problem: str


@dataclass(frozen=True)
class Source:
    """An open file."""

    names: list[str]
    """Names of the columns; of objects, those that the first ones have."""
    rows: Iterator[Row]
    position: Callable[[], float]
    """Which share of it has been read, 0 to 1; 0 where that can't be known."""
    notice: str = ""
    """What its reader should look at."""


# --- Reading --------------------------------------------------------------------------------------


def find_format(path: str, asked: str | None) -> str:
    """Tell a file's format by its name, unless it is said."""
    if asked:
        return asked
    if path == "-":
        return "csv"
    suffix = Path(path.lower().removesuffix(".gz")).suffix
    if suffix not in SUFFIXES:
        raise FileError(f"{path}: say what it is with --format: {', '.join(FORMATS)}")
    return SUFFIXES[suffix]


@contextmanager
def open_source(path: str, form: str, column: str | None) -> Iterator[Source]:
    """Open a file, or standard input for ``-``, while the block runs.

    Raises:
        FileError: it can't be read as that, or it can't be told which column has the reviews.
    """
    try:
        with ExitStack() as stack:
            yield _open(path, form, column, stack)
        return
    except TableError as error:
        refusal = error.refusal
    # Of standard input, which can't be looked through first.
    except UnicodeDecodeError:
        refusal = Refusal("unknown-encoding", {})
    except (gzip.BadGzipFile, EOFError, zlib.error):
        refusal = Refusal("damaged-container", {"kind": "gzip file"})
    raise FileError(f"{path}: {say('files', refusal)}")


def _open(path: str, form: str, column: str | None, stack: ExitStack) -> Source:
    try:
        if form == "parquet":
            return _open_parquet(path, column, stack)
        text, position, notice = _open_text(path, stack)
    except gzip.BadGzipFile:
        raise
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
    if form in _DELIMITERS:
        return _open_table(text, _DELIMITERS[form], column, position, notice)
    records = _read_lines(text) if form == "jsonl" else _read_document(text)
    return _open_records(records, column, position, notice)


def choose(names: Sequence[str], column: str | None) -> int:
    """Find the column of the reviews; ``column`` may be left out where its name says it.

    Raises:
        FileError: there is none, or more than one.
    """
    wanted = [column] if column is not None else NAMES
    plain = names if column is not None else [name.strip().lower() for name in names]
    found = [at for at, name in enumerate(plain) if name in wanted]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f'"{name}"' for name in names) or "none"
    what = f'columns called "{column}"' if column is not None else "columns that may be the reviews"
    raise FileError(f"there are {len(found) or 'no'} {what}; choose with --column: {listed}")


def _open_text(path: str, stack: ExitStack) -> tuple[TextIO, Callable[[], float], str]:
    """Open a file as text, with what should be said of it. Whether all of it can be decoded is
    known before the first row is."""
    raw: Any = sys.stdin.buffer
    if path != "-":
        raw = stack.enter_context(open(path, "rb"))  # noqa: SIM115
    binary = raw
    if raw.peek().startswith(_GZIP):
        binary = stack.enter_context(gzip.GzipFile(fileobj=raw))
    size = 0
    if path == "-":
        binary, encoding = _look_at_stream(binary, stack)
    else:
        size = Path(path).stat().st_size
        encoding = find_encoding(binary)
    text = encoding.open(binary)
    if binary is not sys.stdin.buffer:
        stack.enter_context(text)
    return text, lambda: raw.tell() / size if size else 0.0, encoding.notice


def _look_at_stream(stream: Any, stack: ExitStack) -> tuple[Any, Encoding]:
    """Tell a stream's encoding by its beginning; where it is told by more, keep it to look at."""
    encoding = None
    with suppress(TableError):
        encoding = find_encoding(io.BytesIO(stream.peek(_BLOCK)), is_whole=False)
    if encoding and not encoding.notice:
        return stream, encoding
    kept = stack.enter_context(TemporaryFile())  # noqa: SIM115
    shutil.copyfileobj(stream, kept)
    return kept, find_encoding(kept)


def _open_table(
    text: TextIO, delimiters: str, column: str | None, position: Callable[[], float], notice: str
) -> Source:
    table = Table(text, delimiters)
    table.column = choose(table.columns, column)
    rows = (
        Row(row.cells, row.review, say("rows", row.refusal) if row.refusal else "")
        for row in table.rows()
    )
    return Source(table.columns, rows, position, notice)


def _read_lines(text: TextIO) -> Iterator[Any]:
    """Objects, one a line; where a line is none, nothing."""
    for line in text:
        if line.strip():
            try:
                yield read_json(line)
            except ValueError:
                yield None


def _read_document(text: TextIO) -> Iterator[Any]:
    """Objects in a list, in an object's only list, or, after all, one a line."""
    content = text.read()
    if not content.strip():
        raise TableError("nothing")
    try:
        document = read_json(content)
    except ValueError:
        lines = [line for line in content.splitlines() if line.strip()]
        if len(lines) < 2 or not lines[1].lstrip().startswith("{"):
            raise TableError("damaged-json") from None
        return _read_lines(io.StringIO(content))
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
        document = lists[0] if len(lists) == 1 else None
    if not isinstance(document, list) or not any(isinstance(item, dict) for item in document):
        raise TableError("no-records")
    return iter(document)


def _open_records(
    records: Iterator[Any], column: str | None, position: Callable[[], float], notice: str
) -> Source:
    first = list(islice(records, _LOOKED_AT))
    if not first:
        raise TableError("nothing")
    names = list(dict.fromkeys(name for item in first if isinstance(item, dict) for name in item))
    if not names:
        raise TableError("no-records")
    chosen = names[choose(names, column)]
    rows = (_read_record(item, chosen) for item in chain(first, records))
    return Source(names, rows, position, notice)


def _read_record(item: object, name: str) -> Row:
    if not isinstance(item, dict):
        return Row({}, "", say("rows", Refusal("no-object", {})))
    value = item.get(name)
    refusal = refuse_value(value)
    if refusal or not isinstance(value, str):
        return Row(item, "", say("rows", refusal or Refusal("empty", {})))
    return Row(item, value, "")


def _open_parquet(path: str, column: str | None, stack: ExitStack) -> Source:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise FileError(f"{path}: to read Parquet, pip install pyarrow") from None
    if path == "-":
        raise FileError("Parquet is read from its end, so not from standard input: name the file")
    try:
        file = stack.enter_context(ParquetFile(path))
    except ArrowException as error:
        raise FileError(f"{path}: {error}") from None
    names = list(file.schema_arrow.names)
    if len(set(names)) < len(names):
        raise FileError(f"{path}: two columns have the same name, so one would be lost: rename it")
    chosen = names[choose(names, column)]
    total = max(file.metadata.num_rows, 1)
    done = 0

    def read() -> Iterator[Row]:
        nonlocal done
        for batch in file.iter_batches(1_000):
            for item in batch.to_pylist():
                done += 1
                yield _read_record(item, chosen)

    return Source(names, read(), lambda: done / total)


# --- Writing --------------------------------------------------------------------------------------


class Writer:
    """Writes the rows of a source with what was found, as CSV, TSV or JSON Lines."""

    def __init__(self, file: TextIO, form: str, names: Sequence[str]) -> None:
        """Take the ``names`` of the source's columns.

        Raises:
            FileError: rows of these columns can't be written in that format.
        """
        if form not in ("csv", "tsv", "jsonl"):
            raise FileError(f"{form} can't be written a row at a time; use .csv, .tsv or .jsonl")
        if form == "jsonl" and len(set(names)) < len(names):
            raise FileError("two columns have the same name, which JSON can't have; write .csv")
        self._file, self._form, self._names = file, form, list(names)
        self.added = [f"reeltone_{name}" if name in names else name for name in ADDED]
        self._csv = csv.writer(file, delimiter="\t" if form == "tsv" else ",", lineterminator="\n")

    def begin(self) -> None:
        """Write the names of the columns."""
        if self._form != "jsonl":
            self._csv.writerow([*self._names, *self.added])

    def write(self, row: Row, found: dict[str, Any]) -> None:
        """Write a row with the values of ``ADDED``, of which some may be missing.

        Raises:
            FileError: the row has a field that the first ones had not.
        """
        values = [found.get(name) for name in ADDED]
        if self._form == "jsonl":
            cells = row.cells
            whole = cells if isinstance(cells, Mapping) else zip(self._names, cells, strict=True)
            answer = dict(zip(self.added, values, strict=True))
            self._file.write(_to_json(dict(whole) | answer) + "\n")
            return
        self._csv.writerow([*map(_show, self._cells(row)), *map(_show, values)])

    def _cells(self, row: Row) -> Sequence[Any]:
        if not isinstance(row.cells, Mapping):
            return row.cells
        if unknown := row.cells.keys() - set(self._names):
            raise FileError(
                f'a row has the field "{min(unknown)}", which the first {_LOOKED_AT} have not, so '
                "there is no column for it; write .jsonl"
            )
        return [row.cells.get(name) for name in self._names]


def _show(value: object) -> str:
    """A cell: numbers with the digits that JSON gives them, and nan as it is."""
    if value is None or isinstance(value, str):
        return value or ""
    return _to_json(value) if isinstance(value, bool | list | dict) else str(value)


def _to_json(value: object) -> str:
    """JSON of what Parquet may have, too: dates and the like as text, what is no number as null."""
    try:
        return json.dumps(value, default=str, allow_nan=False)
    except ValueError:
        plain = json.loads(json.dumps(value, default=str), parse_constant=_NO_NUMBERS.get)
        return json.dumps(plain)
