"""The packages that leave this machine: in function, layer, bundle or container.

    python -m checks.shipped            prints, as pip's requirements, those that bring others along
    python -m checks.shipped --alone    those that are shipped without what they would bring along

What each part is built from is read where its build reads it, so the list cannot fall behind.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from model_training import bundle

ROOT = Path(__file__).resolve().parents[1]
FUNCTION = ROOT / "functions" / "sentiment" / "requirements.txt"
LAYER = ROOT / "layers" / "vocabulary" / "requirements.txt"
IMAGE = ROOT / "model_training" / "Dockerfile"


def requirements(alone: bool = False) -> list[str]:
    """Names, pinned where their build pins them; constraints.txt pins the others.

    ``alone``: what builds install without its dependencies. The bundle's onnxruntime is that too,
    but the image has it with them.
    """
    if alone:
        return sorted(_lines(LAYER))
    pinned = [*_lines(FUNCTION), bundle.RUNTIME]
    known = {_name(line) for line in (*pinned, *_lines(LAYER))}
    return sorted({*pinned, *(name for name in _image_packages() if name not in known)})


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if wanted := line.partition("#")[0].strip():
            yield wanted


def _image_packages() -> Iterator[str]:
    """What the image's build hands to pip: the names after ``$install --target FOLDER``."""
    for command in re.findall(r"\$install --target \S+ ([^\\&]+)", IMAGE.read_text("utf-8")):
        yield from (word for word in command.split() if not word.startswith("-"))


def _name(requirement: str) -> str:
    return re.split(r"[=<>~! ]", requirement)[0]


if __name__ == "__main__":
    print("\n".join(requirements("--alone" in sys.argv)))
