"""Texts made of patterns."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable

import numpy as np
import pytest

from model_training.corpus.labelled import Labelled
from model_training.corpus.patterns import (
    SURE,
    find_titles,
    make_neutral,
    make_opinions,
    make_ratings,
)
from model_training.evaluation.short_cases import SHORT_CASES


def test_titles_stand_in_capitals_between_quotation_marks() -> None:
    reviews = [
        'I saw "Star Wars" and "The Lord of the Rings"; "so good" it was.',
        '"Up" "Star Wars"',
    ]
    assert find_titles(reviews) == ["Star Wars", "The Lord of the Rings"]


@pytest.mark.parametrize("make", [make_neutral, make_opinions])
def test_texts_are_made_of_patterns_whose_blanks_are_all_filled(
    make: Callable[..., Labelled],
) -> None:
    texts = make(["Star Wars"], 3_000, np.random.default_rng(1)).texts
    assert len(texts) == 3_000
    assert len(set(texts)) > 1_000
    assert not any(re.search(r"[{}]", text) or not text.strip() for text in texts)
    assert any("Star Wars" in text for text in texts)
    without = make([], 3_000, np.random.default_rng(1)).texts
    assert not any(re.search(r"[{}]", text) or not text.strip() for text in without)


def test_opinions_are_of_both_kinds_and_others_are_of_none() -> None:
    labels = make_opinions(["Up"], 400, np.random.default_rng(1)).labels
    assert set(labels) == {SURE, 1 - SURE}
    assert 150 < labels.count(SURE) < 250
    assert set(make_neutral(["Up"], 400, np.random.default_rng(1)).labels) == {0.5}


def test_ratings_say_their_share_of_the_scale_however_they_are_written() -> None:
    made = make_ratings(4_000, np.random.default_rng(1))
    found = dict(zip(made.texts, made.labels, strict=True))
    assert not any(re.search(r"[{}]", text) for text in made.texts)
    good = ["★★★★½", "*** out of ****", "9/10", "90%", "five stars", "A-", "4/5", "3.5/4"]
    bad = ["★½", "*1/2 out of ****", "2/10", "20%", "one stars", "D", "1/5", "0.5/4"]
    assert all(found[text] > 0.7 for text in good)
    assert all(found[text] < 0.3 for text in bad)
    assert found["5/10"] == pytest.approx(0.38, abs=0.01)


def test_the_short_cases_are_not_learned_by_heart() -> None:
    with SHORT_CASES.open(encoding="utf-8", newline="") as file:
        cases = {_plain(row["review"]) for row in csv.DictReader(file)}
    made = make_opinions(["Up"], 100_000, np.random.default_rng(1)).texts
    assert not cases & {_plain(text) for text in made}


def _plain(text: str) -> str:
    """A text without what tells writings of it apart."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower().replace("n't", " not")).strip()


@pytest.mark.parametrize("make", [make_neutral, make_opinions])
def test_the_same_seed_makes_the_same_texts(make: Callable[..., Labelled]) -> None:
    first, second = (make(["Up"], 50, np.random.default_rng(7)) for _ in range(2))
    assert first == second
