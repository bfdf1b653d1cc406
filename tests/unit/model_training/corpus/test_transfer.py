"""Short texts made of reviews."""

from __future__ import annotations

from model_training.corpus.transfer import make_transfer
from review_text import MODERN

REVIEW = "The film is good. I was not bored!<br /><br />He plays it well, but she does not. Great."


def test_sentences_are_plain_text_of_the_reviews_and_edits_are_not() -> None:
    made = make_transfer([REVIEW] * 40, MODERN, 1)
    sentences = {"The film is good.", "I was not bored!", "He plays it well, but she does not."}
    assert set(made.sentences) == {*sentences, "Great."}
    assert "The film isn't good." in made.edits
    assert not any("<" in text for text in made.edits + made.stretches)
    assert any(text.count(".") + text.count("!") > 1 for text in made.stretches)


def test_the_same_seed_makes_the_same_texts() -> None:
    assert make_transfer([REVIEW] * 5, MODERN, 2) == make_transfer([REVIEW] * 5, MODERN, 2)
    assert make_transfer([REVIEW] * 5, MODERN, 2) != make_transfer([REVIEW] * 5, MODERN, 3)


def test_of_nothing_nothing_is_made() -> None:
    made = make_transfer(["", "!!!"], MODERN, 1)
    assert made.edits == made.stretches == []
