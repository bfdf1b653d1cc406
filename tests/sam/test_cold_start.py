"""The function's start in Lambda's container, as the benchmark measures it."""

from __future__ import annotations

from benchmarks import cold_start
from benchmarks.part import Bench
from benchmarks.results import MissingNeedError
from tests.needs import need


def test_the_function_and_a_bare_one_start_in_containers() -> None:
    try:
        cold_start.check_needs()
    except MissingNeedError as missing:
        need(False, str(missing))
    figures = cold_start.measure(Bench(quick=True))
    assert figures["seconds"].keys() == {"bare function", "function"}
    for [seconds] in figures["seconds"].values():
        assert seconds > 0
