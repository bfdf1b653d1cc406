"""Short texts for training: edits, patterns, sentences, and what is taken over from reviews."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
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
from model_training.corpus.reviews import Encoded
from model_training.corpus.short_texts import (
    NOT_BAD,
    NOT_BAD_AT_ALL,
    NOT_GOOD,
    NOT_GOOD_AT_ALL,
    cut_excerpts,
    negate_sentences,
)
from model_training.corpus.transfer import make_transfer
from model_training.evaluation.other_texts import GROUPS
from model_training.evaluation.short_cases import SHORT_CASES
from review_text import MODERN, Vocabulary

WORDS = "the film is was great awful very not isn't wasn't at all but it . ! ? a and never plot"
VOCABULARY = Vocabulary(MODERN, WORDS.split())


def encode(*reviews: str) -> Encoded:
    ids = [np.array(VOCABULARY.encode_ids(review), np.uint16) for review in reviews]
    return Encoded.of(ids, np.array([1, 0] * len(ids), np.int8)[: len(ids)])


def texts_of(reviews: Encoded) -> list[str]:
    return [" ".join(map(VOCABULARY.word, reviews[row].tolist())) for row in range(len(reviews))]


def judge(reviews: Encoded) -> npt.NDArray[np.float32]:
    """Sure of what is great or awful, and of nothing else."""
    found = []
    for text in texts_of(reviews):
        found.append(0.95 if "great" in text else 0.05 if "awful" in text else 0.6)
    return np.array(found, np.float32)


def test_an_excerpt_is_some_whole_sentences_of_a_review_with_its_label() -> None:
    reviews = encode(
        "the film is great. the plot is awful! it was a film. and the plot?",
        "the film is awful.",  # one sentence is no excerpt
        "it is very very great. the plot was awful",
    )
    seen = set()
    for seed in range(30):
        excerpts = cut_excerpts(reviews, VOCABULARY, seed)
        assert excerpts.labels.tolist() == [1, 1]
        first, second = texts_of(excerpts)
        assert first in "the film is great . the plot is awful ! it was a film . and the plot ?"
        assert first[-1] in ".!?"
        assert second in "it is very very great . the plot was awful"
        seen.add(first)
    assert len(seen) > 4


def test_an_excerpt_fits_a_window() -> None:
    reviews = encode("the film is great. " + "very " * 100 + "great.")
    for seed in range(5):
        assert cut_excerpts(reviews, VOCABULARY, seed).lengths.max() <= MODERN.window


def negated(*reviews: str) -> dict[str, float]:
    texts, targets = negate_sentences(encode(*reviews), VOCABULARY, judge, seed=0)
    assert texts.labels.tolist() == [int(target > 0.5) for target in targets]
    rounded = [round(float(target), 2) for target in targets]
    return dict(zip(texts_of(texts), rounded, strict=True))


def test_a_sentence_that_is_surely_positive_is_also_learned_negated() -> None:
    assert negated("the film is great. it was.") == {
        "the film is great .": 0.95,
        "the film is not great .": NOT_GOOD,
        "the film isn't great .": NOT_GOOD,
        "not great .": NOT_GOOD,
        "not great at all .": NOT_GOOD_AT_ALL,
        "the film is not great at all .": NOT_GOOD_AT_ALL,
    }


def test_what_is_not_awful_is_rather_positive() -> None:
    found = negated("the plot was very awful and it was. the plot was awful and a film.")
    assert found == {
        "the plot was awful and a film .": 0.05,
        "the plot was not awful and a film .": NOT_BAD,
        "the plot wasn't awful and a film .": NOT_BAD,
    }
    assert negated("it is awful!")["not awful at all !"] == NOT_BAD_AT_ALL


def test_sentences_that_turn_their_own_sense_are_left_alone() -> None:
    assert negated("it isn't great.", "it is not great.", "it is great but a film.") == {}


def test_sentences_that_the_judge_is_not_sure_of_are_left_alone() -> None:
    assert negated("the film is very very very the plot.") == {}


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


REVIEW = "The film is good. I was not bored!<br /><br />He plays it well, but she does not. Great."


def test_sentences_are_plain_text_of_the_reviews_and_edits_are_not() -> None:
    made = make_transfer([REVIEW] * 40, MODERN, 1)
    sentences = {"The film is good.", "I was not bored!", "He plays it well, but she does not."}
    assert set(made.sentences) == {*sentences, "Great."}
    assert "The film isn't good." in made.edits
    assert not any("<" in text for text in made.edits + made.stretches)
    assert any(text.count(".") + text.count("!") > 1 for text in made.stretches)


def test_the_same_seed_transfers_the_same_texts() -> None:
    assert make_transfer([REVIEW] * 5, MODERN, 2) == make_transfer([REVIEW] * 5, MODERN, 2)
    assert make_transfer([REVIEW] * 5, MODERN, 2) != make_transfer([REVIEW] * 5, MODERN, 3)


def test_of_nothing_nothing_is_made() -> None:
    made = make_transfer(["", "!!!"], MODERN, 1)
    assert made.edits == made.stretches == []
