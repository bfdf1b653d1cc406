"""Each benchmark runs, at a size that takes seconds, and its figures can be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.check import GROUPS, LIMITS, Sizes
from benchmarks.part import made_up
from benchmarks.results import Figures, load_results

PAGE = "<!-- benchmarks:begin -->\n<!-- benchmarks:end -->\n"


def run(part: str, folder: Path) -> tuple[Figures, str]:
    """A part's figures, and the page that shows them."""
    page = folder / "benchmarks.md"
    page.write_text(PAGE)
    main([part, "--quick", "--docs", str(folder)])
    return load_results(folder)[part].figures, page.read_text()


def test_text(tmp_path: Path) -> None:
    figures, page = run("text", tmp_path)
    rates = figures["rates"]
    assert min(rates["modern"]) > 10 * max(rates["usual"])
    assert "usual, tidied" in page


def test_answers(tmp_path: Path) -> None:
    figures, page = run("answers", tmp_path)
    for found in figures["milliseconds"].values():
        assert 0 < found["modern"]["p50"] <= found["modern"]["p99"]
    # What takes a hundred times as long is longer on a busy machine, too; nothing else is compared.
    parts = figures["parts"]
    assert parts["usual"]["text"] > parts["modern"]["text"] > 0
    assert "modern, explained" in page


def test_load(tmp_path: Path) -> None:
    figures, page = run("load", tmp_path)
    for level in figures["levels"]:
        assert level["answered"] > 0
        assert not level["errors"]
    assert "503 with Retry-After" in page


def test_attack(tmp_path: Path) -> None:
    figures, page = run("attack", tmp_path)
    [attack] = figures["attacks"].values()
    assert attack["asked"] > 0
    assert sum(attack["statuses"].values()) >= attack["asked"]
    assert attack["in time"] <= attack["statuses"]["200"]
    assert attack["attacker"]["200"] > 0
    assert "attacker's statuses" in page


def test_files(tmp_path: Path) -> None:
    figures, page = run("files", tmp_path)
    assert set(figures["seconds"]) == {"reeltone", "vader", "textblob", "nbsvm"}
    assert figures["many"] == 300
    assert figures["answer seconds"] > 0
    assert "Reeltone, reviews a second" in page


def test_distilbert(tmp_path: Path) -> None:
    figures, page = run("distilbert", tmp_path)
    assert figures["milliseconds"] > 1
    assert "300 word pieces" in page


@pytest.mark.parametrize("group", GROUPS)
def test_each_limit_of_bench_check_is_measured_by_its_group(group: str) -> None:
    ratios = GROUPS[group](made_up(), Sizes(text=4, answers=1, starts=1))
    assert ratios.keys() == {limit.name for limit in LIMITS if limit.group == group}
    assert min(ratios.values()) > 0
