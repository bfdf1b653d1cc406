"""Files that are whole or not there, parts of documents that commands fill so that nobody copies a
figure by hand, and programs that end with one clear line."""

from __future__ import annotations

import json
import os
import re
import select
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from model_training.errors import ReeltoneError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path that becomes ``path`` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a small file for people and programs to read."""
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_entries(path: Path) -> dict[str, Any]:
    """Read a file of entries by name; there are none where it does not exist."""
    entries: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return entries


def write_entry(path: Path, name: str, content: dict[str, Any] | None) -> None:
    """Put one entry into a file of entries by name, or take it out. They stand in the order of
    their names, so that what changes in the file is the entry alone."""
    others = {key: entry for key, entry in read_entries(path).items() if key != name}
    entries = others if content is None else others | {name: content}
    write_json(path, dict(sorted(entries.items())))


def run_command(
    main: Callable[[list[str]], None], expected: type[Exception], arguments: list[str]
) -> None:
    """Run a program's ``main``; an expected error ends it with its message alone."""
    try:
        main(arguments)
        sys.stdout.flush()
    except expected as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        if not _is_nobody_reading():
            raise
        sys.exit(1)


def _is_nobody_reading() -> bool:
    """Whether the reader of this program's output has left, as ``head`` does."""
    reader = select.poll()
    reader.register(sys.stdout, 0)  # errors and hang-ups are reported all the same
    if not reader.poll(0):
        return False
    # What is left to write goes nowhere, or Python would complain on its way out.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def fill_section(document: Path, name: str, content: str) -> None:
    """Put ``content`` between the markers of ``name``.

    Raises:
        ReeltoneError: the document is missing, or has the markers not exactly once.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    try:
        text = document.read_text(encoding="utf-8")
    except OSError as error:
        raise ReeltoneError(f"{document}: {error.strerror}") from error
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ReeltoneError(f"{document} must have {begin} … {end} once, to be filled")
    filled = pattern.sub(lambda _: f"{begin}\n{content.strip()}\n{end}", text)
    with replacing(document) as part:
        part.write_text(filled, encoding="utf-8")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Give a table in Markdown; columns of numbers are aligned to the right."""
    rules = [_rule(column) for column in zip(*rows, strict=True)] or ["---"] * len(heads)
    lines = [heads, rules, *rows]
    return "\n".join(f"| {' | '.join(_escape(cell) for cell in line)} |" for line in lines)


def _rule(column: Sequence[str]) -> str:
    """What aligns a column, below its head."""
    return "---:" if all(cell.lstrip("-*")[:1].isdigit() for cell in column) else "---"


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")
