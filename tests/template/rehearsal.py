"""What a rehearsal of the deployment really exercised, and what it only checked.

A plugin of pytest that ends a run with a table: python -m pytest -p tests.template.rehearsal

Each row is what tests of this very run say of themselves, by the marker ``rehearses(WHAT, KIND,
HOW)`` or, where it takes the run to know, by a property of that name. KIND is "ran" or "checked".
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

Row = tuple[str, str, str]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep what a test's markers say where its reports have it."""
    for mark in item.iter_markers("rehearses"):
        item.user_properties.append(("rehearses", mark.args))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    found = [report for group in terminalreporter.stats.values() for report in group]
    reports = [report for report in found if isinstance(report, pytest.TestReport)]
    terminalreporter.section("what was exercised, and what only checked")
    table = [*rows(reports), ("AWS itself", "never", "no account was used so far")]
    widths = [max(len(row[column]) for row in table) for column in range(2)]
    for what, kind, how in table:
        terminalreporter.write_line(f"{what:{widths[0]}}  {kind:{widths[1]}}  {how}")


def rows(reports: Iterable[pytest.TestReport]) -> list[Row]:
    """What, whether it ran, was checked, failed or was skipped, and how; what failed comes first.

    Of something that some tests ran and others checked, that it ran is said.
    """
    found: dict[str, Row] = {}
    for report in sorted(reports, key=_weight):
        for name, value in report.user_properties:
            if name == "rehearses" and (report.when == "call" or not report.passed):
                assert isinstance(value, tuple)
                what, said, how = value
                kind = said if report.passed else report.outcome
                row = found.setdefault(what, (what, kind, how))
                if row[1] == "checked" and kind == "ran":
                    found[what] = (what, kind, how)
    return list(found.values())


def _weight(report: pytest.TestReport) -> int:
    """One failure counts more than any success, and a success more than a test left out."""
    return ("failed", "passed", "skipped").index(report.outcome)
