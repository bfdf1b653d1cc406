"""Text processing on real reviews, against the libraries that projects of this kind compose."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
from bs4 import BeautifulSoup
from nltk.stem.porter import PorterStemmer

from model_training.corpus.cache import Corpus
from model_training.serving.scorer import Model
from review_text import CLASSIC, INFREQUENT, MODERN, build_vocabulary
from review_text.tokens import english_stop_words, find_tokens

REVIEWS = 1_000
PAD = 500
AMOUNTS = "zero|half|one|two|three|four|five|six|seven|eight|nine|ten"

stem = cache(PorterStemmer().stem)


def sample(corpus: Corpus) -> list[str]:
    """Reviews from all over the three splits."""
    texts = [corpus.split(name).texts for name in ("train", "test", "unsup")]
    every = [text[row] for text in texts for row in range(0, len(text), 100)]
    assert len(every) == REVIEWS
    return every


def usual_words(review: str) -> list[str]:
    """BeautifulSoup, lower case, letters and digits, no stop words, Porter stems."""
    text = BeautifulSoup(review, "html.parser").get_text()
    words = re.sub(r"[^a-zA-Z0-9]", " ", text.lower()).split()
    return [stem(word) for word in words if word not in english_stop_words()]


def usual_numbers(numbers: dict[str, int], words: list[str]) -> tuple[list[int], int]:
    """0 = no word, 1 = infrequent, cut and padded to 500, and the length."""
    row = [numbers.get(word, 1) for word in words[:PAD]]
    return row + [0] * (PAD - len(row)), min(len(words), PAD)


def test_classic_numbers_are_those_of_the_usual_libraries(corpus: Corpus) -> None:
    reviews = sample(corpus)
    words = [usual_words(review) for review in reviews]
    counts: dict[str, int] = {}
    for word in (word for review in words for word in review):
        counts[word] = counts.get(word, 0) + 1
    ranked = sorted(counts, key=counts.__getitem__, reverse=True)[: CLASSIC.vocabulary_size - 2]
    numbers = {word: number for number, word in enumerate(ranked, 2)}

    vocabulary = build_vocabulary(reviews, CLASSIC)
    assert list(vocabulary.words) == ranked
    for review, expected in zip(reviews, words, strict=True):
        encoded = vocabulary.encode(review)
        padded = encoded.ids + [0] * (PAD - len(encoded.ids))
        assert (padded, len(encoded.ids)) == usual_numbers(numbers, expected)
        assert encoded.truncated == (len(expected) > PAD)


def stands_for(surface: str, written: str) -> bool:
    """Whether a token is what is written in its place: letter for letter, but for entities and what
    makes an apostrophe; a rating stands for its amount, on whatever scale."""
    if surface == written or re.fullmatch(r"&#?\w+;", written):
        return True
    if re.fullmatch(r"\d+/10|<date>", surface):
        return bool(re.match(rf"(?:\d|\*|★|[A-F][+-]?$|(?:{AMOUNTS})\b).*(?<!\s)$", written, re.I))
    letters, meant = (re.sub(r"[^a-z]", "", text.lower()) for text in (written, surface))
    return letters == meant and re.search(r"['´`\x91\x92]", written) is not None


def test_the_place_of_a_modern_token_holds_the_token(corpus: Corpus) -> None:
    spelt: set[str] = set()
    for review in sample(corpus):
        for surface, (start, end) in zip(*find_tokens(review, MODERN), strict=True):
            assert stands_for(surface, review[start:end])
            if surface != review[start:end]:
                spelt.add(surface)
    assert {"8/10", "'s"} <= spelt


@pytest.mark.parametrize(
    ("surface", "written"),
    [("film", "fil"), ("film", "films"), ("8/10", "out of 10"), ("8/10", "8 "), ("don't", "dont")],
)
def test_a_place_that_is_off_by_a_letter_is_noticed(surface: str, written: str) -> None:
    assert not stands_for(surface, written)


def test_the_shipped_vocabulary_knows_nearly_all_words_of_unseen_reviews(
    corpus: Corpus, model: Model
) -> None:
    test = corpus.split("test").texts
    ids = np.concatenate([model.vocabulary.encode_ids(test[row]) for row in range(0, 25_000, 250)])
    assert (ids == INFREQUENT).mean() < 0.12


def test_no_movie_of_dev_is_trained_on(corpus: Corpus) -> None:
    train, dev = corpus.train_and_dev()
    assert len(dev.texts) >= 3_000
    assert not set(train.movies) & set(dev.movies)
