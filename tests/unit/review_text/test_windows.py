"""Reviews cut into windows, and put together again."""

from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from review_text import NO_WORD, count_windows, cut_windows, join_windows


@given(
    reviews=st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=12), max_size=5),
    window=st.integers(1, 5),
)
def test_windows_are_full_but_for_the_last_of_each_review(
    reviews: list[list[int]], window: int
) -> None:
    windows = cut_windows(reviews, window)
    assert windows.lengths == list(map(len, reviews))
    assert {len(ids) for ids in windows.ids} <= {window}
    left = iter(windows.ids)
    for review in reviews:
        own = [number for ids in islice(left, count_windows(len(review), window)) for number in ids]
        assert own[: len(review)] == review
        assert set(own[len(review) :]) <= {NO_WORD}
        assert len(own) - len(review) < window
    assert not list(left)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 5))
def test_one_review_is_put_together_again(review: list[int], window: int) -> None:
    assert join_windows(cut_windows([review], window)) == review


def test_an_example() -> None:
    windows = cut_windows([[5, 6, 7], [8]], 2)
    assert (windows.ids, windows.lengths) == ([[5, 6], [7, 0], [8, 0]], [3, 1])
