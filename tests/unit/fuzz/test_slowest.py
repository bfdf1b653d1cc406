"""The search for slow text goes where it is slow."""

from __future__ import annotations

from itertools import count

from tests.fuzz.slowest import search


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
