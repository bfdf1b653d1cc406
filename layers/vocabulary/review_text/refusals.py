"""Why a file of reviews or a row of it cannot be read, in the website's words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Refusal:
    """Why a file or a row cannot be read."""

    reason: str
    values: dict[str, Any]
    """What the words name, such as how many columns were found."""


class TableError(ValueError):
    """The file is no table of reviews."""

    def __init__(self, reason: str, **values: Any) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason, values)


def say(part: Literal["files", "rows", "notices"], refusal: Refusal) -> str:
    """Say it to a person."""
    words: str = _load_words()[part][refusal.reason]
    # Only the website reads workbooks.
    return words.replace(" or as .xlsx", "").format_map(refusal.values)


@cache
def _load_words() -> dict[str, dict[str, str]]:
    path = Path(__file__).with_name("refusals.json")
    content: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return content
