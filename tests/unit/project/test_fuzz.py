"""What the fuzzer keeps, and where; the search for slow text goes where it is slow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.fuzz import __main__ as command
from tests.fuzz import corpus
from tests.fuzz.slowest import search
from tests.fuzz.targets import TARGETS

FUZZER = """#!/bin/sh
# Tries one input that is new; asked to merge, takes all that there are.
for last; do
    case $last in -merge=1) merge=yes ;; esac
    case $last in -*) ;; *) [ -d "$last" ] && folders="$folders $last" ;; esac
done
set -- $folders
if [ $merge ]; then cp "$2"/* "$1"; else printf new > "$1/new"; fi
echo stat::number_of_executed_units: 1
"""
"""In libFuzzer's place, which takes minutes and is not in this environment."""


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def program(name: str) -> Iterator[Path]:
        path = tmp_path / name
        path.write_text(FUZZER)
        path.chmod(0o755)
        yield path

    monkeypatch.setattr(corpus, "ARCHIVES", tmp_path)
    monkeypatch.setattr(command, "FOUND", tmp_path / "found")
    monkeypatch.setattr(command, "_program", program)


def test_every_target_has_its_archive_and_there_are_no_others() -> None:
    expected = {f"{name}_seed_corpus.zip" for name in TARGETS}
    assert {path.name for path in Path(command.__file__).parent.glob("*.zip")} == expected


def test_an_archive_has_the_inputs_that_were_written_once_each_and_small_ones_first() -> None:
    corpus.write_corpus("classic_text", [b"\xff\r\n", b"", b"a", b"a"])
    assert corpus.read_corpus("classic_text") == [b"", b"a", b"\xff\r\n"]


def test_the_same_inputs_are_the_same_archive() -> None:
    corpus.write_corpus("classic_text", [b"a", b"b"])
    first = corpus.locate_archive("classic_text").read_bytes()
    corpus.write_corpus("classic_text", [b"b", b"a"])
    assert corpus.locate_archive("classic_text").read_bytes() == first


def test_what_has_no_room_is_left_out_the_largest_first() -> None:
    inputs = [bytes([each]) * (corpus.MAX_CORPUS_BYTES // 2) for each in range(3)]
    corpus.write_corpus("classic_text", [b"small", *inputs])
    assert corpus.read_corpus("classic_text") == [b"small", inputs[0]]


@pytest.mark.parametrize("keep", [False, True])
def test_a_search_changes_the_archive_only_when_told_to_keep(keep: bool) -> None:
    corpus.write_corpus("classic_text", [b"kept"])
    assert command.search("classic_text", 1, keep=keep) == 1
    inputs = corpus.read_corpus("classic_text")
    assert (b"new" in inputs) == keep
    assert b"kept" in inputs


def test_the_search_puts_together_what_is_slow_only_together() -> None:
    """As ``.<A`` was: a stop and a tag take some time, and together much more."""

    def measure(unit: str, name: str) -> float:
        written = unit * 2
        pairs = sum(written.count(pair) for pair in (".{", "{~", "~."))
        signs = sum(map(written.count, ".{~"))
        return (pairs + 0.1 * signs) / len(written) * (2 if name == "modern" else 1)

    tried = count(1)
    number, slowest = search(measure, lambda: next(tried) == 10_000, seed=1)
    assert number == 10_000
    assert set(slowest[0].unit) == set(".{~")
    assert slowest[0].name == "modern"
    assert slowest == sorted(slowest, reverse=True)


def test_of_units_that_are_slow_for_the_same_reason_one_is_kept() -> None:
    tried = count(1)
    _, slowest = search(lambda unit, _: len(unit), lambda: next(tried) == 1_000, seed=1)
    kinds = [found.kind for found in slowest]
    assert len(set(kinds)) == len(kinds) > 1
