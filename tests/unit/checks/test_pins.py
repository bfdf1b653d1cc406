"""What pyproject.toml asks for is what the locks hold, with a hash for each file."""

from __future__ import annotations

import re
import tomllib

import pytest

from checks.pins import LOCKS, ROOT, SHIPPED, normalise, read_lock, read_pins, read_project

PROJECT = read_project()


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_of_a_lock_is_a_version_with_hashes(name: str) -> None:
    lines = LOCKS[name].read_text(encoding="utf-8").splitlines()
    content = "\n".join(line for line in lines if not line.startswith("#"))
    entry = r"[A-Za-z0-9][^\s;=]*==\S+(?: ; [^\n\\]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n"
    assert re.fullmatch(f"(?:{entry})+", content + "\n"), f"make lock writes {LOCKS[name]}"


@pytest.mark.parametrize(
    ("lock", "parts"),
    [
        ("run", ("run", "build")),
        ("train", ("run", "train", "build")),
        (
            "test",
            (
                *tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
                    "optional-dependencies"
                ],
                "build",
            ),
        ),
        *((name, (name,)) for name in LOCKS if name not in ("run", "train", "test")),
    ],
)
def test_a_lock_has_what_the_project_asks_for(lock: str, parts: tuple[str, ...]) -> None:
    locked = read_lock(LOCKS[lock])
    for line in (line for part in parts for line in PROJECT[part]):
        name, _, version = line.partition("==")
        name = normalise(name.partition("[")[0])
        if name == "torch":  # each source has one of its own
            assert version
            continue
        assert [v for n, v in locked if n == name and version in ("", v)], f"make lock: {line}"


def test_what_ships_and_what_runs_has_the_versions_that_are_tested() -> None:
    tested = set(read_lock(LOCKS["test"]))
    for name in (*SHIPPED, "run", "train", "job", "fuzz"):
        assert set(read_lock(LOCKS[name])) - {("atheris", "3.0.0")} <= tested, name


def test_the_package_is_built_with_the_locked_setuptools() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    assert build["requires"] == PROJECT["build"]


def test_pytorch_is_pinned_without_a_lock() -> None:
    assert ("torch", "2.13.0") in read_pins()
    assert not [name for lock in LOCKS.values() for name, _ in read_lock(lock) if name == "torch"]
