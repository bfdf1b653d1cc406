"""No text takes much longer to read than plain text of its length."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.slowest import QUOTES, TAGS, UNITS
from tests.fuzz.times import CHARACTERS, SETTINGS, check_time, repeat


def never_met(letters: str, length: int) -> str:
    """Words of which hardly one comes twice."""
    choices = random.Random(length).choices
    words = ("".join(choices(letters, k=length)) for _ in range(CHARACTERS // (length + 1)))
    return " ".join(words)


TEXTS = {
    **{unit: repeat(unit) for unit in UNITS},
    # Behind them comes what would close them, so that it is looked for from each.
    **{f"{unit} … >": repeat(unit)[:-1] + ">" for unit in [*TAGS, *QUOTES]},
    "characters": " ".join(map(chr, range(0x20000, 0x20000 + CHARACTERS // 2))),
    "short words": never_met("abcdefghijklmnopqrstuvwxyz", 2),
    "words": never_met("abcdefghijklmnopqrstuvwxyz", 5),
    "accents": never_met("éàüöçñß", 3),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("text", TEXTS.values(), ids=map(ascii, TEXTS))
def test_no_text_takes_more_than_five_times_as_long_as_plain_text(text: str, name: str) -> None:
    check_time(text, SETTINGS[name])
