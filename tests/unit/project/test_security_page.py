"""docs/security.md names, for whatever stops somebody, a test that shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")][1:]
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_each_test_that_is_named_exists(file: str, test: str) -> None:
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"^ *(?:async )?def {test}\(", text, re.MULTILINE)


def test_only_what_nothing_stops_has_no_test() -> None:
    assert len(ROWS) > 20
    [without] = [row for row in ROWS if "::" not in row]
    assert "| nothing: a classifier can be fooled" in without
