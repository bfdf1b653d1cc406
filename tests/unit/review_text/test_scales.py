"""Ratings on a scale, and numbers that are none."""

from __future__ import annotations

import pytest

from review_text.scales import DATE, find_ratings

RATINGS = {
    "0/10": ["0/10", "zero out of ten", "0%"],
    "1/10": ["1/10 stars", "---", "Rating: F"],
    "2/10": ["1/5", "*", "one star", "★", "Grade: E"],
    "3/10": ["*1/2", "★½", "1½ stars", "Grade: D"],
    "4/10": ["Two Stars", "2 out of 5", "C-", "40%", "★★☆☆☆"],
    "5/10": ["2 out of four stars", "**1/2", "50/100", "2 1/2 stars out of 5"],
    "7/10": ["★★★½", "3.5/5", "7 of 10", "7/10"],
    "8/10": [
        "4 out of 5",
        "4/5",
        "A 4-star",
        "8 on 10",
        "8-10",
        "four stars",
        "8 outta 10",
        "15/20",
    ],
    "9/10": [
        "3.5 out of 4",
        "4 1/2 stars",
        "Four and a half stars",
        "***1/2 out of ****",
        "85/100",
        "90%",
    ],
    "10/10": [
        "⭐⭐⭐⭐⭐",
        "9,5/10",
        "5 stars",
        "ten out of ten",
        "100/100",
        "99% on RT",
        "10⁄10",
        "**** out of ****",
    ],
}


@pytest.mark.parametrize(
    ("text", "expected"), [(text, word) for word, texts in RATINGS.items() for text in texts]
)
def test_a_rating_is_read_as_its_share_of_the_scale(text: str, expected: str) -> None:
    [(start, end, word)] = find_ratings(text)
    assert word == expected
    assert text[start:end].strip(" :") != ""


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("A 4-star film", "4-star", "8/10"),
        ("  ★★★★★ lovely", "★★★★★", "10/10"),
        ("I'd give it a 9.", "9", "9/10"),
        ("Story 8/10, sound 2.5 out of 5 stars!", "8/10", "8/10"),
        ("Score: 9", "9", "9/10"),
        ("Rating: B+", "B+", "9/10"),
        ("**** It has everything", "****", "8/10"),
    ],
)
def test_a_rating_is_found_where_it_stands(text: str, place: str, expected: str) -> None:
    start, end, word = next(find_ratings(text))
    assert (text[start:end], word) == (place, expected)


@pytest.mark.parametrize(
    "text",
    [
        "24/7", "9/11", "50/50", "Toy Story 3", "It has 10 parts.", "I saw it 3 times.",
        "The two stars have no chemistry.", "its five stars", "3/4 of the film is dull",
        "90% of it is talk", "1 of 10 children is in it.", "It cost $10.", "4/10/2020",
        "*** spoilers ***", "f***ing", "**bold** words", "Season 3 episode 10.", "8/10 of them",
        "a star-studded cast", "10 out of 10 people", "1/2", "a", "C", "It is rated R.", "",
    ],
)  # fmt: skip
def test_a_date_a_count_and_a_share_of_something_are_no_ratings(text: str) -> None:
    assert list(find_ratings(text)) == []


@pytest.mark.parametrize("text", ["Seen on 7/10.", "I saw it on 3/10.", "from 9/10 to 10/10"])
def test_a_date_that_looks_like_a_rating_is_a_word_of_its_own(text: str) -> None:
    assert {word for _, _, word in find_ratings(text)} == {DATE}
