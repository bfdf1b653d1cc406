"""What can be wrong with a review that somebody sent, and with a file of reviews or a row of it, in
the website's words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal


class CallerError(Exception):
    """What was sent has a fault; the message tells the caller which one and what would be right."""


class MalformedRequestError(CallerError):
    """The body is not what the route takes."""


class MistypedFieldError(MalformedRequestError):
    """A field of the body has a JSON type that it cannot have."""

    def __init__(self, name: str, value: object, wanted: str) -> None:
        super().__init__(
            f"{name} is {_JSON_TYPES.get(type(value), 'something else')}; send {wanted}."
        )


_JSON_TYPES: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


class EmptyReviewError(CallerError):
    """The review has no characters."""


class ReviewTooLongError(CallerError):
    """The review has more characters than a review may have."""


class NoWordsError(CallerError):
    """The review has characters, and no word among them."""


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
