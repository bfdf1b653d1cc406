"""What is made of mutmut's results, and what mutmut is run on."""

from __future__ import annotations

import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from checks import mutation
from checks.mutation import PARTS, change, check_part, lay_out, read_results

OUTPUT = """
    predict.x_check_list__mutmut_1: killed
    predict.x_check_list__mutmut_2: survived
    predict.xǁPredictionǁto_dict__mutmut_1: timeout
    review_text.tokens.x_find_tokens__mutmut_11: no tests
"""


def test_results_are_counted() -> None:
    assert read_results(OUTPUT) == {"killed": 1, "survived": 1, "timeout": 1, "no tests": 1}


@pytest.mark.parametrize(
    ("verdicts", "enough"),
    [
        ({"killed": 85, "survived": 15}, True),
        ({"killed": 84, "survived": 16}, False),
        ({"killed": 80, "timeout": 5, "survived": 15}, True),
        ({"killed": 85, "no tests": 16}, False),
        ({"killed": 85, "not checked": 16}, False),
        ({"killed": 85, "survived": 15, "skipped": 50}, True),
        ({"skipped": 50}, False),
        ({}, False),
    ],
)
def test_a_part_passes_with_85_of_100_mutants_noticed(
    verdicts: dict[str, int], enough: bool
) -> None:
    passed, words = check_part("predict", Counter(verdicts))
    assert passed is enough
    assert ("less than 85%" in words) is not enough


@pytest.mark.parametrize(("timeouts", "credible"), [(10, True), (11, False)])
def test_a_part_with_many_time_outs_was_not_judged(timeouts: int, credible: bool) -> None:
    passed, words = check_part("predict", Counter(killed=100 - timeouts, timeout=timeouts))
    assert passed is credible
    assert ("more than 10% of them by time-outs" in words) is not credible


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that were changed; the tests of predict.py are weak."""
    names: list[str] = []

    def change(name: str) -> Counter[str]:
        names.append(name)
        return Counter(survived=9) if name == "predict" else Counter(killed=9)

    monkeypatch.setattr(mutation, "change", change)
    return names


def test_one_weak_part_is_enough_to_fail(
    changed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"results\.txt"):
        mutation.main([])
    assert changed == ["review_text", "predict", "endpoint"]
    assert capsys.readouterr().out.splitlines() == [
        "review_text: 100.0% of 9 mutants noticed (9 killed)",
        "predict: 0.0% of 9 mutants noticed, less than 85% (9 survived)",
        "endpoint: 100.0% of 9 mutants noticed (9 killed)",
    ]


def test_a_part_can_be_changed_alone(changed: list[str]) -> None:
    mutation.main(["endpoint"])
    assert changed == ["endpoint"]


def test_an_unknown_part_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        mutation.main(["app"])
    assert "there is no part app; use review_text, predict" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "module", "test"),
    [
        ("review_text", "review_text/tokens.py", "review_text/test_tokens.py"),
        ("predict", "review_text/predict.py", "sentiment/test_app.py"),
        ("endpoint", "endpoint.py", "sentiment/test_endpoint.py"),
    ],
)
def test_a_project_has_the_code_in_one_folder_and_the_parts_own_tests(
    tmp_path: Path, name: str, module: str, test: str
) -> None:
    project = tmp_path / "project"
    lay_out(PARTS[name], project)
    settings = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["mutmut"]
    [changed] = settings["only_mutate"]
    assert (project / "src" / module).match(changed)
    for selected in settings["pytest_add_cli_args_test_selection"]:
        assert (project / selected).exists()
    assert (project / "tests/unit" / test).is_file()
    assert (project / "src/review_text/stop_words_english.txt").is_file()
    assert "deadline=None" in (project / "tests/conftest.py").read_text()
    assert not list(project.rglob("Makefile"))


def test_mutmut_is_run_where_the_part_was_laid_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[tuple[list[str], Path]] = []

    def run(command: list[str], cwd: Path, **_: object) -> subprocess.CompletedProcess[str]:
        commands.append((command[2:], cwd))
        return subprocess.CompletedProcess(command, 0, stdout=OUTPUT)

    monkeypatch.setattr(mutation, "PROJECTS", tmp_path)
    monkeypatch.setattr(subprocess, "run", run)
    assert change("endpoint") == read_results(OUTPUT)
    project = tmp_path / "endpoint"
    assert commands == [
        (["mutmut", "run"], project),
        (["mutmut", "results", "--all", "true"], project),
    ]
    assert (project / "results.txt").read_text() == OUTPUT
