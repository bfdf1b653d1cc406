"""Whether a package that a lock of the project holds has a known vulnerability.

    .venv/bin/python -m checks.audit .venv-security/bin/pip-audit

pip-audit asks PyPI. Where PyPI gives no advisories (no network, or a mirror, which has packages
only), pip-audit skips every package and calls that a success; so this first asks about a version
that is known to be vulnerable, and says NOT CHECKED where nothing is known about it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.pins import read_pins

SENTINEL = ("jinja2", "2.11.2")
"""Has had advisories since 2021 (PYSEC-2021-66), and will have them for good."""

REQUIRE = "REELTONE_REQUIRE_AUDIT"
"""Environment variable: with 1, what cannot be checked is a failure."""

_SECONDS = 300


@dataclass(frozen=True)
class Report:
    """What pip-audit said."""

    vulnerable: list[str]
    """A line for each package with a known vulnerability."""
    skipped: list[str]
    """A line for each package about which it learnt nothing."""
    message: str
    """Its own words, where it gave no report."""


def audit(pip_audit: str, pins: Iterable[tuple[str, str]]) -> Report:
    """Ask about packages and versions; nothing is resolved or installed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [pip_audit, "--no-deps", "--disable-pip"]
        for number, versions in enumerate(_tell_apart(pins)):
            file = Path(folder, f"{number}.txt")
            file.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))
            command += ["--requirement", str(file)]
        command += ["--format", "json", "--progress-spinner", "off", "--timeout", "15"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            return Report([], [], f"no answer within {_SECONDS} s")
    return read_report(done.stdout, done.stderr)


def _tell_apart(pins: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Pins in as many parts as a package has versions: pip-audit takes a name once a file."""
    parts: list[dict[str, str]] = []
    for name, version in sorted(pins):
        part = next((part for part in parts if name not in part), None)
        if part is None:
            parts.append(part := {})
        part[name] = version
    return parts


def read_report(output: str, errors: str) -> Report:
    """Read pip-audit's JSON, or its last words in the place of it."""
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        words = errors.strip().splitlines() or ["it said nothing"]
        return Report([], [], words[-1][:300])
    return Report(
        [_describe(package) for package in packages if package.get("vulns")],
        [f"{p['name']}: {p['skip_reason']}" for p in packages if "skip_reason" in p],
        "",
    )


def _describe(package: dict[str, Any]) -> str:
    known = [
        f"{flaw['id']} (repaired in {', '.join(flaw['fix_versions']) or 'no version'})"
        for flaw in package["vulns"]
    ]
    return f"{package['name']} {package['version']}: {', '.join(known)}"


def conclude(sentinel: Report, report: Report | None, required: bool) -> tuple[int, str]:
    """Exit code and what to say. ``report``: None where nothing was asked after the sentinel."""
    if report is None or not sentinel.vulnerable:
        why = (sentinel.message or "; ".join(sentinel.skipped) or "it knows no flaw")[:300]
        return int(required), (
            f"dependency audit: NOT CHECKED. PyPI gives no advisories here ({'=='.join(SENTINEL)}, "
            f"which has some: {why}). Run `make check-security` where it does; {REQUIRE}=1 makes "
            "this a failure."
        )
    if report.message or report.skipped:
        return 1, "dependency audit: incomplete. " + (report.message or "; ".join(report.skipped))
    if report.vulnerable:
        return 1, "known vulnerabilities:\n" + "\n".join(report.vulnerable)
    return 0, "dependency audit: no known vulnerability in what the project pins"


def main(arguments: Sequence[str]) -> None:
    """Audit what the project pins."""
    parser = argparse.ArgumentParser(prog="python -m checks.audit", description=__doc__)
    parser.add_argument("pip_audit", help="its program")
    pip_audit = parser.parse_args(arguments).pip_audit
    sentinel = audit(pip_audit, [SENTINEL])
    report = audit(pip_audit, read_pins()) if sentinel.vulnerable else None
    code, words = conclude(sentinel, report, os.environ.get(REQUIRE) == "1")
    print(words, file=sys.stderr if code else sys.stdout)
    sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
