"""The usual path, to compare with: the code of most projects on this data set, as published.

    .venv/bin/python -m benchmarks.usual --port 8080    its endpoint, as a container of SageMaker's

Text: BeautifulSoup, the stop words read and a stemmer made for every word. Model: a PyTorch LSTM
over 500 steps, however short the review. Two things are left out in its favour: the request for
nltk's stop words over the network, made for every review, and a new boto3 client for each request.
The weights are random, since what they are does not change how long they take.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import nltk.data
import numpy as np
import torch
import uvicorn
from bs4 import BeautifulSoup
from nltk.corpus.reader.wordlist import WordListCorpusReader
from nltk.stem.porter import PorterStemmer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from torch import nn

import review_text
from model_training.paths import MODELS

STEPS = 500
EMBEDDING, HIDDEN = 32, 200
INFREQUENT = 1

# What nltk.corpus.stopwords is, on the same list; NLTK reads from its own folders only.
_STOP_WORDS = "stop_words_english.txt"
_FOLDER = str(Path(review_text.__file__).parent)
nltk.data.path.append(_FOLDER)
stop_words = WordListCorpusReader(_FOLDER, [_STOP_WORDS])


def review_to_words(review: str) -> list[str]:
    """Give stems of a review, as most projects get them."""
    text = BeautifulSoup(review, "html.parser").get_text()
    words = re.sub(r"[^a-zA-Z0-9]", " ", text.lower()).split()
    words = [word for word in words if word not in stop_words.words(_STOP_WORDS)]
    return [PorterStemmer().stem(word) for word in words]


_once = frozenset(stop_words.words(_STOP_WORDS))
_stem = PorterStemmer().stem


def review_to_words_tidied(review: str) -> list[str]:
    """Give the same with the stop words read, and the stemmer made, once: what a careful reader of
    that code would make of it."""
    text = BeautifulSoup(review, "html.parser").get_text()
    words = re.sub(r"[^a-zA-Z0-9]", " ", text.lower()).split()
    return [_stem(word) for word in words if word not in _once]


def convert_and_pad(numbers: Mapping[str, int], words: list[str]) -> tuple[list[int], int]:
    """Give [500] ids, padded with 0, and how many of them are words."""
    padded = [0] * STEPS
    for place, word in enumerate(words[:STEPS]):
        padded[place] = numbers.get(word, INFREQUENT)
    return padded, min(len(words), STEPS)


class LSTMClassifier(nn.Module):
    """The published model."""

    def __init__(self, embedding: int, hidden: int, entries: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(entries, embedding, padding_idx=0)
        self.lstm = nn.LSTM(embedding, hidden)
        self.dense = nn.Linear(hidden, 1)
        self.sig = nn.Sigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give [reviews] probabilities, of [reviews, 1 + 500] lengths and ids."""
        x = x.t()
        lengths, reviews = x[0, :], x[1:, :]
        states, _ = self.lstm(self.embedding(reviews))
        outputs = self.dense(states)
        last = outputs[lengths - 1, range(len(lengths))]
        found: torch.Tensor = self.sig(last.squeeze())
        return found


class Usual:
    """The published model with its vocabulary, ready to answer."""

    def __init__(self) -> None:
        path = MODELS / "classic" / "vocabulary.json"
        words = json.loads(path.read_text(encoding="utf-8"))["words"]
        self.numbers = {word: number for number, word in enumerate(words, INFREQUENT + 1)}
        torch.manual_seed(1)
        torch.set_num_threads(1)  # on one core, a second thread takes it from the first
        self.model = LSTMClassifier(EMBEDDING, HIDDEN, len(words) + INFREQUENT + 1).eval()

    def predict(self, review: str) -> str:
        """Give ``1`` or ``0``."""
        return self.score(review_to_words(review))

    def score(self, words: list[str]) -> str:
        """Give the model's part of it."""
        ids, length = convert_and_pad(self.numbers, words)
        packed = np.hstack(([length], ids)).reshape(1, -1)
        with torch.no_grad():
            output = self.model(torch.from_numpy(packed))
        return str(int(np.round(output.numpy())))


def make_app(usual: Usual) -> Starlette:
    """Make the endpoint, on the same kind of server as ours."""

    async def ping(request: Request) -> Response:
        return PlainTextResponse("")

    async def invoke(request: Request) -> Response:
        return PlainTextResponse(usual.predict((await request.body()).decode()))

    return Starlette(
        routes=[
            Route("/ping", ping, methods=["GET"]),
            Route("/invocations", invoke, methods=["POST"]),
        ]
    )


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.usual", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args(arguments)
    app = make_app(Usual())
    uvicorn.run(app, host="127.0.0.1", port=options.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1:])
