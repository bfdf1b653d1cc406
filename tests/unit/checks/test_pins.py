"""What pyproject.toml asks for is what the locks hold, with a hash for each file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from checks.pins import LOCKS, ROOT, SHIPPED, normalise, read_lock, read_pins, read_project

PROJECT = read_project()
LISTS = sorted((ROOT / "tests").rglob("requirements*.in"))
"""What AWS's own programs are tested with; each has a lock beside it."""
FILES = [*LOCKS.values(), *(path.with_suffix(".txt") for path in LISTS)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_line_of_a_lock_is_a_version_with_hashes(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    content = "\n".join(line for line in lines if not line.startswith("#"))
    entry = r"[A-Za-z0-9][^\s;=]*==\S+(?: ; [^\n\\]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n"
    assert re.fullmatch(f"(?:{entry})+", content + "\n"), f"make lock writes {path}"


def test_a_list_of_what_aws_programs_need_is_locked_as_it_stands() -> None:
    assert len(LISTS) == 4
    for path in LISTS:
        assert sorted(read_lock(path)) == read_lock(path.with_suffix(".txt")), path


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


def test_images_start_from_one_that_a_digest_names() -> None:
    images = set()
    for path in ("local_stack/Dockerfile", "model_training/serving/Dockerfile"):
        text = (ROOT / path).read_text(encoding="utf-8")
        assert set(re.findall(r"^FROM (\S+)", text, re.M)) == {"${BUILD_IMAGE}", "${BASE_IMAGE}"}
        images |= set(re.findall(r"^ARG \w+_IMAGE=(.*)$", text, re.M))
    [image] = images
    assert re.fullmatch(r"[\w./-]+:3\.13-slim@sha256:[0-9a-f]{64}", image)


def test_workflows_call_actions_by_their_commit() -> None:
    texts = [path.read_text("utf-8") for path in (ROOT / ".github/workflows").glob("*.yml")]
    called = [line for text in texts for line in re.findall(r"uses: (?!\./)(.*)$", text, re.M)]
    assert called
    assert [c for c in called if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", c)] == []
