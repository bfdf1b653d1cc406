"""Texts made of patterns."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable

import numpy as np
import pytest

from model_training.corpus.labelled import Labelled
from model_training.corpus.patterns import (
    SURE,
    Mentions,
    find_mentions,
    make_neutral,
    make_opinions,
    make_ratings,
    rename,
)
from model_training.evaluation.other_texts import GROUPS
from model_training.evaluation.short_cases import SHORT_CASES

UP = Mentions(["Up"], ["Ellie"])


def test_titles_stand_in_capitals_between_quotation_marks() -> None:
    reviews = [
        'I saw "Star Wars" and "The Lord of the Rings"; "so good" it was.',
        '"Up" "Star Wars"',
    ]
    assert find_mentions(reviews).titles == ["Star Wars", "The Lord of the Rings"]


def test_names_stand_in_capitals_wherever_they_stand() -> None:
    reviews = ["I like Carl and the Film.", "a film with Carl, Russell", "Great, Great. So great!"]
    assert find_mentions(reviews * 5).names == ["Carl", "Russell"]
    assert find_mentions(reviews * 2).names == []


def test_another_name_leaves_what_is_said_of_the_film() -> None:
    said = Labelled(["Carl is good, Carl!", "It is bad.", "I hate Mary."], [0.9, 0.2, 0.1])
    made = rename(said, Mentions(names=["Carl"]), 10, np.random.default_rng(1))
    assert sorted(made.labels) == [0.1, 0.9]
    [good] = [text for text, label in zip(made.texts, made.labels, strict=True) if label > 0.5]
    assert re.fullmatch(r"(\S+) is good, \1!", good)
    assert "Carl" not in good
    assert not any("Mary" in text for text in made.texts)
    assert len(rename(said, Mentions(names=["Carl"]), 1, np.random.default_rng(1))) == 1


@pytest.mark.parametrize("make", [make_neutral, make_opinions])
def test_texts_are_made_of_patterns_whose_blanks_are_all_filled(
    make: Callable[..., Labelled],
) -> None:
    texts = make(Mentions(["Star Wars"], ["Zorglub"]), 3_000, np.random.default_rng(1)).texts
    assert len(texts) == 3_000
    assert len(set(texts)) > 1_000
    assert not any(re.search(r"[{}]", text) or not text.strip() for text in texts)
    assert any("Star Wars" in text for text in texts)
    assert make is make_opinions or any("Zorglub" in text for text in texts)
    without = make(Mentions(), 3_000, np.random.default_rng(1)).texts
    assert not any(re.search(r"[{}]", text) or not text.strip() for text in without)


def test_opinions_are_of_both_kinds_and_others_are_of_none() -> None:
    labels = make_opinions(UP, 400, np.random.default_rng(1)).labels
    assert set(labels) == {SURE, 1 - SURE}
    assert 150 < labels.count(SURE) < 250
    assert set(make_neutral(UP, 400, np.random.default_rng(1)).labels) == {0.5}


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
    made = make_opinions(UP, 100_000, np.random.default_rng(1)).texts
    assert not cases & {_plain(text) for text in made}


def test_the_sentences_that_groups_are_compared_in_are_not_learned_by_heart() -> None:
    content = tomllib.loads(GROUPS.read_text(encoding="utf-8"))
    who = {"{name}": content["names"], "{group}": content["groups"]}
    compared = {
        _plain(template.replace(blank, word))
        for template in content["templates"]
        for blank, words in who.items()
        for word in words
        if blank in template
    }
    assert len(compared) == 5 * 20 + 5 * 60
    made = make_neutral(UP, 50_000, np.random.default_rng(1)).texts
    assert not compared & {_plain(text) for text in made}


def _plain(text: str) -> str:
    """A text without what tells writings of it apart."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower().replace("n't", " not")).strip()


@pytest.mark.parametrize("make", [make_neutral, make_opinions])
def test_the_same_seed_makes_the_same_texts(make: Callable[..., Labelled]) -> None:
    first, second = (make(UP, 50, np.random.default_rng(7)) for _ in range(2))
    assert first == second
