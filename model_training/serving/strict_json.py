"""JSON as its standard has it."""

from __future__ import annotations

import json
from typing import Any


def read_json(text: str | bytes) -> Any:
    """Read a JSON text; NaN and Infinity, which Python reads too, are none.

    Raises:
        ValueError: it is not JSON, or too deeply nested to be read.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
