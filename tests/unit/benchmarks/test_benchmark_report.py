"""docs/benchmarks.md: ratios first, goals met or missed, every figure from what was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cost
from benchmarks.__main__ import PARTS, choose, main, summarise, write_page, write_report
from benchmarks.part import Claim, number
from benchmarks.results import (
    BenchmarkError,
    Conditions,
    Result,
    load_results,
    measure_part,
    model_versions,
)
from model_training.paths import DOCS

CONDITIONS = Conditions(
    "A processor, 2 cores, Python 3.13", "Linux 6", {"numpy": "2"}, {"modern": "modern-0"},
    "2026-11-26", (0.5, 1.0), 60.0,
)  # fmt: skip


def answer(p50: float, p99: float) -> dict[str, float]:
    return {"p50": p50, "p99": p99, "requests": 100}


LENGTH = {
    "usual": answer(150, 200),
    "classic": answer(8, 9),
    "modern": answer(10, 25),
    "modern, explained": answer(12, 20),
}
RATES = {"usual": [20.0, 10.0, 40.0], "usual, tidied": [600.0], "classic": [7000.0]}
PART = {"text": 0.25, "model": 8.0, "container": 9.0}
FIGURES: dict[str, dict[str, Any]] = {
    "text": {"reviews": 100, "texts": "test reviews", "rates": RATES | {"modern": [5000.0]}},
    "answers": {
        "texts": "test reviews",
        "milliseconds": {"10": LENGTH, "230": LENGTH},
        "parts": {"usual": PART | {"text": 110.0}, "modern": PART},
    },
    "distilbert": {"tokens": 300, "milliseconds": 320.0},
    "cold-start": {
        "seconds": {"bare function": [0.4], "function": [0.5]},
        "image": "lambda/python:3.13",
        "byte code in the package": True,
    },
    "load": {
        "texts": "test reviews",
        "levels": [
            {
                "users": users,
                "seconds": 60.1,
                "answered": 6000,
                "answers a second": 100.0,
                "refused": 3,
                "errors": {"500": 1} if users == 512 else {},
                "answer p50": 10.0,
                "answer p99": 30.0,
                "refusal p50": 5.0,
                "refusal p99": 9.0,
            }
            for users in (1, 512)
        ],
    },
    "attack": {
        "texts": "test reviews",
        "tries": 12,
        "per address": 120,
        "in time": 5.0,
        "seconds": 60.0,
        "attacks": {
            "many reviews": {
                "asked": 60,
                "in time": 60,
                "statuses": {"200": 60},
                "p99 ms": 900.0,
                "attacker": {"200": 130, "429": 700},
            },
            "the visitor's route": {
                "asked": 60,
                "in time": 15,
                "statuses": {"200": 15, "429": 45},
                "p99 ms": None,
                "attacker": {"200": 400},
            },
        },
    },
    "files": {
        "texts": "test reviews",
        "reviews": 500,
        "cores": 2,
        "seconds": {"reeltone": 5.0, "vader": 2.0, "textblob": 4.0, "nbsvm": 1.0},
        "many": 1000,
        "many seconds": 12.0,
        "megabytes": [400.0, 420.0],
        "import seconds": 0.2,
        "answer seconds": 0.6,
        "install seconds": 15.0,
        "wheel megabytes": 16.5,
    },
}
RESULTS_OF_ALL = {part: Result(CONDITIONS, figures) for part, figures in FIGURES.items()}


def page(results: dict[str, Result]) -> str:
    return write_page(PARTS.values(), results)


def test_every_part_has_made_up_figures_here() -> None:
    assert set(PARTS) == set(FIGURES)


def test_the_summary_has_ratios_of_medians_and_says_which_goals_are_missed() -> None:
    lines = summarise(PARTS.values(), RESULTS_OF_ALL).splitlines()
    found = {line.split(" | ")[0].removeprefix("| "): line for line in lines}
    assert "| 350 times as fast as the usual code |" in found["text processing, classic"]
    whole = found["one review of 230 words, handler and endpoint"]
    assert "| 15 times as fast as the usual path | at least 10: met |" in whole
    assert "| 2.50 times their p50 | at most 2: **missed** |" in found["p99 of such answers"]
    cold = found["start in Lambda's container (INIT)"]
    assert "| 1.25 times a bare boto3 client's | at most 1.4: met |" in cold
    assert "| 1 | at most 0: **missed** |" in found["errors under 1 to 512 users at once"]
    visitor = "a visitor's requests answered within 5 s, attacked: "
    assert "| 100 % | at least 99: met |" in found[visitor + "many reviews"]
    assert "| 25 % | at least 99: **missed** |" in found[visitor + "the visitor's route"]


def test_ratios_come_first_and_each_part_says_how_to_repeat_it() -> None:
    written = page(RESULTS_OF_ALL)
    assert written.startswith("| what | measured | goal |")
    for part in FIGURES:
        assert f"`make bench ARGS={part}`" in written
    assert written.count("load average 0.5 before, 1 after 60 s") == len(FIGURES)


def test_an_attack_says_how_often_its_victim_tried() -> None:
    once = replace(RESULTS_OF_ALL["attack"], figures={**FIGURES["attack"], "tries": 1})
    assert "for 60 s, sent once, and one attacker" in page({"attack": once})
    assert "sent up to 12 times, at the website's intervals, and" in page(RESULTS_OF_ALL)


def test_what_was_not_measured_is_not_there() -> None:
    written = page({"text": RESULTS_OF_ALL["text"]})
    assert "ARGS=text`" in written
    assert "Cold start" not in written
    assert page({}) == "Nothing has been measured yet."


@pytest.mark.slow
def test_the_report_makes_a_page_and_plots_where_there_were_none(tmp_path: Path) -> None:
    write_report(PARTS.values(), RESULTS_OF_ALL, tmp_path)
    text = (tmp_path / "benchmarks.md").read_text()
    assert text.startswith("# How fast it is")
    assert page(RESULTS_OF_ALL) in text
    plots = {path.name: path.read_bytes() for path in (tmp_path / "benchmarks").iterdir()}
    assert sorted(plots) == ["answers.svg", "load.svg", "text.svg"]
    assert all(f"](benchmarks/{name})" in text for name in plots)
    write_report(PARTS.values(), RESULTS_OF_ALL, tmp_path)
    assert plots == {name: (tmp_path / "benchmarks" / name).read_bytes() for name in plots}


def test_costs_are_computed_from_the_measured_times() -> None:
    given = cost.assume(RESULTS_OF_ALL)
    assert (given.text_ms, given.model_ms, given.distilbert_ms) == (0.25, 9.0, 320.0)


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (2, "2"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234")]
)
def test_numbers_have_about_three_digits(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_claim_without_a_goal_has_none() -> None:
    assert Claim("speed", 3, "times").row() == ["speed", "3 times", ""]


def test_results_come_back_as_they_were_kept(tmp_path: Path) -> None:
    for _ in range(2):
        RESULTS_OF_ALL["text"].save(tmp_path, "text")
    assert load_results(tmp_path) == {"text": RESULTS_OF_ALL["text"]}


def test_a_result_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "benchmarks.json").write_text('{"text": {}}')
    with pytest.raises(BenchmarkError, match=r"text is no result .* make bench ARGS=text"):
        load_results(tmp_path)


def test_a_measured_part_knows_its_machine_versions_and_models() -> None:
    result = measure_part(lambda: {"a": 1})
    assert result.figures == {"a": 1}
    assert result.conditions.models == model_versions()
    assert {"numpy", "onnxruntime", "torch"} <= set(result.conditions.versions)
    assert "Python" in result.conditions.machine


def test_the_page_shows_the_figures_that_are_kept() -> None:
    kept = load_results(DOCS)
    text = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    assert page(kept) in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["speed"], "there is no part speed; there are text, answers"),
        (["--quick"], "pass --docs, elsewhere"),
    ],
)
def test_a_wrong_command_says_what_would_be_right(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "quick", "chosen"),
    [
        ([], False, ["text", "answers", "distilbert"]),
        ([], True, list(PARTS)),
        (["all"], False, list(PARTS)),
        (["load", "text"], True, ["load", "text"]),
        (["report"], True, []),
    ],
)
def test_the_parts_that_are_measured(names: list[str], quick: bool, chosen: list[str]) -> None:
    assert choose(names, quick) == chosen


def test_the_report_alone_measures_nothing(tmp_path: Path) -> None:
    (tmp_path / "benchmarks.md").write_text(
        "# Page\n<!-- benchmarks:begin -->\n<!-- benchmarks:end -->\n"
    )
    RESULTS_OF_ALL["text"].save(tmp_path, "text")
    main(["report", "--docs", str(tmp_path)])
    written = (tmp_path / "benchmarks.md").read_text()
    assert written.startswith("# Page\n") and "ARGS=text`" in written
    assert load_results(tmp_path) == {"text": RESULTS_OF_ALL["text"]}
