"""Offsets: the API counts code points, the browser UTF-16 units."""

from __future__ import annotations

import json
import random

from tests.browser.review_page import ReviewPage

ALPHABET = [*"aé🎬ש𝒻 \n\x00", "e\u0301", "👍🏽", "\ud83d", "\ude00", "\u200d"]

SPLIT = """async json => {
  const { splitIntoPieces } = await import("/js/offsets.js");
  return JSON.stringify(JSON.parse(json).map(([text, words]) => splitIntoPieces(text, words)));
}"""
COUNT = """async json => {
  const { countCodePoints } = await import("/js/offsets.js");
  return JSON.parse(json).map(countCodePoints);
}"""


def make_texts(number: int) -> list[str]:
    """Texts of every sort, the same at each run; no two surrogates meet by accident as a pair."""
    source = random.Random(2711)
    texts = ["".join(source.choices(ALPHABET, k=source.randrange(40))) for _ in range(number)]
    return [json.loads(json.dumps(text)) for text in texts]


def make_words(text: str, source: random.Random) -> list[dict[str, float]]:
    """Stretches of a text that do not overlap, in order."""
    cuts = sorted(source.sample(range(len(text) + 1), min(len(text), 8)))
    ends = zip(cuts[::2], cuts[1::2], strict=False)
    return [{"start": start, "end": end, "contribution": 0.5} for start, end in ends]


def test_characters_are_counted_as_the_api_counts_them(review_page: ReviewPage) -> None:
    texts = make_texts(500)
    counted = review_page.page.evaluate(COUNT, json.dumps(texts))
    assert counted == [len(text) for text in texts]


def test_pieces_are_the_words_at_their_offsets_and_together_the_text(
    review_page: ReviewPage,
) -> None:
    source = random.Random(412)
    cases = [(text, make_words(text, source)) for text in make_texts(500)]
    answers = json.loads(review_page.page.evaluate(SPLIT, json.dumps(cases)))
    for (text, words), pieces in zip(cases, answers, strict=True):
        assert "".join(piece["text"] for piece in pieces) == text
        marked = [piece["text"] for piece in pieces if piece["contribution"] is not None]
        assert marked == [text[int(word["start"]) : int(word["end"])] for word in words]


def test_words_in_the_same_place_become_one_piece_with_their_sum(review_page: ReviewPage) -> None:
    words = [
        {"start": 2, "end": 7, "contribution": 1.0},
        {"start": 2, "end": 7, "contribution": 0.5},
        {"start": 90, "end": 99, "contribution": 0.25},
    ]
    case = ["a &amp; b", words]
    (pieces,) = json.loads(review_page.page.evaluate(SPLIT, json.dumps([case])))
    assert [(piece["text"], piece["contribution"]) for piece in pieces] == [
        ("a ", None),
        ("&amp;", 1.5),
        (" b", None),
    ]
