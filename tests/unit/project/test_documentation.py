"""What a user can set, run or read is written down, and docs/security.md names, for whatever stops
somebody, a test that shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from checks.reference import INDEXED, PAGE, make_anchor, make_index, make_tables

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
REFERENCE = PAGE.read_text(encoding="utf-8")


MAX_README_LINES = 120
LINK = re.compile(r"\]\(([^)#:]*)(?:#([^)]*))?\)")


def test_the_readme_can_be_read_in_two_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("name", ["targets", "parameters", "outputs"])
def test_the_reference_has_what_there_is(name: str) -> None:
    assert make_tables()[name] in REFERENCE, "make reference writes it anew"


@pytest.mark.parametrize("event", sorted(path.name for path in (ROOT / "events").glob("*.json")))
def test_every_event_is_in_the_reference(event: str) -> None:
    assert f"`{event}`" in REFERENCE


@pytest.mark.parametrize("path", INDEXED, ids=lambda path: path.name)
def test_a_document_that_grows_has_an_index(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert make_index(text) in text, "make reference writes it anew"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target, anchor in re.findall(LINK, path.read_text(encoding="utf-8")):
        there = path.parent / target if target else path
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in find_anchors(there), f"{target}#{anchor}"


def test_every_picture_is_shown_by_a_document() -> None:
    pictures = [path for kind in ("*.png", "*.svg") for path in (ROOT / "docs").rglob(kind)]
    pictures += [path for kind in ("*.png", "*.svg") for path in ROOT.glob(kind)]
    shown = {
        (path.parent / target).resolve()
        for path in DOCUMENTS
        for target, _ in re.findall(LINK, path.read_text(encoding="utf-8"))
    }
    assert sorted(set(pictures) - shown) == []


def find_anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)
    return {make_anchor(title) for title in titles}


@pytest.mark.parametrize("name", ["classic", "modern"])
def test_the_readme_gives_the_accuracy_that_was_measured(name: str) -> None:
    metrics = json.loads((ROOT / f"model_training/models/{name}/metrics.json").read_text())
    assert f"{metrics['accuracy']:.4f}" in (ROOT / "README.md").read_text(encoding="utf-8")


SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in SECURITY.splitlines() if line.startswith("| ")][1:]
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", SECURITY)


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_each_test_that_is_named_exists(file: str, test: str) -> None:
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"^ *(?:async )?def {test}\(", text, re.MULTILINE)


def test_only_what_nothing_stops_has_no_test() -> None:
    assert len(ROWS) > 20
    [without] = [row for row in ROWS if "::" not in row]
    assert "| nothing: a classifier can be fooled" in without
