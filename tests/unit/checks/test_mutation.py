"""What is made of mutmut's results, and what mutmut is run on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from checks import mutation
from checks.mutation import judge, lay_out, read_results

OUTPUT = """
    predict.x_check_list__mutmut_1: killed
    predict.x_check_list__mutmut_2: survived
    predict.xǁPredictionǁto_dict__mutmut_1: timeout
    review_text.tokens.x_find_tokens__mutmut_11: no tests
    endpoint.x__parse__mutmut_1: killed
    settings.x__read__mutmut_1: survived
"""


def test_results_are_counted_by_part() -> None:
    assert read_results(OUTPUT) == {
        "review_text": Counter({"no tests": 1}),
        "predict": Counter({"killed": 1, "survived": 1, "timeout": 1}),
        "endpoint": Counter({"killed": 1}),
    }


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
    results = read_results("") | {"predict": Counter(verdicts)}
    passed, words = judge(results, ["predict"])
    assert passed is enough
    assert ("less than 85%" in words) is not enough


def test_one_weak_part_is_enough_to_fail() -> None:
    results = {"review_text": Counter(killed=9), "predict": Counter(survived=9)}
    passed, words = judge(results, ["review_text", "predict"])
    assert not passed
    assert "review_text: 100.0% of 9 mutants noticed (9 killed)" in words


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(SystemExit, match="there is no part app; use review_text, predict"):
        mutation.main(["app"])


def test_the_project_has_code_and_tests_in_one_source_folder(tmp_path: Path) -> None:
    lay_out(tmp_path / "project")
    for name in ("src/predict.py", "src/endpoint.py", "src/review_text/stop_words_english.txt"):
        assert (tmp_path / "project" / name).is_file()
    assert (tmp_path / "project" / "tests/unit/sentiment/conftest.py").is_file()
    assert "deadline=None" in (tmp_path / "project" / "tests/conftest.py").read_text()
    assert not list((tmp_path / "project").rglob("Makefile"))
