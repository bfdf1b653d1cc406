"""What each choice of the modern text processing is worth, on the dev split.

    python -m model_training.evaluation.peers.text_choices

An NB-SVM is trained in seconds and, with 1-3-grams, reads much of what an LSTM can use; so it is
the probe. docs/decisions.md has its table and what was decided.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence

from tqdm import tqdm

from model_training.corpus.cache import add_data_options, prepare_corpus
from model_training.errors import ReeltoneError
from model_training.evaluation.peers.nbsvm import NaiveBayesSVM
from model_training.evaluation.peers.peer import classic, modern, normalise_modern
from model_training.files import run_command
from review_text import MODERN
from review_text.tokens import find_surfaces

Tokenise = Callable[[str], list[str]]

_CONTRACTED_NOT = re.compile(r"(.+)(n't)$")


def _cased(text: str) -> list[str]:
    return find_surfaces(text, MODERN)


def _shouted(text: str) -> list[str]:
    """A marker after each word in capitals."""
    tokens = []
    for surface in find_surfaces(text, MODERN):
        tokens.append(normalise_modern(surface) or "")
        if len(surface) > 2 and surface.isupper():
            tokens.append("<capitals>")
    return tokens


def _without_punctuation(text: str) -> list[str]:
    return [token for token in modern(text) if any(map(str.isalnum, token))]


def _split_negations(text: str) -> list[str]:
    """ "didn't" as "did" and "n't"."""
    parts = (_CONTRACTED_NOT.sub(r"\1 \2", token).split() for token in modern(text))
    return [part for pair in parts for part in pair]


def _cut(head: int, tail: int) -> Tokenise:
    def tokenise(text: str) -> list[str]:
        tokens = modern(text)
        return (
            tokens if len(tokens) <= head + tail else tokens[:head] + tokens[len(tokens) - tail :]
        )

    return tokenise


def choices(train: Sequence[str]) -> dict[str, Tokenise]:
    """What is compared, by name; ``train``: the texts whose frequent words are known."""
    counts = Counter(token for text in train for token in modern(text))

    def frequent(size: int) -> Tokenise:
        words = {word for word, _ in counts.most_common(size)}
        return lambda text: [token if token in words else "<infrequent>" for token in modern(text)]

    return {
        "modern: all tokens, all words": modern,
        "classic: stems, no stop words": classic,
        "case kept": _cased,
        "capitals marked": _shouted,
        "no punctuation": _without_punctuation,
        "negations split (did n't)": _split_negations,
        "10,000 words": frequent(10_000),
        "30,000 words": frequent(30_000),
        "first 256 tokens": _cut(256, 0),
        "first 512": _cut(512, 0),
        "last 512": _cut(0, 512),
        "first 128, last 384": _cut(128, 384),
        "first 256, last 256": _cut(256, 256),
    }


def main(arguments: list[str] | None = None) -> None:
    """Print the dev accuracy of each choice."""
    parser = argparse.ArgumentParser(prog="model_training.evaluation.peers.text_choices")
    add_data_options(parser)
    options = parser.parse_args(arguments)
    corpus = prepare_corpus(options.data_dir, options.archive)
    train, dev = corpus.train_and_dev()
    for name, tokenise in tqdm(choices(train.texts).items(), unit=" choices"):
        model = NaiveBayesSVM().fit([tokenise(text) for text in train.texts], train.labels)
        guessed = model.decide([tokenise(text) for text in dev.texts]) > 0
        accuracy = float((guessed == dev.labels).mean())
        tqdm.write(f"{name:32} {accuracy:.4f}")


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
