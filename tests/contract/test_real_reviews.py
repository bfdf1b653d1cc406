"""Text processing on real reviews, against the libraries that projects of this kind compose."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
from bs4 import BeautifulSoup
from nltk.stem.porter import PorterStemmer

from model_training.corpus.acl_imdb import EXPECTED
from model_training.corpus.cache import Corpus
from model_training.serving.scorer import Model
from review_text import CLASSIC, INFREQUENT, MODERN, build_vocabulary
from review_text.tokens import english_stop_words, find_tokens

REVIEWS = 1_000
PAD = 500

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


def test_the_archive_has_what_the_official_one_has(corpus: Corpus) -> None:
    sizes = {name: len(corpus.split(name).texts) for name in ("train", "test", "unsup")}
    assert sizes == {"train": 25_000, "test": 25_000, "unsup": 50_000}
    assert sum(reviews for reviews, *_ in EXPECTED.values()) == sum(sizes.values())


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


def test_the_place_of_a_modern_token_holds_the_token(corpus: Corpus) -> None:
    for review in sample(corpus):
        for surface, (start, end) in zip(*find_tokens(review, MODERN), strict=True):
            assert review[start:end] == surface or "&" in review[start:end]


def test_the_shipped_vocabulary_knows_nearly_all_words_of_unseen_reviews(
    corpus: Corpus, model: Model
) -> None:
    test = corpus.split("test").texts
    ids = np.concatenate([model.vocabulary.encode_ids(test[row]) for row in range(0, 25_000, 250)])
    assert (ids == INFREQUENT).mean() < 0.12


def test_no_movie_of_dev_is_trained_on(corpus: Corpus) -> None:
    train, dev = corpus.train_rows()
    movies = corpus.split("train").movies
    assert len(dev) >= 3_000
    assert not set(movies[train]) & set(movies[dev])
