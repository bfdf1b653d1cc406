"""Text without markup, against BeautifulSoup."""

from __future__ import annotations

import time
import warnings

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from review_text.markup import PlainText, join_pieces, separate_pieces

PAGES = [
    "plain",
    "a<br />b<br /><br />c",
    "un<b>believ</b>able &amp; caf&eacute; &#233; &#x27;so&#X27; &#146;quoted&#146;",
    "AT&T, R&D, x &lt; y && &unknown; &#xZZ; &;",
    "<script>alert('<b>not read</b>')</script>read<style>p{}</style>yes",
    "<template>not<b>read</b></template>read",
    "3 < 4 and <3 you, a <- b, <> <br>, </br> <br/>",
    "<!-- a comment > still --> after <!DOCTYPE html> and <?php x ?> end </ bogus> of it",
    "<p>one</p><p>two</p><a href='x>y'>three</a><p it's>four</p><a b=\"c'd\" e>five</a>",
    "line\r\nends\rof\nall kinds <i\nclass=x>tag</i> &amp\n",
    "&#0; &#55296; &#99999999999; &#128077; &#1234567890123456789012;",
    "<ruby>kan<rp>(</rp><rt>ji</rt><rp>)</rp></ruby>",
    "<script>never closed <b>",
    "</script>read<script>not read</script>read",
    "<script/>read<template/>read",
    "<template>not<template>read</template>not</template>read",
    "<rt>not<rp>read</rt>read</rp>read",
    "<rt>not<rp>read</rt>read<template>not</rp>read</template>read",
    "&",
    "<",
    "",
]


def beautiful_soup_text(source: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a text that looks like a file name or URL
        return BeautifulSoup(source, "html.parser").get_text()


def without_spaces(text: str) -> str:
    """BeautifulSoup shortens white space between tags, which no token depends on."""
    return " ".join(text.split())


@pytest.mark.parametrize("source", PAGES)
def test_joined_text_is_what_beautiful_soup_calls_the_text(source: str) -> None:
    joined = PlainText(join_pieces(source)).text
    assert without_spaces(joined) == without_spaces(beautiful_soup_text(source))


MARKUP = [
    *["<br />", "<b>", "</b>", "<i class='x'>", "<p>", "<!-- x -->", "<br/>", "< ", " > ", "& "],
    *["&amp;", "&lt;", "&#39;", "&#x1F600;", "&nosuch;", "word", " ", "\n", "é", "👍"],
]


@given(st.lists(st.sampled_from(MARKUP), max_size=12).map("".join))
def test_joined_text_is_beautiful_soups_for_any_mix_of_markup(source: str) -> None:
    joined = PlainText(join_pieces(source)).text
    assert without_spaces(joined) == without_spaces(beautiful_soup_text(source))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("unclosed <b", "unclosed <b"),
        ("unclosed <!-- comment", "unclosed <!-- comment"),
        ("unclosed <? x", "unclosed <? x"),
        ("<a x='>b", "b"),
        ("(<sp?) in the <b>end", "(<sp?) in the end"),
        ("a <b and c=d <i>e", "a <b and c=d e"),
        ("R&D; you &nosuch", "R&D; you &nosuch"),
        ("<b" + " x" * 600 + ">long", "<b" + " x" * 600 + ">long"),
    ],
)
def test_what_is_not_closed_is_text(source: str, text: str) -> None:
    assert PlainText(join_pieces(source)).text == text


@pytest.mark.parametrize("pieces_of", [join_pieces, separate_pieces])
@pytest.mark.parametrize("source", PAGES)
def test_every_literal_character_leads_back_to_itself(pieces_of, source: str) -> None:  # type: ignore[no-untyped-def]
    plain = PlainText(pieces_of(source))
    for position, character in enumerate(plain.text):
        [(start, end)] = plain.source_spans([(position, position + 1)])
        assert 0 <= start < end <= len(source)
        if source[start] not in "&<":
            assert source[start:end] == character or character == " "


def test_an_entity_is_one_character_with_the_place_of_all_of_it() -> None:
    plain = PlainText(join_pieces("caf&eacute;s"))
    assert plain.text == "cafés"
    assert plain.source_spans([(0, 3), (3, 4), (4, 5)]) == [(0, 3), (3, 11), (11, 12)]
    assert plain.source_spans([(0, 5)]) == [(0, 12)]
    # A word that begins and ends somewhere in the text around the entity.
    plain = PlainText(join_pieces("two caf&eacute;s, both"))
    assert plain.source_spans([(4, 9), (9, 10)]) == [(4, 16), (16, 17)]


def test_a_first_letter_alone_leads_back_behind_the_markup_before_it() -> None:
    assert PlainText(join_pieces("<b>A film</b>")).source_spans([(0, 1), (2, 6)]) == [
        (3, 4),
        (5, 9),
    ]


@pytest.mark.parametrize("digits", [20, 5_000])
def test_a_number_that_no_character_has_is_the_replacement_character(digits: int) -> None:
    assert PlainText(join_pieces(f"a&#{'1' * digits};b")).text == "a\N{REPLACEMENT CHARACTER}b"


def test_separated_text_keeps_words_apart_that_a_tag_parts() -> None:
    assert PlainText(separate_pieces("good<p>bad")).text == "good bad"
    assert PlainText(join_pieces("good<p>bad")).text == "goodbad"


def test_as_many_ends_as_beginnings_of_unread_elements_are_read_in_linear_time() -> None:
    source = "<rt>" * 25_000 + "</rp>" * 25_000
    started = time.process_time()
    assert PlainText(join_pieces(source)).text == ""
    assert time.process_time() - started < 2  # 8 s and more where each end looks at all beginnings
