"""Vocabularies: numbers for words, files, also those that somebody else made, and windows."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_text import (
    CLASSIC,
    INFREQUENT,
    MODERN,
    NO_WORD,
    SettingsError,
    TextSettings,
    Vocabulary,
    VocabularyError,
    build_vocabulary,
    count_windows,
    cut_windows,
    join_windows,
    load_vocabulary,
)

REVIEWS = ["Good, good film.", "A bad film!", "Good fun, not bad at all."]
SMALL = replace(MODERN, max_tokens=6, head_tokens=4, window=2)


@pytest.fixture
def vocabulary() -> Vocabulary:
    return build_vocabulary(REVIEWS, MODERN)


def test_words_are_numbered_by_frequency_then_by_first_appearance(vocabulary: Vocabulary) -> None:
    assert vocabulary.words[:5] == ("good", ",", "film", ".", "bad")
    assert vocabulary.encode("good film").ids == [2, 4]


def test_a_word_outside_the_vocabulary_is_infrequent(vocabulary: Vocabulary) -> None:
    assert vocabulary.encode("good zyzzyva").ids == [2, INFREQUENT]


def test_the_reserved_numbers_have_names_that_are_no_words(vocabulary: Vocabulary) -> None:
    named = [vocabulary.word(number) for number in (0, 1, 2, len(vocabulary) - 1)]
    assert named == ["<none>", "<infrequent>", "good", vocabulary.words[-1]]


def test_the_vocabulary_has_no_more_entries_than_its_settings_allow() -> None:
    vocabulary = build_vocabulary(REVIEWS, replace(MODERN, vocabulary_size=4))
    assert len(vocabulary) == 4
    assert vocabulary.words == ("good", ",")


def test_a_vocabulary_with_more_entries_than_that_is_refused() -> None:
    settings = replace(MODERN, vocabulary_size=4)
    assert len(Vocabulary(settings, ["good", "bad"])) == 4
    with pytest.raises(VocabularyError) as caught:
        Vocabulary(settings, ["good", "bad", "fun"])
    assert str(caught.value) == (
        "the vocabulary has 5 entries; vocabulary_size = 4 allows no more than that"
    )


def test_a_longer_review_keeps_its_head_and_its_tail() -> None:
    vocabulary = build_vocabulary(["a b c d e f g h"], SMALL)
    review = vocabulary.encode("a b c d e f g h")
    assert [vocabulary.word(number) for number in review.ids] == ["a", "b", "c", "d", "g", "h"]
    assert review.spans[3:5] == [(6, 7), (12, 13)]
    assert review.truncated
    assert not vocabulary.encode("a b c d e f").truncated


def test_classic_drops_stop_words_before_it_counts_tokens() -> None:
    vocabulary = build_vocabulary(["movies films"], replace(CLASSIC, max_tokens=2, head_tokens=2))
    review = vocabulary.encode("the movies and the films")
    assert review.ids == [2, 3]
    assert review.spans == [(4, 10), (19, 24)]
    assert not review.truncated


@pytest.mark.parametrize("text", ["", "  ", "!!!", "🎬", "<br />", "NaN"])
def test_a_review_without_words_says_so(vocabulary: Vocabulary, text: str) -> None:
    assert not vocabulary.encode(text).has_words


@pytest.mark.parametrize("text", ["goooood", "dumbbb", "Goooooooooood"])
def test_a_drawn_out_word_is_read_as_the_word(text: str) -> None:
    vocabulary = Vocabulary(MODERN, ["good", "dumb"])
    assert vocabulary.encode(text).ids == [2 if "o" in text else 3]


def test_classic_reads_a_drawn_out_word_as_it_stands() -> None:
    assert Vocabulary(CLASSIC, ["good"]).encode("goooood").ids == [INFREQUENT]


def test_a_drawn_out_word_that_is_known_as_such_stays_it() -> None:
    assert Vocabulary(MODERN, ["so", "sooo"]).encode("sooooo").ids == [3]


def test_a_review_with_a_word_says_so() -> None:
    for settings in (CLASSIC, MODERN):
        assert build_vocabulary(REVIEWS, settings).encode("!? zyzzyva").has_words


def test_for_classic_a_review_of_stop_words_has_no_words() -> None:
    assert not build_vocabulary(REVIEWS, CLASSIC).encode("It was not!").has_words


@pytest.mark.slow
@given(st.text(max_size=60))
def test_ids_are_the_same_with_and_without_places(text: str) -> None:
    for settings in (CLASSIC, SMALL):
        vocabulary = build_vocabulary(REVIEWS, settings)
        encoded = vocabulary.encode(text)
        assert encoded.ids == vocabulary.encode_ids(text)
        assert len(encoded.ids) == len(encoded.spans) <= settings.max_tokens
        assert all(0 < number < len(vocabulary) for number in encoded.ids)


def test_a_saved_vocabulary_is_the_same_one(vocabulary: Vocabulary, tmp_path: Path) -> None:
    vocabulary.save(tmp_path / "vocabulary.json")
    loaded = load_vocabulary(tmp_path / "vocabulary.json")
    assert (loaded.words, loaded.settings) == (vocabulary.words, vocabulary.settings)
    assert loaded.fingerprint == vocabulary.fingerprint


def test_the_fingerprint_changes_with_words_order_and_settings(vocabulary: Vocabulary) -> None:
    others = [
        Vocabulary(MODERN, vocabulary.words[:-1]),
        Vocabulary(MODERN, reversed(vocabulary.words)),
        Vocabulary(replace(MODERN, head_tokens=255), vocabulary.words),
    ]
    assert re.fullmatch("[0-9a-f]{64}", vocabulary.fingerprint)
    assert len({vocabulary.fingerprint, *(other.fingerprint for other in others)}) == 4


def test_files_and_fingerprints_are_the_same_in_every_version(tmp_path: Path) -> None:
    """Models that were trained before know their vocabulary by its fingerprint."""
    vocabulary = Vocabulary(SMALL, ["film", "café"])
    vocabulary.save(tmp_path / "vocabulary.json")
    assert (tmp_path / "vocabulary.json").read_bytes() == (
        '{"settings":{"head_tokens":4,"max_tokens":6,"stemmer":"none","stop_words":"none",'
        '"tokens":"normalised","vocabulary_size":30000,"window":2},"words":["film","café"]}\n'
    ).encode()
    # pragma: allowlist nextline secret
    assert vocabulary.fingerprint.startswith("8546a626b7348a4a")


def test_a_word_may_not_stand_in_the_vocabulary_twice() -> None:
    with pytest.raises(VocabularyError, match=r"^the vocabulary has the same word more than once$"):
        Vocabulary(MODERN, ["good", "good"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a vocabulary"),
        ('{"settings": {}, "words": []}', "missing"),
        (json.dumps({"settings": MODERN.to_dict() | {"window": 0}, "words": []}), "window = 0"),
        (json.dumps({"settings": MODERN.to_dict(), "words": [3]}), ": a word is not a string$"),
        (json.dumps({"settings": MODERN.to_dict(), "words": "a"}), ": words is not a list$"),
        (json.dumps({"settings": MODERN.to_dict() | {"tokens": "x"}, "words": []}), "tokens = 'x'"),
    ],
)
def test_an_unusable_file_is_named_with_the_reason(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "vocabulary.json"
    path.write_text(content)
    with pytest.raises(VocabularyError, match=message) as raised:
        load_vocabulary(path)
    assert str(path) in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match=r"nowhere\.json: No such file"):
        load_vocabulary(tmp_path / "nowhere.json")


def test_settings_name_the_value_that_they_reject() -> None:
    with pytest.raises(SettingsError, match="head_tokens = 600 is more than max_tokens = 512"):
        replace(MODERN, head_tokens=600)
    with pytest.raises(SettingsError, match="vocabulary_size = 2"):
        replace(MODERN, vocabulary_size=2)


def test_settings_may_have_their_least_and_their_most_values() -> None:
    least = replace(MODERN, vocabulary_size=3, max_tokens=1, head_tokens=0, window=1)
    most = replace(
        MODERN, vocabulary_size=1_000_000, max_tokens=10_000, head_tokens=10_000, window=10_000
    )
    for settings in (least, most, CLASSIC, MODERN):
        assert TextSettings.from_dict(settings.to_dict()) == settings


def test_a_hostile_number_of_surfaces_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch, vocabulary: Vocabulary
) -> None:
    monkeypatch.setattr("review_text.vocabulary._REMEMBERED_SURFACES", 10)
    for number in range(100):
        assert vocabulary.encode(f"good w{number}").ids == [2, INFREQUENT]
    assert vocabulary.encode("x" * 10_000).ids == [INFREQUENT]
    assert len(vocabulary._ids) <= 10
    assert max(map(len, vocabulary._ids)) <= 40


SETTINGS = MODERN.to_dict()


def refusal(path: Path, content: Any) -> str:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(json.dumps(content))
    with pytest.raises(VocabularyError) as caught:
        load_vocabulary(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b'{"a": ' * 100_000, b"[" * 100_000, b"1" * 5_000],
    ids=["empty", "cut", "no text", "deep object", "deep array", "endless number"],
)
def test_what_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path / "vocabulary.json", content).startswith("not JSON: ")


@pytest.mark.parametrize(
    "content",
    [
        [],
        None,
        3,
        "text",
        {},
        {"settings": SETTINGS},
        {"settings": SETTINGS, "words": "film"},
        {"settings": SETTINGS, "words": {"film": 2}},
        {"settings": SETTINGS, "words": None},
        {"settings": SETTINGS, "words": 3},
        {"settings": SETTINGS, "words": ["film", 3]},
        {"settings": SETTINGS, "words": ["film", None]},
        {"settings": SETTINGS, "words": ["film", "film"]},
        {"settings": SETTINGS, "words": ["half a character: \ud800"]},
        {"settings": None, "words": []},
        {"settings": [], "words": []},
        {"settings": [*SETTINGS], "words": []},
        {"settings": "tokens", "words": []},
    ],
)
def test_what_is_json_and_no_vocabulary_is_refused(tmp_path: Path, content: Any) -> None:
    assert refusal(tmp_path / "vocabulary.json", content).startswith("not a vocabulary: ")


@pytest.mark.parametrize("name", sorted(SETTINGS))
@pytest.mark.parametrize(
    "value", [None, True, -1, 1.5, 10**400, "x", [], {}], ids=lambda value: str(value)[:10]
)
def test_a_setting_that_cannot_be_is_named(tmp_path: Path, name: str, value: Any) -> None:
    content = {"settings": SETTINGS | {name: value}, "words": []}
    assert f"not a vocabulary: {name} = " in refusal(tmp_path / "v.json", content)


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vocabulary.json"
    content = json.dumps({"settings": SETTINGS, "words": ["film"]}).encode()
    monkeypatch.setattr("review_text.vocabulary._MAX_BYTES", len(content) - 1)
    assert refusal(path, content) == f"{len(content)} bytes; at most {len(content) - 1} are read"
    monkeypatch.setattr("review_text.vocabulary._MAX_BYTES", len(content))
    assert load_vocabulary(path).words == ("film",)


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
