"""Texts that say no opinion."""

from __future__ import annotations

import re

import numpy as np

from model_training.corpus.neutral import find_titles, make_neutral


def test_titles_stand_in_capitals_between_quotation_marks() -> None:
    reviews = [
        'I saw "Star Wars" and "The Lord of the Rings"; "so good" it was.',
        '"Up" "Star Wars"',
    ]
    assert find_titles(reviews) == ["Star Wars", "The Lord of the Rings"]


def test_texts_are_made_of_patterns_whose_blanks_are_all_filled() -> None:
    texts = make_neutral(["Star Wars"], 3_000, np.random.default_rng(1))
    assert len(texts) == 3_000
    assert len(set(texts)) > 1_000
    assert not any(re.search(r"[{}]", text) or not text.strip() for text in texts)
    assert any("Star Wars" in text for text in texts)


def test_the_same_seed_makes_the_same_texts() -> None:
    first, second = (make_neutral(["Up"], 50, np.random.default_rng(7)) for _ in range(2))
    assert first == second
