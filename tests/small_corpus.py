"""A data set of a few made-up reviews, in the official archive's layout."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from model_training.corpus import acl_imdb
from model_training.corpus.cache import Corpus, prepare_corpus

REVIEWS = 40  # in each folder

GOOD = ["a wonderful film", "great fun, not bad at all", "moving and beautiful", "I loved it"]
BAD = ["a dreadful film", "no fun, bad from start to end", "dull and ugly", "I hated it"]


def reviews_of(folder: str) -> list[str]:
    words = {"pos": GOOD, "neg": BAD, "unsup": GOOD + BAD}[folder.partition("/")[2]]
    return [f"{words[number % len(words)]} <br />number {number}" for number in range(REVIEWS)]


def write_archive(path: Path, change: Callable[[dict[str, bytes]], None] | None = None) -> Path:
    """An archive of made-up reviews; ``change`` may spoil its files before they are packed."""
    files: dict[str, bytes] = {}
    for folder in acl_imdb.EXPECTED:
        split, _, kind = folder.partition("/")
        for number, review in enumerate(reviews_of(folder)):
            files[f"aclImdb/{folder}/{number}_{number % 10}.txt"] = review.encode()
        # Four reviews of each movie; no movie is in two splits.
        movie = {"train": 1_000, "test": 2_000}[split] + (500 if kind == "unsup" else 0)
        lines = [f"http://www.imdb.com/title/tt{movie + n // 4:07}/x" for n in range(REVIEWS)]
        files[f"aclImdb/{split}/urls_{kind}.txt"] = ("\n".join(lines) + "\n").encode()
    if change is not None:
        change(files)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture
def small_expected(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    """Counts and bytes of the made-up data set, in the place of the official ones."""
    expected = {
        folder: (REVIEWS, sum(len(review.encode()) for review in reviews_of(folder)))
        for folder in acl_imdb.EXPECTED
    }
    for folder, value in expected.items():
        monkeypatch.setitem(acl_imdb.EXPECTED, folder, value)
    return expected


@pytest.fixture
def corpus(small_expected: dict[str, tuple[int, int]], tmp_path: Path) -> Corpus:
    return prepare_corpus(tmp_path / "data", write_archive(tmp_path / "archive.tar.gz"))
