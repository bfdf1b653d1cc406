"""Sentences changed so that they say something else."""

from __future__ import annotations

import numpy as np
import pytest

from model_training.corpus.edits import (
    Edit,
    affirm,
    deny_feeling,
    edit,
    end_with,
    join,
    keep_clause,
    keep_stretch,
    leave_out,
    negate,
    open_with,
    qualify,
)

SENTENCES = [
    "The film is good.",
    "I loved the acting, but the story was dull.",
    "It isn't bad at all.",
    "WOW!",
    "",
    "He would never leave her, and she knows.",
]


def all_of(function: Edit, sentence: str) -> set[str | None]:
    return {function(sentence, np.random.default_rng(seed)) for seed in range(90)}


def test_a_negation_stands_at_the_verb() -> None:
    assert all_of(negate, "It is good.") == {"It is not good.", "It isn't good."}
    assert all_of(negate, "Will it do?") >= {"Will not it do?", "won't it do?"}
    assert all_of(negate, "It isn't good.") == all_of(negate, "Good.") == {None}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It isn't bad.", "It is bad."),
        ("I can't say.", "I can say."),
        ("It is not bad.", "It is bad."),
    ],
)
def test_a_negation_is_taken_away(sentence: str, expected: str) -> None:
    assert all_of(affirm, sentence) == {expected}


def test_words_of_degree_and_denial_stand_before_what_they_change() -> None:
    assert "The film is hardly good." in all_of(qualify, "The film is good.")
    assert "I didn't enjoy it." in all_of(deny_feeling, "I enjoy it.")
    assert all_of(qualify, "Good film.") == all_of(deny_feeling, "Good film.") == {None}


def test_a_part_of_a_sentence_is_kept() -> None:
    assert all_of(keep_clause, SENTENCES[1]) == {"I loved the acting.", "The story was dull."}
    assert all(len(text.split()) < 9 for text in all_of(keep_stretch, SENTENCES[1]) if text)
    assert "The is good." in all_of(leave_out, "The film is good.")


def test_a_sentence_is_framed() -> None:
    assert "I doubt that the film is good." in all_of(open_with, "The film is good!")
    assert "The film is good, sadly." in all_of(end_with, "The film is good.")


def test_two_sentences_become_one() -> None:
    joined = {join("It is good.", "I was bored!", np.random.default_rng(s)) for s in range(90)}
    assert {"It is good, but I was bored.", "Although it is good, I was bored."} <= joined
    assert not any("{" in text or "!" in text for text in joined)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_an_edit_is_another_sentence_or_none_and_the_same_for_the_same_seed(sentence: str) -> None:
    for seed in range(50):
        edited = edit(sentence, np.random.default_rng(seed))
        assert edited != sentence
        assert edited == edit(sentence, np.random.default_rng(seed))
        assert edited is None or edited.strip()
