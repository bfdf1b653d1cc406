"""Which versions the project pins: pyproject.toml has those asked for by name, locks have all."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

SHIPPED = {
    "function": ROOT / "functions" / "sentiment" / "requirements.txt",
    "layer": ROOT / "layers" / "vocabulary" / "requirements.txt",
    "runtime": ROOT / "requirements" / "runtime.txt",
    "image": ROOT / "requirements" / "image.txt",
}
"""Locks of what leaves this machine, by their group in pyproject.toml."""

LOCKS = {
    **{
        name: ROOT / "requirements" / f"{name}.txt"
        for name in (
            *("test", "train", "run", "fuzz", "job"),
            *("sam", "checkov", "security", "lock", "sagemaker"),
        )
    },
    **SHIPPED,
}
"""All locks; `make lock` writes them."""


def read_lock(path: Path) -> list[tuple[str, str]]:
    """Read package (normalised) and version, in order. Some are pinned twice, for two Pythons."""
    return _find_pins(path.read_text(encoding="utf-8").splitlines())


def read_project() -> dict[str, list[str]]:
    """Read what pyproject.toml asks for: extra or group → requirements."""
    content: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {**content["project"]["optional-dependencies"], **content["dependency-groups"]}


def read_pins() -> set[tuple[str, str]]:
    """Read package (normalised) and version, of all locks; and what is in none, as torch."""
    pins = {pin for path in LOCKS.values() for pin in read_lock(path)}
    return pins | set(_find_pins(line for lines in read_project().values() for line in lines))


def normalise(name: str) -> str:
    """Give one spelling of a package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _find_pins(lines: Iterable[str]) -> list[tuple[str, str]]:
    found = (re.match(r"([\w.-]+)(?:\[.*\])?==([^\s;]+)", line) for line in lines)
    return [(normalise(match[1]), match[2]) for match in found if match]
