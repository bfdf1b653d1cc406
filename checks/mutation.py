"""Mutation testing: small changes to the code that the tests must notice.

    .venv/bin/python -m checks.mutation             all of it: docs/testing.md says how long
    .venv/bin/python -m checks.mutation predict     one part: review_text, predict or endpoint

mutmut names a mutant after its file's path and expects that to be the module's name, which it is
not in Lambda's layout. So the code is laid out anew, below build/mutation: for each part a project
with one source folder and that part's own tests. Only functions are changed: patterns and tables at
the top of a module are not.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECTS = ROOT / "build" / "mutation"

THRESHOLD = 0.85
"""Share of each part's mutants that must be noticed."""
MAX_TIMEOUTS = 0.1
"""Share that may be noticed by never ending. That is rare: more of them mean that the machine
was busy, or that mutmut could not run the tests, which it calls a time-out too."""


@dataclass(frozen=True)
class Part:
    """What is changed together, and the tests that must notice: its own. Nearly all others read
    texts too, and would be run for each change of ``review_text``."""

    modules: str
    """A pattern of paths below ``src``."""
    tests: tuple[str, ...]


_SENTIMENT = "tests/unit/sentiment"
PARTS = {
    "review_text": Part("review_text/*.py", ("tests/unit/review_text",)),
    "predict": Part(
        "review_text/predict.py", (f"{_SENTIMENT}/test_predict.py", f"{_SENTIMENT}/test_app.py")
    ),
    "endpoint": Part("endpoint.py", (f"{_SENTIMENT}/test_endpoint.py",)),
}

# Where a mutant is noticed: a test fails, or never ends, or the process dies of it.
_NOTICED = {"killed", "timeout", "segfault", "suspicious"}
# No verdict on the tests.
_LEFT_OUT = {"skipped"}

_SOURCES = ("functions/sentiment", "layers/vocabulary")
# What those tests need besides; the routes are compared with the template's.
_SURROUNDINGS = (
    "tests/conftest.py",
    f"{_SENTIMENT}/conftest.py",
    "template.yaml",
)
_SETTINGS = """\
[tool.pytest.ini_options]
pythonpath = ["src", "."]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider"]
timeout = 300

[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/{part.modules}"]
also_copy = ["template.yaml"]
process_isolation = "forkserver"  # hypothesis runs no test of a class twice in a process
timeout_constant = 4.0  # seconds, times 15: pytest starts in one or two, unless the machine is busy
pytest_add_cli_args_test_selection = {tests}
"""
# A mutant must not be called noticed because the machine was slow or the examples were lucky.
_EXAMPLES = """

from hypothesis import settings

settings.register_profile("mutation", deadline=None, derandomize=True, database=None)
settings.load_profile("mutation")
"""


def lay_out(part: Part, project: Path) -> None:
    """Write the project that mutmut is run on, in the place of an earlier one."""
    shutil.rmtree(project, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "Makefile", "requirements.txt")
    for folder in _SOURCES:
        shutil.copytree(ROOT / folder, project / "src", ignore=ignored, dirs_exist_ok=True)
    for name in (*_SURROUNDINGS, *part.tests):
        target = project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=ignored)
        else:
            shutil.copyfile(ROOT / name, target)
    with (project / "tests" / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(_EXAMPLES)
    settings = _SETTINGS.format(part=part, tests=json.dumps(part.tests))
    (project / "pyproject.toml").write_text(settings, encoding="utf-8")


def read_results(output: str) -> Counter[str]:
    """Read how many mutants came to what, from what ``mutmut results`` prints."""
    return Counter(re.findall(r"^\s*\S+__mutmut_\d+: (.*\S)", output, re.MULTILINE))


def check_part(name: str, verdicts: Counter[str]) -> tuple[bool, str]:
    """Say whether enough mutants of a part were noticed, and a line about it."""
    total = sum(count for verdict, count in verdicts.items() if verdict not in _LEFT_OUT)
    noticed = sum(verdicts[verdict] for verdict in _NOTICED)
    credible = verdicts["timeout"] <= MAX_TIMEOUTS * total
    enough = total > 0 and noticed >= THRESHOLD * total
    details = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    share = f"{noticed / total:.1%}" if total else "nothing"
    word = "" if enough else f", less than {THRESHOLD:.0%}"
    word += "" if credible else f", more than {MAX_TIMEOUTS:.0%} of them by time-outs"
    return enough and credible, f"{name}: {share} of {total} mutants noticed{word} ({details})"


def change(name: str) -> Counter[str]:
    """Run mutmut on a part; how many of its mutants came to what."""
    project = PROJECTS / name
    lay_out(PARTS[name], project)
    mutmut = [sys.executable, "-m", "mutmut"]
    subprocess.run([*mutmut, "run"], cwd=project, check=True)
    command = [*mutmut, "results", "--all", "true"]
    results = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True)
    (project / "results.txt").write_text(results.stdout, encoding="utf-8")
    return read_results(results.stdout)


def main(arguments: Sequence[str]) -> None:
    """Run mutmut and fail where it finds the tests too weak."""
    parser = argparse.ArgumentParser(
        prog="python -m checks.mutation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    wanted = parser.parse_args(arguments).parts or list(PARTS)
    if unknown := sorted({*wanted} - {*PARTS}):
        parser.error(f"there is no part {', '.join(unknown)}; use {', '.join(PARTS)}")
    checked = [check_part(name, change(name)) for name in wanted]
    print("\n".join(words for _, words in checked))
    if not all(enough for enough, _ in checked):
        sys.exit(
            f"mutation: results.txt in {PROJECTS}/PART lists the mutants; there, "
            "`mutmut show NAME` shows one"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
