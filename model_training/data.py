"""The Large Movie Review Dataset (Maas et al., 2011): download, verify, split, encode, cache.

    python -m model_training.data                       download the official archive (84 MB)
    python -m model_training.data --archive FILE        take a copy that is already here

Nothing is unpacked to disk. The archive is read once, each of its reviews is counted, and the
texts are kept as one array a split; encoded reviews are kept beside them, once for each vocabulary.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from model_training.archives import DAMAGE, Bounds, Member, read_members
from model_training.errors import ArchiveError, ReeltoneError
from model_training.files import replacing, run_command
from review_text import TextSettings, Vocabulary, build_vocabulary, load_vocabulary

URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
ARCHIVE_NAME = "aclImdb_v1.tar.gz"
DEFAULT_FOLDER = Path("data")

EXPECTED = {
    # folder of the archive: (reviews, bytes of their texts)
    "train/pos": (12_500, 16_842_831),
    "train/neg": (12_500, 16_289_992),
    "train/unsup": (50_000, 66_506_794),
    "test/pos": (12_500, 16_283_357),
    "test/neg": (12_500, 16_067_328),
}
_LABELS = {"pos": 1, "neg": 0, "unsup": -1}

# The official archive has 100,005 files of 137 MB; the longest that counts is a list of movies,
# with 2,450,000 bytes.
_BOUNDS = Bounds(members=200_000, unpacked=1024**3)
_MOST_BYTES = 8 * 1024**2
"""Of a file that is read: a text or a list of movies."""

DEV_REVIEWS = 3_000
"""At least so many training reviews are held out, by whole movies: reviews of one movie share
names and opinions, so a random dev split would reward remembering them."""
_DEV_SEED = 20_111


class Texts(Sequence[str]):
    """Many texts in one array of UTF-8 bytes, decoded one at a time."""

    def __init__(self, blob: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> None:
        self._blob, self._offsets = blob, offsets

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, index: int) -> str:  # type: ignore[override]
        start, end = self._offsets[index], self._offsets[index + 1]
        return self._blob[start:end].tobytes().decode()


@dataclass(frozen=True)
class Split:
    """One split of the data set, in the order of its review numbers, positive ones first."""

    texts: Texts
    labels: npt.NDArray[np.int8]
    """[reviews]: 1 positive, 0 negative, -1 unknown."""
    movies: npt.NDArray[np.int32]
    """[reviews]: the number of the movie on IMDb."""


@dataclass(frozen=True)
class Encoded:
    """The reviews of a split as numbers."""

    ids: npt.NDArray[np.uint16]
    """[tokens], all reviews one after the other."""
    offsets: npt.NDArray[np.int64]
    """[reviews + 1]: where each review starts in ``ids``."""
    labels: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> npt.NDArray[np.uint16]:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """[reviews]: tokens of each."""
        return np.diff(self.offsets)

    @classmethod
    def of(
        cls, reviews: Sequence[npt.NDArray[np.uint16]], labels: npt.NDArray[np.int8] | None = None
    ) -> Encoded:
        """Reviews that are numbers already; without ``labels``, unknown ones."""
        ids = np.concatenate([np.zeros(0, np.uint16), *reviews])
        offsets = np.zeros(len(reviews) + 1, np.int64)
        np.cumsum([len(review) for review in reviews], out=offsets[1:])
        unknown = np.full(len(reviews), -1, np.int8)
        return cls(ids, offsets, unknown if labels is None else labels)

    def take(self, rows: npt.NDArray[np.int64]) -> Encoded:
        """The reviews at ``rows``, in that order."""
        return Encoded.of([self[row] for row in rows], self.labels[rows])

    def __add__(self, other: Encoded) -> Encoded:
        """These reviews, then ``other``'s."""
        return Encoded(
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.offsets, self.offsets[-1] + other.offsets[1:]]),
            np.concatenate([self.labels, other.labels]),
        )


class Corpus:
    """The verified data set in its cache folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fingerprint: str = json.loads((folder / "corpus.json").read_text())["sha256"]

    def split(self, name: str) -> Split:
        """``train``, ``test`` or ``unsup``."""
        with np.load(self._folder / f"{name}.npz") as arrays:
            texts = Texts(arrays["blob"], arrays["offsets"])
            return Split(texts, arrays["labels"], arrays["movies"])

    def train_rows(self, dev_reviews: int = DEV_REVIEWS) -> tuple[npt.NDArray[np.int64], ...]:
        """Rows of the train split to train on, and rows to choose by (dev): no movie is in both."""
        movies = self.split("train").movies
        in_dev = np.isin(movies, _choose_movies(movies, dev_reviews))
        return np.flatnonzero(~in_dev), np.flatnonzero(in_dev)

    def vocabulary(self, settings: TextSettings) -> Vocabulary:
        """The vocabulary for ``settings``: of the labelled training reviews, or, where word vectors
        are trained on them too (punctuated tokens), of the unlabelled ones as well."""
        key = hashlib.sha256(json.dumps(settings.to_dict(), sort_keys=True).encode()).hexdigest()
        path = self._folder / f"vocabulary-{key[:12]}.json"
        if not path.exists():
            names = ["train", "unsup"] if settings.tokens == "punctuated" else ["train"]
            texts = (text for name in names for text in _progress(self.split(name).texts, name))
            vocabulary = build_vocabulary(texts, settings)
            with replacing(path) as part:
                vocabulary.save(part)
        return load_vocabulary(path)

    def encoded(self, name: str, vocabulary: Vocabulary) -> Encoded:
        """A split as numbers, from the cache where it was encoded before."""
        path = self._folder / f"{name}-{vocabulary.fingerprint[:12]}.npz"
        if not path.exists():
            encoded = encode_split(self.split(name), vocabulary, name)
            with replacing(path) as part, part.open("wb") as file:
                np.savez(file, ids=encoded.ids, offsets=encoded.offsets, labels=encoded.labels)
        with np.load(path) as arrays:
            return Encoded(arrays["ids"], arrays["offsets"], arrays["labels"])


def prepare_corpus(folder: Path, archive: Path | None = None) -> Corpus:
    """The data set, ready to use; downloaded, or read from ``archive``, unless it is cached.

    Raises:
        ArchiveError: the archive cannot be had, is cut short, or is another one.
    """
    cache = folder / "corpus"
    if not (cache / "corpus.json").exists():
        if archive is None:
            archive = folder / ARCHIVE_NAME
            if not archive.exists():
                download(URL, archive)
        _build_cache(archive, cache)
    return Corpus(cache)


def download(url: str, path: Path) -> None:
    """Fetch ``url`` into ``path``; until all of it is there, it is called ``path``.part.

    Raises:
        ArchiveError: no connection, or it broke before the announced length.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        # The address is ours, and what comes is verified byte by byte.
        answer = urllib.request.urlopen(url, timeout=60)  # nosec B310
        with answer as response, part.open("wb") as file:
            size = int(response.headers.get("Content-Length") or 0)
            with tqdm(desc=path.name, total=size, unit="B", unit_scale=True) as bar:
                while chunk := response.read(1 << 20):
                    file.write(chunk)
                    bar.update(len(chunk))
    except (OSError, urllib.error.URLError) as error:
        raise ArchiveError(
            f"{url} could not be downloaded ({error}). Try again, or download it yourself and pass "
            f"it with --archive FILE."
        ) from error
    if size and part.stat().st_size != size:
        raise ArchiveError(
            f"{url} broke off after {part.stat().st_size:,} of {size:,} bytes. Try again."
        )
    part.replace(path)


def read_archive(
    path: Path, expected: Mapping[str, tuple[int, int]] = EXPECTED
) -> dict[str, list[tuple[int, int, bytes]]]:
    """The reviews of the archive: for each folder of ``expected``, (number, movie, text).

    Raises:
        ArchiveError: missing, truncated, not this data set, or other counts or bytes than its own.
    """
    if not path.is_file():
        raise ArchiveError(f"{path}: no such file. Pass the official archive, {ARCHIVE_NAME}.")
    texts: dict[str, dict[int, bytes]] = {folder: {} for folder in expected}
    movies: dict[str, list[int]] = {}
    try:
        for member in _members_of(path):
            _collect(member, texts, movies)
    except ArchiveError as error:
        raise ArchiveError(f"{path} is not the official archive: {error}.") from error
    except DAMAGE as error:
        raise ArchiveError(
            f"{path} is damaged or incomplete ({error}). Delete it and download it again."
        ) from error
    _verify(path, expected, texts, movies)
    return {
        folder: [(number, movies[folder][number], text) for number, text in sorted(found.items())]
        for folder, found in texts.items()
    }


def encode_split(split: Split, vocabulary: Vocabulary, name: str) -> Encoded:
    """Each review as numbers; shapes as in ``Encoded``."""
    if len(vocabulary) > np.iinfo(np.uint16).max:
        raise ArchiveError(f"a vocabulary of {len(vocabulary)} entries needs more than 16 bits")
    reviews = [
        np.array(vocabulary.encode_ids(text), np.uint16) for text in _progress(split.texts, name)
    ]
    return Encoded.of(reviews, split.labels)


def _choose_movies(movies: npt.NDArray[np.int32], reviews: int) -> npt.NDArray[np.int32]:
    """Movies drawn at random until they have ``reviews`` reviews together."""
    names, counts = np.unique(movies, return_counts=True)
    order = np.random.default_rng(_DEV_SEED).permutation(len(names))
    enough = int(np.searchsorted(np.cumsum(counts[order]), reviews)) + 1 if reviews else 0
    return names[order[:enough]]


def _members_of(path: Path) -> Iterator[Member]:
    with (
        path.open("rb") as file,
        tqdm.wrapattr(file, "read", total=path.stat().st_size, desc=path.name) as watched,
    ):
        yield from read_members(cast("IO[bytes]", watched), _BOUNDS)


def _collect(
    member: Member, texts: dict[str, dict[int, bytes]], movies: dict[str, list[int]]
) -> None:
    """Put one file of the archive where it belongs: ``aclImdb/train/pos/7_10.txt``."""
    folder, _, file = member.name.removeprefix("aclImdb/").rpartition("/")
    try:
        if folder in texts and file.endswith(".txt"):
            texts[folder][int(file.partition("_")[0])] = _read(member)
        elif file.startswith("urls_"):
            kind = f"{folder}/{file.removeprefix('urls_').removesuffix('.txt')}"
            # Line i belongs to review i: http://www.imdb.com/title/tt0453418/usercomments
            movies[kind] = [
                int(line.split("/tt")[1].split("/")[0]) for line in _read(member).decode().split()
            ]
    except (ValueError, IndexError) as error:
        raise ArchiveError(f"{member.name!r:.100} has a name or a line of another form") from error


def _read(member: Member) -> bytes:
    if member.size > _MOST_BYTES:
        raise ArchiveError(
            f"{member.name!r:.100} has {member.size:,} bytes; no file that counts has more than "
            f"{_MOST_BYTES:,}"
        )
    return member.content.read()


def _verify(
    path: Path,
    expected: Mapping[str, tuple[int, int]],
    texts: dict[str, dict[int, bytes]],
    movies: dict[str, list[int]],
) -> None:
    for folder, official in expected.items():
        found = (len(texts[folder]), sum(map(len, texts[folder].values())))
        if found != official:
            raise ArchiveError(
                f"{path}: aclImdb/{folder} has {found[0]:,} reviews of {found[1]:,} bytes; "
                f"the official archive has {official[0]:,} of {official[1]:,}."
            )
        if len(movies.get(folder, ())) != official[0]:
            raise ArchiveError(f"{path}: the list of movies for aclImdb/{folder} is not complete.")


def _build_cache(archive: Path, cache: Path) -> None:
    part = cache.with_name(cache.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    reviews = read_archive(archive)
    part.mkdir(parents=True)
    digest = hashlib.sha256()
    for split, kinds in {
        "train": ("pos", "neg"),
        "test": ("pos", "neg"),
        "unsup": ("unsup",),
    }.items():
        folder = "train" if split == "unsup" else split
        rows = [(_LABELS[kind], *row) for kind in kinds for row in reviews[f"{folder}/{kind}"]]
        texts = [text for _, _, _, text in rows]
        for text in texts:
            digest.update(hashlib.sha256(text).digest())
        offsets = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(text) for text in texts], out=offsets[1:])
        np.savez(
            part / f"{split}.npz",
            blob=np.frombuffer(b"".join(texts), np.uint8),
            offsets=offsets,
            labels=np.array([label for label, *_ in rows], np.int8),
            movies=np.array([movie for _, _, movie, _ in rows], np.int32),
        )
    (part / "corpus.json").write_text(json.dumps({"sha256": digest.hexdigest()}) + "\n")
    part.replace(cache)


def _progress(texts: Sequence[str], name: str) -> Iterator[str]:
    return iter(tqdm(texts, desc=name, unit=" reviews", mininterval=1))


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """--data-dir and --archive, for every program that reads the data set."""
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path(os.environ.get("SM_CHANNEL_TRAINING", DEFAULT_FOLDER)),
        help="the archive and what is prepared from it (default: %(default)s)",
    )
    parser.add_argument("--archive", type=Path, help="a copy of the official archive")


def main(arguments: list[str] | None = None) -> None:
    """Prepare the data and say what is there."""
    parser = argparse.ArgumentParser(prog="model_training.data", description=__doc__)
    add_data_options(parser)
    options = parser.parse_args(arguments)
    corpus = prepare_corpus(options.data_dir, options.archive)
    train, dev = corpus.train_rows()
    print(
        f"{len(train):,} reviews to train on, {len(dev):,} to choose by, 25,000 to test, "
        f"50,000 unlabelled; data {corpus.fingerprint[:12]}"
    )


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
