"""Mutation testing: small changes to the code that the tests must notice.

    python -m checks.mutation             all of it; docs/quality.md says how long that takes
    python -m checks.mutation predict     one part: review_text, predict or endpoint

mutmut names a mutant after its file's path and expects that to be the module's name, which it is
not in Lambda's layout. So the code and its tests are laid out anew, below build/mutation, as a
project with one source folder. Only functions are changed: patterns and tables at the top of a
module are not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "build" / "mutation"

THRESHOLD = 0.85
"""Of the mutants of each part, so many must be noticed."""

PARTS = ("review_text", "predict", "endpoint")

# Where a mutant is noticed: a test fails, or never ends, or the process dies of it.
_NOTICED = {"killed", "timeout", "segfault", "suspicious"}
# No verdict on the tests.
_LEFT_OUT = {"skipped"}

_SOURCES = ("functions/sentiment", "layers/vocabulary")
_TESTS = (
    "tests/conftest.py",
    "tests/canary.py",
    "tests/unit/review_text",
    "tests/unit/sentiment/__init__.py",
    "tests/unit/sentiment/conftest.py",
    "tests/unit/sentiment/test_app.py",
    "tests/unit/sentiment/test_endpoint.py",
    "tests/unit/sentiment/test_predict.py",
)
_SETTINGS = """\
[tool.pytest.ini_options]
pythonpath = ["src", "."]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider"]
timeout = 300

[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/review_text/*.py", "src/predict.py", "src/endpoint.py"]
pytest_add_cli_args_test_selection = ["tests/unit"]
"""
# A mutant must not be called noticed because the machine was slow or the examples were lucky.
_EXAMPLES = """

from hypothesis import settings

settings.register_profile("mutation", deadline=None, derandomize=True, database=None)
settings.load_profile("mutation")
"""


def lay_out(project: Path = PROJECT) -> None:
    """Write the project that mutmut is run on, in the place of an earlier one."""
    shutil.rmtree(project, ignore_errors=True)
    source = project / "src"
    ignored = shutil.ignore_patterns("__pycache__", "Makefile", "requirements.txt")
    for folder in _SOURCES:
        shutil.copytree(ROOT / folder, source, ignore=ignored, dirs_exist_ok=True)
    for name in _TESTS:
        target = project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=ignored)
        else:
            shutil.copyfile(ROOT / name, target)
    with (project / "tests" / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(_EXAMPLES)
    (project / "pyproject.toml").write_text(_SETTINGS, encoding="utf-8")


def read_results(output: str) -> dict[str, Counter[str]]:
    """Part → how many of its mutants came to what, from what ``mutmut results`` prints."""
    found: dict[str, Counter[str]] = {part: Counter() for part in PARTS}
    for name, verdict in re.findall(r"^\s*(\S+__mutmut_\d+): (.+)$", output, re.MULTILINE):
        part = name.partition(".")[0]
        if part in found:
            found[part][verdict.strip()] += 1
    return found


def judge(results: dict[str, Counter[str]], wanted: Sequence[str]) -> tuple[bool, str]:
    """Whether enough mutants were noticed in each part, and a line about each."""
    lines, passed = [], True
    for part in wanted:
        verdicts = results[part]
        total = sum(count for verdict, count in verdicts.items() if verdict not in _LEFT_OUT)
        noticed = sum(verdicts[verdict] for verdict in _NOTICED)
        enough = total > 0 and noticed >= THRESHOLD * total
        passed = passed and enough
        details = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
        share = f"{noticed / total:.1%}" if total else "nothing"
        word = "" if enough else f", less than {THRESHOLD:.0%}"
        lines.append(f"{part}: {share} of {total} mutants noticed{word} ({details})")
    return passed, "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Run mutmut and fail where it finds the tests too weak."""
    wanted = list(arguments) or list(PARTS)
    if unknown := sorted({*wanted} - {*PARTS}):
        sys.exit(f"mutation: there is no part {', '.join(unknown)}; use {', '.join(PARTS)}")
    lay_out()
    mutmut = [sys.executable, "-m", "mutmut"]
    names = [f"{part}.*" for part in wanted] if arguments else []
    subprocess.run([*mutmut, "run", *names], cwd=PROJECT, check=True)
    command = [*mutmut, "results", "--all", "true"]
    results = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    (PROJECT / "results.txt").write_text(results.stdout, encoding="utf-8")
    passed, words = judge(read_results(results.stdout), wanted)
    print(words)
    if not passed:
        sys.exit(
            f"mutation: build/mutation/results.txt lists the mutants; in {PROJECT}, "
            "`mutmut show NAME` shows one"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
