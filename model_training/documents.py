"""Parts of documents that commands write, so that nobody copies a figure by hand.

Such a part stands between <!-- name:begin --> and <!-- name:end -->.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from model_training.errors import ReeltoneError
from model_training.files import replacing


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
    """A table in Markdown; columns of numbers are aligned to the right."""
    rules = [_rule(column) for column in zip(*rows, strict=True)] or ["---"] * len(heads)
    lines = [heads, rules, *rows]
    return "\n".join(f"| {' | '.join(_escape(cell) for cell in line)} |" for line in lines)


def _rule(column: Sequence[str]) -> str:
    """What aligns a column, below its head."""
    return "---:" if all(cell.lstrip("-")[:1].isdigit() for cell in column) else "---"


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")
