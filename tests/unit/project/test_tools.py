"""What tests rest on: the canary that no log may hold, the fuzzer and its archives."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.canary import CANARY, find_traces
from tests.fuzz import __main__ as command
from tests.fuzz import targets
from tests.fuzz.slowest import search
from tests.fuzz.targets import TARGETS

WIDE = CANARY.encode("utf-16-le")


@pytest.mark.parametrize(
    ("output", "form"),
    [
        (f"KeyError: '{CANARY.upper()}'", "text"),
        (repr(CANARY.encode()), "text"),
        (WIDE.decode("latin-1"), "wide text"),
        (json.dumps({"review": CANARY}), "text"),
        ('{"review": "' + "".join(f"\\u{ord(c):04X}" for c in CANARY), "JSON"),
        ("".join(f"%{byte:02X}" for byte in CANARY.encode()), "percent, all of it"),
        (f"GET /?{quote(CANARY)}", "percent"),
        ("".join(f"&#{ord(c)};" for c in CANARY), "entities"),
        (CANARY.encode().hex(), "hexadecimal"),
        (str(list(CANARY.encode())), "ids"),
        (base64.b64encode(f'{{"review": "{CANARY} film"}}'.encode()).decode(), "Base64 at 0"),
        (base64.b64encode(f"x{CANARY}!".encode()).decode(), "Base64 at 1"),
        (base64.b64encode(f"xy{CANARY}?".encode()).decode(), "Base64 at 2"),
        (base64.b64encode(b"\xff\xfe" + WIDE).decode(), "Base64 of UTF-16 at 2"),
    ],
)
def test_the_canary_is_found(output: str, form: str) -> None:
    assert form in find_traces(f"a line before\n{output}\na line after")


def test_an_ordinary_log_holds_no_canary() -> None:
    assert (
        find_traces('{"level": "INFO", "message": "request", "status": 200, "ids": [1, 2]}') == []
    )


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

    monkeypatch.setattr(targets, "ARCHIVES", tmp_path)
    monkeypatch.setattr(command, "FOUND", tmp_path / "found")
    monkeypatch.setattr(command, "_program", program)


def test_every_target_has_its_archive_and_there_are_no_others() -> None:
    expected = {f"{name}_seed_corpus.zip" for name in TARGETS}
    assert {path.name for path in Path(command.__file__).parent.glob("*.zip")} == expected


def test_an_archive_has_the_inputs_that_were_written_once_each_and_small_ones_first() -> None:
    targets.write_corpus("classic_text", [b"\xff\r\n", b"", b"a", b"a"])
    assert targets.read_corpus("classic_text") == [b"", b"a", b"\xff\r\n"]


def test_the_same_inputs_are_the_same_archive() -> None:
    targets.write_corpus("classic_text", [b"a", b"b"])
    first = targets.locate_archive("classic_text").read_bytes()
    targets.write_corpus("classic_text", [b"b", b"a"])
    assert targets.locate_archive("classic_text").read_bytes() == first


def test_what_has_no_room_is_left_out_the_largest_first() -> None:
    inputs = [bytes([each]) * (targets.MAX_CORPUS_BYTES // 2) for each in range(3)]
    targets.write_corpus("classic_text", [b"small", *inputs])
    assert targets.read_corpus("classic_text") == [b"small", inputs[0]]


@pytest.mark.parametrize("keep", [False, True])
def test_a_search_changes_the_archive_only_when_told_to_keep(keep: bool) -> None:
    targets.write_corpus("classic_text", [b"kept"])
    assert command.search("classic_text", 1, keep=keep) == 1
    inputs = targets.read_corpus("classic_text")
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
