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


def make_files() -> dict[str, bytes]:
    """The made-up data set: name in the archive → content."""
    files: dict[str, bytes] = {}
    for folder in acl_imdb.EXPECTED:
        split, _, kind = folder.partition("/")
        for number, review in enumerate(reviews_of(folder)):
            files[f"aclImdb/{folder}/{number}_{number % 10}.txt"] = review.encode()
        titles = [f"tt{movie_of(folder, number):07}" for number in range(REVIEWS)]
        lines = [f"http://www.imdb.com/title/{title}/x" for title in titles]
        files[f"aclImdb/{split}/urls_{kind}.txt"] = ("\n".join(lines) + "\n").encode()
    return files


def write_archive(path: Path, change: Callable[[dict[str, bytes]], None] | None = None) -> Path:
    """An archive of made-up reviews; ``change`` may spoil its files before they are packed."""
    files = make_files()
    if change is not None:
        change(files)
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def movie_of(folder: str, number: int) -> int:
    """Four reviews of each movie; no movie is in two splits."""
    split, _, kind = folder.partition("/")
    first = {"train": 1_000, "test": 2_000}[split] + (500 if kind == "unsup" else 0)
    return first + number // 4


def expect(folder: str) -> tuple[int, int, str]:
    """What ``acl_imdb.EXPECTED`` would say of the made-up reviews in that folder."""
    rows = [(n, movie_of(folder, n), t.encode()) for n, t in enumerate(reviews_of(folder))]
    return REVIEWS, sum(len(text) for *_, text in rows), acl_imdb.digest_reviews(rows)


@pytest.fixture
def small_expected(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int, str]]:
    """What the made-up data set is, in the place of the official one."""
    expected = {folder: expect(folder) for folder in acl_imdb.EXPECTED}
    for folder, value in expected.items():
        monkeypatch.setitem(acl_imdb.EXPECTED, folder, value)
    return expected


@pytest.fixture
def corpus(small_expected: dict[str, tuple[int, int, str]], tmp_path: Path) -> Corpus:
    return prepare_corpus(tmp_path / "data", write_archive(tmp_path / "archive.tar.gz"))
