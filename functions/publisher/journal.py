"""The function's log: one JSON object a line, as Lambda's log filters read them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from traceback import extract_tb


def log(level: str, message: str, **fields: object) -> None:
    """Write one line. ``ResponseURL`` must not be in it: whoever has it can answer in our name."""
    line = {"timestamp": datetime.now(UTC).isoformat(), "level": level, "message": message}
    print(json.dumps(line | fields), flush=True)


def find_places(error: BaseException) -> list[str]:
    """Find the way to an error, without the values that a message might quote."""
    frames = extract_tb(error.__traceback__)
    return [f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
