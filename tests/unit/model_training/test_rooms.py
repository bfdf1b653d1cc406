"""The rooms of model_training import each other as their first lines say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import model_training

PACKAGE = Path(model_training.__file__).parent
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
NEEDED_TO_SERVE = {"errors"}
"""What lies beside the rooms and goes into the container with serving."""


def allowed(room: str) -> set[str]:
    """The rooms that a room says it imports."""
    text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text())) or ""
    [names] = re.findall(r"^Imports: (.+)\.$", text, re.MULTILINE)
    return set() if names == "nothing" else set(names.split(", "))


def imported(path: Path) -> Iterator[str]:
    """What a file imports of model_training: the first name after it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "model_training":
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _inside(node.module or "")
        elif isinstance(node, ast.Import):
            yield from (part for name in node.names for part in _inside(name.name))


def _inside(module: str) -> list[str]:
    return module.split(".")[1:2] if module.startswith("model_training.") else []


def test_there_are_rooms() -> None:
    assert {"corpus", "networks", "training", "export", "serving", "evaluation"} <= set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_it_says(room: str) -> None:
    found = {name for path in (PACKAGE / room).rglob("*.py") for name in imported(path)}
    assert found & set(ROOMS) - {room} == allowed(room)


def test_the_container_gets_all_that_serving_imports() -> None:
    found = {name for path in (PACKAGE / "serving").rglob("*.py") for name in imported(path)}
    assert found - {"serving"} <= NEEDED_TO_SERVE


def test_what_lies_beside_the_rooms_imports_none_of_them() -> None:
    beside = list(PACKAGE.glob("*.py"))
    assert not {name for path in beside for name in imported(path)} & set(ROOMS)
    assert len(beside) <= 8


def test_the_architecture_names_every_folder_room_and_file_beside_them() -> None:
    text = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = {path.parent.name for path in PACKAGE.parent.glob("[a-z]*/__init__.py")}
    named = re.findall(r"^\| `([\w/]+)` \|", text, re.MULTILINE)
    assert set(ROOMS) | folders | {"models", "tests"} <= set(named)
    [line] = re.findall(r"that\. (.+?) beside\s", text)
    beside = [path.stem for path in PACKAGE.glob("[a-z]*.py")]
    assert re.findall(r"`(\w+)`", line) == sorted(beside)


def test_no_room_imports_one_that_imports_it() -> None:
    assert set(TopologicalSorter({room: allowed(room) for room in ROOMS}).static_order())
