"""What documents have of other files: the tables of docs/reference.md, from the Makefile and the
template, and the indexes of the documents that grow: make reference
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any

from local_stack.template import Template
from model_training.errors import ReeltoneError
from model_training.files import fill_section, run_command, table
from model_training.paths import DOCS

ROOT = DOCS.parent
PAGE = DOCS / "reference.md"
INDEXED = (DOCS / "decisions.md", DOCS / "model_log.md")


def make_tables() -> dict[str, str]:
    """Make each generated section of the page by its name, in Markdown."""
    document = Template(ROOT / "template.yaml").document
    parameters = [_describe(name, body) for name, body in document["Parameters"].items()]
    outputs = [[f"`{name}`", body["Description"]] for name, body in document["Outputs"].items()]
    targets = [[f"`make {name}`", text] for name, text in read_targets()]
    return {
        "targets": table(("target", "what it does"), targets),
        "parameters": table(("parameter", "default", "values", "what it is"), parameters),
        "outputs": table(("output", "what it is"), outputs),
    }


def read_targets() -> list[tuple[str, str]]:
    """Read targets of the Makefile that people call, with what they do."""
    return re.findall(r"^([a-z-]+):.*?## (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.M)


def make_index(text: str) -> str:
    """Make links to all sections of a document, in Markdown."""
    return "\n".join(f"- [{title}](#{make_anchor(title)})" for title in find_titles(text))


def find_titles(text: str) -> list[str]:
    """Find titles of a document's sections, of the second level."""
    return re.findall(r"^## (.*)$", text, re.M)


def make_anchor(title: str) -> str:
    """Make the anchor that GitHub gives a title."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _describe(name: str, body: dict[str, Any]) -> list[str]:
    values = ", ".join(map(str, body.get("AllowedValues", ())))
    if "MinValue" in body:
        values = f"{body['MinValue']:,} to {body['MaxValue']:,}"
    return [f"`{name}`", str(body.get("Default", "")), values, body["Description"]]


def main(arguments: list[str]) -> None:
    """Fill the page and the indexes."""
    argparse.ArgumentParser(prog="python -m checks.reference", description=__doc__).parse_args(
        arguments
    )
    for name, content in make_tables().items():
        fill_section(PAGE, name, content)
    for document in INDEXED:
        fill_section(document, "index", make_index(document.read_text(encoding="utf-8")))


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
