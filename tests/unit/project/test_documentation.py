"""What a user can set, run or read is written down."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)


def make_targets() -> list[str]:
    return re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def template_section(name: str) -> list[str]:
    template = (ROOT / "template.yaml").read_text()
    section = template.split(f"\n{name}:\n")[1]
    section = re.split(r"\n[A-Z]\w+:\n", section)[0]
    return re.findall(r"^  (\w+):$", section, re.MULTILINE)


@pytest.mark.parametrize("target", make_targets())
def test_every_make_target_is_documented(target: str) -> None:
    assert f"make {target}" in TEXT


@pytest.mark.parametrize("name", [*template_section("Parameters"), *template_section("Outputs")])
def test_every_parameter_and_output_is_documented(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("event", sorted(path.name for path in (ROOT / "events").glob("*.json")))
def test_every_event_is_documented(event: str) -> None:
    assert event in TEXT


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("name", ["classic", "modern"])
def test_the_readme_gives_the_accuracy_that_was_measured(name: str) -> None:
    metrics = json.loads((ROOT / f"model_training/bundle/{name}/metrics.json").read_text())
    assert f"{metrics['accuracy']:.4f}" in (ROOT / "README.md").read_text(encoding="utf-8")
