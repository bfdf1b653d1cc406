"""Which versions the project pins."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def read_pins() -> dict[str, str]:
    """Package (normalised) → version, of pyproject.toml and requirements/constraints.txt."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [line for extra in project["optional-dependencies"].values() for line in extra]
    lines += (ROOT / "requirements" / "constraints.txt").read_text("utf-8").splitlines()
    found = (re.fullmatch(r"([\w.-]+)(?:\[.*\])?==(\S+)", line) for line in lines)
    return {normalise(match[1]): match[2] for match in found if match}


def normalise(name: str) -> str:
    """One spelling of a package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
