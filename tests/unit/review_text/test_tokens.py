"""Tokens, places, ratings, repairs, stems, sentences; no text takes much longer than plain text."""

from __future__ import annotations

import importlib
import importlib.util
import random
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_text import CLASSIC, MODERN, TextSettings, split_sentences
from review_text.porter import porter_stem
from review_text.repairs import repair
from review_text.scales import DATE, find_ratings
from review_text.tokens import (
    english_stop_words,
    find_surfaces,
    find_tokens,
    has_word,
    make_normalise,
)
from tests.fuzz.slowest import CHARACTERS, QUOTES, SETTINGS, TAGS, UNITS, check_time, repeat

TEXTS = st.text(
    st.one_of(
        st.characters(),  # with lone surrogates, NUL and all
        st.sampled_from(list("ab AB19.,!?'’<>/&;#-_*:)(\n\r\t\u200b\u0301İßﬁ👍🏽é")),
    ),
    max_size=80,
)


def modern_words(text: str) -> list[str | None]:
    return list(map(make_normalise(MODERN), find_surfaces(text, MODERN)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Not bad at all!", ["not", "bad", "at", "all", "!"]),
        ("I didn't like it", ["i", "didn't", "like", "it"]),
        ("It didnʼt, it doesn’t", ["it", "didn't", ",", "it", "doesn't"]),
        ("It’s the film's fault", ["it", "'s", "the", "film", "'s", "fault"]),
        ("8/10, or 7.5", ["8/10", ",", "or", "7.5"]),
        ("Soooooo good!!!!!!", ["sooo", "good", "!!!"]),
        ("really?!?!", ["really", "?!?"]),
        ("wait......", ["wait", "..."]),
        ("fine :-) or :( or x-)", ["fine", "enjoyed", "or", "disappointing", "or", "x", "-", ")"]),
        ("one<br /><br />two", ["one", "two"]),
        ("<b>bold</b> caf&eacute; &amp; more", ["bold", "café", "&", "more"]),
        ("👍👎🏽 yes 🎬", ["excellent", "awful", "yes", "🎬"]),
        ("<3 &lt;3 </3 ❤️", ["loved", "loved", "disappointing", "loved"]),
        ("4 out of 5 stars, on 7/10", ["8/10", ",", "on", "<date>"]),
        ("it is n't, it isn''t", ["it", "isn't", ",", "it", "isn't"]),
        ("I dont, she cant", ["i", "don't", ",", "she", "can't"]),
        ("cafe\u0301 and g\u200breat", ["café", "and", "great"]),
        ("well-made", ["well", "-", "made"]),
        ("rock'n'roll o’clock", ["rock'n'roll", "o'clock"]),
        ("__great__", ["__", "great", "__"]),
        ("Ｆｕｌｌ ﬁlm", ["full", "film"]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_modern_tokens(text: str, expected: list[str]) -> None:
    assert modern_words(text) == expected


def test_classic_tokens_are_lower_case_letters_and_digits_of_text_without_tags() -> None:
    assert find_surfaces("It's GREAT!<br />10/10 café", CLASSIC) == [
        "it",
        "s",
        "great",
        "10",
        "10",
        "caf",
    ]


def test_classic_words_lose_stop_words_and_endings() -> None:
    normalise = make_normalise(CLASSIC)
    words = ["the", "movies", "dramatized", "not", "soooooo"]
    assert list(map(normalise, words)) == [None, "movi", "dramat", None, "soooooo"]


def test_the_stop_words_are_the_179_of_the_english_list() -> None:
    words = english_stop_words()
    assert len(words) == 179
    assert {"i", "not", "wouldn't"} <= words


@pytest.mark.parametrize("settings", [CLASSIC, MODERN], ids=["classic", "modern"])
@given(text=TEXTS)
def test_places_are_in_order_inside_the_text_and_as_many_as_tokens(
    settings: TextSettings, text: str
) -> None:
    surfaces, spans = find_tokens(text, settings)
    assert surfaces == find_surfaces(text, settings)
    assert len(surfaces) == len(spans)
    previous = 0
    for start, end in spans:
        assert previous <= start < end <= len(text)
        # Two tokens may share the place of one entity, as in "&frac12;" = 1⁄2.
        previous = start


# What can be part of markup, of a rating or of a repair.
_REWRITTEN = "<&*+-?/⁄∕／%★⭐🌟'’´`′＇ʹ‘â\x91\x92"


@given(text=st.text(st.characters(exclude_characters=_REWRITTEN), max_size=80))
def test_without_markup_a_modern_token_is_the_text_at_its_place(text: str) -> None:
    surfaces, spans = find_tokens(text, MODERN)
    assert [text[start:end] for start, end in spans] == surfaces


@given(text=st.text(st.characters(exclude_characters="<&"), max_size=80))
def test_without_markup_everything_but_space_is_in_a_token(text: str) -> None:
    _, spans = find_tokens(text, MODERN)
    covered = {at for start, end in spans for at in range(start, end)}
    assert all(text[at].isspace() for at in set(range(len(text))) - covered)


@pytest.mark.parametrize("settings", [CLASSIC, MODERN], ids=["classic", "modern"])
def test_places_count_code_points_whatever_stands_before(settings: TextSettings) -> None:
    for before in ("👍 ", "é ", "\r\n", "<br />", "&amp; ", "İ ", "\ud800 ", "\0 ", "<i>x</i> "):
        text = before + "wonderful"
        surfaces, spans = find_tokens(text, settings)
        assert surfaces[-1] == "wonderful"
        assert text[slice(*spans[-1])] == "wonderful"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("xİ film", ["xİ", "film"]),
        ("<b>xİ film</b> <i>İz</i>", ["xİ", "film", "İ", "z"]),
        ("a&Idot;z <b>film</b>", ["a&Idot;", "z", "film"]),
    ],
)
def test_classic_places_are_true_although_a_dotted_i_grows_when_it_is_lowered(
    text: str, places: list[str]
) -> None:
    _, spans = find_tokens(text, CLASSIC)
    assert [text[start:end] for start, end in spans] == places


@pytest.mark.parametrize("text", ["good", "10", "片", "👍", ":(", "<3", "★", "+++", "null, void"])
def test_letters_digits_and_signs_of_an_opinion_say_something(text: str) -> None:
    assert has_word(text, find_surfaces(text, MODERN))


@pytest.mark.parametrize("text", ["!?…", "???", "🎬", "<b></b>", "nan", " NULL ", "#N/A", "#NAME?"])
def test_marks_and_missing_values_say_nothing(text: str) -> None:
    assert not has_word(text, find_surfaces(text, MODERN))


@pytest.mark.parametrize("marks", ["\u0315\u0300", "\u0300\uff9e", "\u0316\u0301"])
def test_a_word_of_20_000_combining_marks_is_normalised_at_once(marks: str) -> None:
    normalise = make_normalise(MODERN)
    started = time.process_time()
    normalise("a" + marks * 10_000 + "b")
    assert time.process_time() - started < 0.1  # to sort that many took 0.3 s and more


def test_a_very_long_word_is_the_word_that_it_stretches() -> None:
    assert modern_words("so" + "o" * 5_000 + "n" + "!" * 5_000) == ["sooon", "!!!"]
    assert modern_words("g" + "\u200b" * 5_000 + "reat") == ["great"]


def never_met(letters: str, length: int) -> str:
    """Words of which hardly one comes twice."""
    choices = random.Random(length).choices
    words = ("".join(choices(letters, k=length)) for _ in range(CHARACTERS // (length + 1)))
    return " ".join(words)


SLOW = {
    **{unit: repeat(unit) for unit in UNITS},
    # Behind them comes what would close them, so that it is looked for from each.
    **{f"{unit} … >": repeat(unit)[:-1] + ">" for unit in [*TAGS, *QUOTES]},
    "characters": " ".join(map(chr, range(0x20000, 0x20000 + CHARACTERS // 2))),
    "short words": never_met("abcdefghijklmnopqrstuvwxyz", 2),
    "words": never_met("abcdefghijklmnopqrstuvwxyz", 5),
    "accents": never_met("éàüöçñß", 3),
}


@pytest.mark.skipif(
    sys.gettrace() is not None, reason="a tracer, such as coverage's, slows Python and no C"
)
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("text", SLOW.values(), ids=map(ascii, SLOW))
def test_no_text_takes_more_than_five_times_as_long_as_plain_text(text: str, name: str) -> None:
    check_time(text, SETTINGS[name])


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


@pytest.fixture
def no_nltk(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not imported any of it."""
    for name in loaded():
        monkeypatch.delitem(sys.modules, name)


def loaded() -> set[str]:
    return {name for name in sys.modules if name.partition(".")[0] == "nltk"}


@pytest.mark.usefixtures("no_nltk")
def test_a_new_process_runs_two_modules_of_nltk_and_may_import_all_of_it_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sought: set[str] = set()

    class Finder:
        def find_spec(self, name: str, *_: object) -> None:
            sought.add(name)

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    stem = porter_stem.__wrapped__()
    assert (stem("movies"), stem("dramatized")) == ("movi", "dramat")
    found = {name for name in sought if name.partition(".")[0] == "nltk"}
    assert found == {"nltk", "nltk.stem.api", "nltk.stem.porter"}
    assert loaded() == set()
    assert importlib.import_module("nltk").__version__


def test_a_process_that_has_nltk_keeps_it() -> None:
    porter_stem()
    before = {name: sys.modules[name] for name in loaded()}
    assert porter_stem.__wrapped__()("movies") == "movi"
    assert {name: sys.modules[name] for name in loaded()} == before


@pytest.mark.usefixtures("no_nltk")
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError) as caught:
        porter_stem.__wrapped__()
    assert str(caught.value) == "Porter stems need the package nltk"
    assert caught.value.name == "nltk"


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
