"""Text processing: reviews a second on one core, against the code that is usual for it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import nltk.data
from bs4 import BeautifulSoup
from nltk.corpus.reader.wordlist import WordListCorpusReader
from nltk.stem.porter import PorterStemmer

import review_text
from model_training.bundle import BUNDLES
from model_training.data import Corpus
from review_text import load_vocabulary

REVIEWS = 3_000
USUAL_REVIEWS = 40  # the usual code needs seconds for these
RUNS = 5

# What nltk.corpus.stopwords is, on the same list; NLTK reads from its own folders only.
_STOP_WORDS = "stop_words_english.txt"
_FOLDER = str(Path(review_text.__file__).parent)
nltk.data.path.append(_FOLDER)
stop_words = WordListCorpusReader(_FOLDER, [_STOP_WORDS])


def usual_code(review: str) -> list[str]:
    """What most projects run: the stop words are read, and a stemmer made, for every word."""
    text = BeautifulSoup(review, "html.parser").get_text()
    words = re.sub(r"[^a-zA-Z0-9]", " ", text.lower()).split()
    words = [word for word in words if word not in stop_words.words(_STOP_WORDS)]
    return [PorterStemmer().stem(word) for word in words]


def rate(process: Callable[[str], object], reviews: Sequence[str], runs: int = RUNS) -> float:
    """Reviews a second of CPU time, the median of several runs."""
    seconds = []
    for _ in range(runs):
        started = time.process_time()
        for review in reviews:
            process(review)
        seconds.append(time.process_time() - started)
    return len(reviews) / median(seconds)


def measure(corpus: Corpus) -> list[tuple[str, str]]:
    """Rows of a table: what was measured, and its figure."""
    texts = corpus.split("test").texts
    reviews = [texts[row] for row in range(0, 25_000, 25_000 // REVIEWS)][:REVIEWS]
    usual = rate(usual_code, reviews[:USUAL_REVIEWS], 1)
    rows = [("usual code", f"{usual:,.1f} reviews/s")]
    for name in ("classic", "modern"):
        path = BUNDLES / name / "vocabulary.json"
        cold = rate(load_vocabulary(path).encode, reviews, 1)
        vocabulary = load_vocabulary(path)
        places, ids = rate(vocabulary.encode, reviews), rate(vocabulary.encode_ids, reviews)
        rows += [
            (f"{name}, with places", f"{places:,.0f} reviews/s, {places / usual:,.0f} times"),
            (f"{name}, with places, words not met before", f"{cold:,.0f} reviews/s"),
            (f"{name}, ids alone", f"{ids:,.0f} reviews/s"),
        ]
    return rows
