"""The dependency audit: a finding fails, and an answer that says nothing is never green."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checks import audit
from checks.audit import Report, conclude, read_report
from checks.pins import read_pins

FLAW = {"id": "PYSEC-2021-66", "fix_versions": ["2.11.3"]}
KNOWN = Report(["jinja2 2.11.2: PYSEC-2021-66 (repaired in 2.11.3)"], [], "")
CLEAN = Report([], [], "")


def output(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_report_names_package_flaw_and_repair() -> None:
    vulnerable = {"name": "jinja2", "version": "2.11.2", "vulns": [FLAW]}
    unrepaired = {"name": "x", "version": "1", "vulns": [FLAW | {"fix_versions": []}]}
    sound = {"name": "y", "version": "2", "vulns": []}
    skipped = {"name": "z", "skip_reason": "not found on PyPI"}
    report = read_report(output(vulnerable, unrepaired, sound, skipped), "")
    assert report.vulnerable == [*KNOWN.vulnerable, "x 1: PYSEC-2021-66 (repaired in no version)"]
    assert report.skipped == ["z: not found on PyPI"]


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "null"])
def test_what_is_no_report_is_told_in_pip_audits_last_words(text: str) -> None:
    assert read_report(text, "a\nERROR: no connection\n").message == "ERROR: no connection"
    assert read_report(text, "").message == "it said nothing"


@pytest.mark.parametrize(
    ("sentinel", "why"),
    [
        (Report([], ["jinja2: not found on PyPI"], ""), "jinja2: not found on PyPI"),
        (Report([], [], "no connection"), "no connection"),
        (CLEAN, "it knows no flaw"),
    ],
)
def test_without_advisories_nothing_is_called_checked(sentinel: Report, why: str) -> None:
    code, words = conclude(sentinel, None, required=False)
    assert code == 0
    assert "NOT CHECKED" in words
    assert why in words
    assert conclude(sentinel, None, required=True)[0] == 1


@pytest.mark.parametrize(
    ("report", "code", "words"),
    [
        (CLEAN, 0, "no known vulnerability"),
        (KNOWN, 1, "jinja2 2.11.2: PYSEC-2021-66"),
        (Report([], ["z: not found"], ""), 1, "incomplete. z: not found"),
        (Report([], [], "no connection"), 1, "incomplete. no connection"),
    ],
)
def test_with_advisories_findings_and_gaps_fail(report: Report, code: int, words: str) -> None:
    found, said = conclude(KNOWN, report, required=False)
    assert found == code
    assert words in said


def pip_audit(tmp_path: Path, lines: str) -> str:
    """A program in pip-audit's place; what it is asked about is added to the file ``asked``."""
    path = tmp_path / "pip-audit"
    read = f'for file in "$@"; do case $file in *.txt) cat "$file" >> {tmp_path}/asked;; esac; done'
    path.write_text(f"#!/bin/sh\n{read}\n{lines}\n")
    path.chmod(0o755)
    return str(path)


def test_the_sentinel_is_asked_about_first_and_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = pip_audit(tmp_path, 'echo "no network" >&2; exit 1')
    with pytest.raises(SystemExit) as ended:
        audit.main([program])
    assert ended.value.code == 0
    assert (tmp_path / "asked").read_text() == "jinja2==2.11.2\n"
    assert "NOT CHECKED" in capsys.readouterr().out


def test_with_advisories_every_pin_is_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = output({"name": "jinja2", "version": "2.11.2", "vulns": [FLAW]})
    program = pip_audit(tmp_path, f"echo '{answer}'")
    with pytest.raises(SystemExit) as ended:
        audit.main([program])
    assert ended.value.code == 1
    asked = (tmp_path / "asked").read_text().splitlines()
    pins = {f"{name}=={version}" for name, version in read_pins()}
    assert pins >= {"torch==2.13.0", "boto3==1.44.5", "aws-sam-cli==1.170.0"}
    assert asked[0] == "jinja2==2.11.2"
    assert sorted(asked[1:]) == sorted(pins)


def test_a_name_stands_once_in_a_file_which_is_how_pip_audit_takes_it(tmp_path: Path) -> None:
    """Two versions of one name, as two tools have them, go into two files."""
    program = pip_audit(tmp_path, 'cut -d= -f1 "$4" > "${0%/*}/names"; exit 1')
    audit.audit(program, [("a", "1"), ("a", "2"), ("b", "1")])
    assert (tmp_path / "names").read_text().split() == ["a", "b"]
    assert sorted((tmp_path / "asked").read_text().split()) == ["a==1", "a==2", "b==1"]


def test_a_service_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_SECONDS", 0.1)
    report = audit.audit(pip_audit(tmp_path, "exec sleep 30"), [("a", "1")])
    assert report.message == "no answer within 0.1 s"
