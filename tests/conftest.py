"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["TQDM_DISABLE"] = "1"  # progress bars would bury a failed test's own output

# An example that takes long beside other programs is no fault; the tests have limits of their own.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

pytest_plugins = ["tests.small_corpus"]

FOLDERS = ["unit", "template", "jobs", "contract", "local_stack", "reliability", "sam", "browser"]
"""By cost. The browser comes last for two reasons more: Chromium drops requests when Docker adds a
network, and Playwright keeps an event loop running, in which others can't start their own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run cheap tests first."""
    items.sort(key=_cost)


def _cost(item: pytest.Item) -> int:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)
