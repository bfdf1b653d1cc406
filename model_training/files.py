"""Files that are whole or not there, and programs that end with one clear line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


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


def run_command(
    main: Callable[[list[str]], None], expected: type[Exception], arguments: list[str]
) -> None:
    """Run a program's ``main``; an expected error ends it with its message alone."""
    try:
        main(arguments)
    except expected as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
