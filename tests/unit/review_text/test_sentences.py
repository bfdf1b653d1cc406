"""Sentences of a submitted review."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_text import MODERN, split_sentences
from review_text.tokens import find_tokens


def sentences(text: str) -> list[str]:
    _, spans = find_tokens(text, MODERN)
    found = split_sentences(text, spans)
    return [text[spans[each.first][0] : spans[each.last][1]] for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Great! Just great.", ["Great!", "Just great."]),
        ("One line\nanother line", ["One line", "another line"]),
        ("One<br /><br />two", ["One", "two"]),
        ("Mr. Smith met Dr. Jones. Fun!", ["Mr. Smith met Dr. Jones.", "Fun!"]),
        ("J. R. Smith directs", ["J. R. Smith directs"]),
        ("I give it 7.5 of 10", ["I give it 7.5 of 10"]),
        ('"Never again." She left', ['"Never again."', "She left"]),
        ("So... what? Nothing", ["So...", "what?", "Nothing"]),
        ("<br />\nOne. Two", ["One.", "Two"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_say(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(st.sampled_from(list("ab .!?\n<br/>\"'")), max_size=60))
def test_every_token_is_in_one_sentence(text: str) -> None:
    _, spans = find_tokens(text, MODERN)
    tokens = [
        index for each in split_sentences(text, spans) for index in range(each.first, each.last + 1)
    ]
    assert tokens == list(range(len(spans)))


@pytest.mark.parametrize(
    "unit", [".", "?!", "…", ".'", '."', "\r", "<br", "<p ", "</", "J.", "<br <"]
)
@pytest.mark.parametrize("end", ["", "x", "'x"])
def test_a_row_of_what_might_end_a_sentence_is_read_in_linear_time(unit: str, end: str) -> None:
    text = unit * (20_000 // len(unit)) + end
    spans = [(at, at + 1) for at in range(0, len(text), 100)]
    started = time.process_time()
    split_sentences(text, spans)
    assert time.process_time() - started < 0.5  # a quadratic search took 8 s for 20,000 dots
