"""No text takes much longer to read than plain text of its length."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.times import CHARACTERS, SETTINGS, check_time, repeat

TAGS = ["<", "</", "<!--", "<![", "<!>", "<!-- >", "<a ", "<a/", "<a=", "<a =", "<br ", "</p"]
QUOTES = ["<a x='", "<a x='>' ", "<a='>'", "<a=\"'>", "<a='<b=\"", "<a='<b=\">", "=", "\"'"]
ELEMENTS = ["<b>a", "<i>.", "<p>&a", "<b/>", "<br />", "<rt>", "<script>", "<template>"]
ENTITIES = ["&a", "&a;", "&ab", "&#", "&#9", "&#1;", "&#x1;", "&lt", "&lt;", "&eacute;"]
MARKS = [".", ". ", " .", ".\n", '."', "...", "!_", "._", "_ ", ":) ", "Mr. ", "\r\n", "a.a."]
WORDS = ["a\n", "a,", "1/", "1.1.", "'s", "’s ", "a'", "é'", "y", "yyyyyyy ", "İ", "ﬁ ", "👍a"]
RATINGS = ["1/4 ", "10/10 ", "* ", "★ ", "5 stars ", "four and a half ", "1 1/2 ", "5% ", "5 of "]
RATINGS += ["give it a 9 ", "**** out of ****", "score: 9", "½", "9/"]
DAMAGE = ["â€™", "n't ", "is n ", "isn't", "x''x", " 's", "is n?t ", "´", " 'm", "i 'm "]
JOINED = ["\u0301", "a\u0301 ", "a\u200b", "\u200b", "👍\u200d", "e\u0301\u200b"]
UNITS = [*TAGS, *QUOTES, *ELEMENTS, *ENTITIES, *MARKS, *WORDS, *RATINGS, *DAMAGE, *JOINED]


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
