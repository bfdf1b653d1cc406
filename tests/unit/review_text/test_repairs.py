"""Damaged text, and the way back to it."""

from __future__ import annotations

import pytest

from review_text import MODERN
from review_text.repairs import repair
from review_text.tokens import find_tokens


@pytest.mark.parametrize(
    ("damaged", "meant"),
    [
        ("It is n't good", "It isn't good"),
        ("you ca n't, WO N'T", "you can't, WOn't"),
        ("I didn 't", "I didn't"),
        ("I didn?t like it", "I didn't like it"),
        ("it isn''t", "it isn't"),
        ("don´t don`t don′t donʹt", "don't don't don't don't"),
        ("I wouldnâ€™t", "I wouldn't"),
        ("don\x92t", "don't"),
        ("they 're late, it 's on, i 'm in", "they're late, it's on, i'm in"),
        ("â€œYesâ€\x9d", '"Yes"'),
        ("O`Hara", "O'Hara"),
    ],
)
def test_a_damaged_text_is_read_as_it_was_meant(damaged: str, meant: str) -> None:
    repaired = repair(damaged)
    assert repaired is not None
    assert repaired.text == meant


@pytest.mark.parametrize(
    "text", ["It isn't bad.", "rock 'n' roll", "an 'ordinary' quote", "Is it? Then go.", "Â£5", ""]
)
def test_a_sound_text_is_left_alone(text: str) -> None:
    assert repair(text) is None


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("it is n't good", ["it", "is n't", "good"]),
        ("it 's donâ€™t", ["it", "'s", "donâ€™t"]),
        ("i 'm <b>isn 't</b> it", ["i 'm", "isn 't", "it"]),
    ],
)
def test_a_repaired_word_has_its_place_in_the_text_as_it_came(text: str, places: list[str]) -> None:
    _, spans = find_tokens(text, MODERN)
    assert [text[start:end] for start, end in spans] == places
