"""The verified data set in its cache folder, and which of its training reviews are held out (dev).

The texts are kept as one array a split; encoded reviews are kept beside them, once for each
vocabulary.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model_training.corpus.acl_imdb import ARCHIVE_NAME, URL, download, read_archive
from model_training.corpus.reviews import Encoded, Split, Texts, encode_split, watch
from model_training.files import replacing
from review_text import TextSettings, Vocabulary, build_vocabulary, load_vocabulary

DEFAULT_FOLDER = Path("data")
DEV_REVIEWS = 3_000
"""At least so many training reviews are held out, by whole movies: reviews of one movie share
names and opinions, so a random dev split would reward remembering them."""
_SEED = 20_111
_LABELS = {"pos": 1, "neg": 0, "unsup": -1}


class Corpus:
    """The verified data set in its cache folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fingerprint: str = json.loads((folder / "corpus.json").read_text())["sha256"]

    def split(self, name: str) -> Split:
        """Give ``train``, ``test`` or ``unsup``."""
        with np.load(self._folder / f"{name}.npz") as arrays:
            texts = Texts(arrays["blob"], arrays["offsets"])
            return Split(texts, arrays["labels"], arrays["movies"])

    def train_rows(self, dev_reviews: int = DEV_REVIEWS) -> tuple[npt.NDArray[np.int64], ...]:
        """Give rows of the train split to train on, and rows to choose by (dev): no movie is in
        both."""
        return hold_out_movies(self.split("train").movies, dev_reviews)

    def train_and_dev(self, dev_reviews: int = DEV_REVIEWS) -> tuple[Split, Split]:
        """Give the labelled training reviews as texts: those to train on, and dev."""
        split = self.split("train")
        train, dev = self.train_rows(dev_reviews)
        return split.take(train), split.take(dev)

    def labelled(
        self, vocabulary: Vocabulary, dev_reviews: int = DEV_REVIEWS
    ) -> tuple[Encoded, Encoded]:
        """Give the labelled training reviews as numbers: those to train on, and dev."""
        encoded = self.encoded("train", vocabulary)
        train, dev = self.train_rows(dev_reviews)
        return encoded.take(train), encoded.take(dev)

    def vocabulary(self, settings: TextSettings) -> Vocabulary:
        """Give the vocabulary for ``settings``: of the labelled training reviews, or, where word
        vectors are trained on them too (modern text), of the unlabelled ones as well."""
        key = hashlib.sha256(json.dumps(settings.to_dict(), sort_keys=True).encode()).hexdigest()
        path = self._folder / f"vocabulary-{key[:12]}.json"
        if not path.exists():
            names = ["train", "unsup"] if settings.tokens == "normalised" else ["train"]
            texts = (text for name in names for text in watch(self.split(name).texts, name))
            vocabulary = build_vocabulary(texts, settings)
            with replacing(path) as part:
                vocabulary.save(part)
        return load_vocabulary(path)

    def encoded(self, name: str, vocabulary: Vocabulary) -> Encoded:
        """Give a split as numbers, from the cache where it was encoded before."""
        path = self._folder / f"{name}-{vocabulary.fingerprint[:12]}.npz"
        if not path.exists():
            encoded = encode_split(self.split(name), vocabulary, name)
            with replacing(path) as part, part.open("wb") as file:
                np.savez(file, ids=encoded.ids, offsets=encoded.offsets, labels=encoded.labels)
        with np.load(path) as arrays:
            return Encoded(arrays["ids"], arrays["offsets"], arrays["labels"])


def prepare_corpus(folder: Path, archive: Path | None = None) -> Corpus:
    """Prepare the data set, ready to use; downloaded, or read from ``archive``, unless it is
    cached.

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
        encoded = [text for _, _, _, text in rows]
        texts = Texts.of(encoded)
        for text in encoded:
            digest.update(hashlib.sha256(text).digest())
        np.savez(
            part / f"{split}.npz",
            blob=texts.blob,
            offsets=texts.offsets,
            labels=np.array([label for label, *_ in rows], np.int8),
            movies=np.array([movie for _, _, movie, _ in rows], np.int32),
        )
    (part / "corpus.json").write_text(json.dumps({"sha256": digest.hexdigest()}) + "\n")
    part.replace(cache)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """--data-dir and --archive, for every program that reads the data set."""
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path(os.environ.get("SM_CHANNEL_TRAINING", DEFAULT_FOLDER)),
        help="the archive and what is prepared from it (default: %(default)s)",
    )
    parser.add_argument(
        "--archive", type=Path, help="a copy of the official archive, or of its folder aclImdb"
    )


def hold_out_movies(
    movies: npt.NDArray[np.int32], reviews: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give rows to train on, and rows of movies drawn at random until they have ``reviews`` reviews
    together. ``movies`` [rows]: the movie of each review; no movie is in both parts."""
    names, counts = np.unique(movies, return_counts=True)
    order = np.random.default_rng(_SEED).permutation(len(names))
    enough = int(np.searchsorted(np.cumsum(counts[order]), reviews)) + 1 if reviews else 0
    in_dev = np.isin(movies, names[order[:enough]])
    return np.flatnonzero(~in_dev), np.flatnonzero(in_dev)
