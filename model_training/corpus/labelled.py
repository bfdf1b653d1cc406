"""Two small sets of labelled texts beside the reviews: edits that turn a review, and sentences.

Counterfactual reviews (Kaushik et al., 2020, Apache 2.0): training reviews, each with an edit by a
person that says the opposite. All originals are in IMDb's training split. Their words are not what
tells the classes apart, so they teach what is.

SST-2 (Socher et al., 2013, as in GLUE): phrases and sentences of short reviews, tokenized the Penn
way, which is undone here ("is n't" is "isn't").
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from model_training.corpus.acl_imdb import download
from model_training.errors import ArchiveError
from model_training.files import replacing

Row = tuple[str, ...]

_MAX_BYTES = 64 * 1024**2
"""Maximum file, bytes; the largest has 4 MB."""


@dataclass(frozen=True)
class Labelled:
    """Texts, and how positive each of them is."""

    texts: list[str]
    labels: list[float]
    """[texts] probabilities of positive: 0 or 1 where somebody said so."""

    def __len__(self) -> int:
        return len(self.texts)

    def __add__(self, other: Labelled) -> Labelled:
        """These texts, then ``other``'s."""
        return Labelled(self.texts + other.texts, self.labels + other.labels)

    def take(self, rows: Iterable[int]) -> Labelled:
        """Take the texts at ``rows``, in that order."""
        picked = list(rows)
        return Labelled([self.texts[row] for row in picked], [self.labels[row] for row in picked])


@dataclass(frozen=True)
class Source:
    """Where a set of labelled texts comes from, and what is in it."""

    name: str
    addresses: tuple[str, ...]
    """URLs of its files, or of one zip with all of them."""
    digests: dict[str, str]
    """For each file, the SHA-256 of its rows: cells stripped, joined by tabs, rows by line ends."""
    read: Callable[[str], list[Row]]
    """A file's text to its rows, without the header."""
    label: Callable[[Row], tuple[str, float]]
    """A row to its text and label."""


def _read_quoted(text: str) -> list[Row]:
    return [tuple(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter="\t")][1:]


def _read_plain(text: str) -> list[Row]:
    return [tuple(line.split("\t")) for line in text.splitlines()[1:]]


_PENN_SIGNS = {"-lrb-": "(", "-rrb-": ")", "``": '"', "''": '"'}
_PENN_SIGN = re.compile("|".join(map(re.escape, _PENN_SIGNS)))
_BEFORE = re.compile(r" (n't|'(?:s|re|ve|ll|d|m)\b|[.,!?;:%)\]])")
_AFTER = re.compile(r"([(\[$]) ")


def join_penn(text: str) -> str:
    """Put together what the Penn treebank's tokenizer took apart."""
    text = _PENN_SIGN.sub(lambda match: _PENN_SIGNS[match.group()], text.strip())
    return _AFTER.sub(r"\1", _BEFORE.sub(r"\1", text))


_PAIRS = (
    "https://raw.githubusercontent.com/acmi-lab/counterfactually-augmented-data/"
    "6f232a1d2a11462a30ce08fb4825b734ab30828e/sentiment/combined/paired"
)
COUNTERFACTUAL = Source(
    "counterfactual",
    (f"{_PAIRS}/train_paired.tsv", f"{_PAIRS}/dev_paired.tsv"),
    {
        # pragma: allowlist nextline secret
        "train_paired.tsv": "fc2bfbedb775f8a42f994b010ea79870c81b288afec8977c6afb7d810bdddf7b",
        # pragma: allowlist nextline secret
        "dev_paired.tsv": "eff92f18d6e57f0f2dcaa68e6c7a8c2530a1af5581ff135dde6f25d4a029d56a",
    },
    _read_quoted,
    lambda row: (row[1], float(row[0] == "Positive")),
)
SST2 = Source(
    "sst2",
    ("https://dl.fbaipublicfiles.com/glue/data/SST-2.zip",),
    {
        # pragma: allowlist nextline secret
        "train.tsv": "3c91e2f5b06db2a8c4c4f517b2ebc2a834db524e925a7ae678d3e94244f16a49",
        # pragma: allowlist nextline secret
        "dev.tsv": "928f85561721d3d496463886462108768e3b7c4c4cb0ceaa5aa983423489d8f9",
    },
    _read_plain,
    lambda row: (join_penn(row[0]), float(row[1])),
)


SOURCES = (COUNTERFACTUAL, SST2)


def prepare_labelled(
    source: Source, data_dir: Path, copy: Path | None = None
) -> tuple[Labelled, Labelled]:
    """Read the training and the dev part of ``source``, from a folder of its name in ``data_dir``;
    they are downloaded, or taken from ``copy`` (a folder, or a zip), unless they are there.

    Raises:
        ArchiveError: it cannot be had, or is not the one that is pinned.
    """
    folder = data_dir / source.name
    if not all((folder / name).exists() for name in source.digests):
        if copy is not None:
            _take(source, copy, folder)
        else:
            _fetch(source, folder)
    train, dev = (_read_verified(source, folder / name) for name in source.digests)
    return train, dev


def _fetch(source: Source, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        there = Path(name)
        for address in source.addresses:
            download(address, there / address.rpartition("/")[2])
        zips = list(there.glob("*.zip"))
        _take(source, zips[0] if zips else there, folder)


def _take(source: Source, copy: Path, folder: Path) -> None:
    """Copy the files of ``source`` into ``folder``, once they are known to be the right ones."""
    with tempfile.TemporaryDirectory() as name:
        if copy.is_file():
            copy = _unzip(source, copy, Path(name))
        for file in source.digests:
            found = next(iter(sorted(copy.rglob(file))), None) if copy.is_dir() else None
            if found is None:
                raise ArchiveError(f"{copy} has no {file}; pass the {source.name} set's folder")
            _read_verified(source, found)
            with replacing(folder / file) as part:
                shutil.copyfile(found, part)


def _unzip(source: Source, path: Path, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                name = Path(entry.filename).name
                # What else is in it, the test sentences among it, is not unpacked.
                if name in source.digests and "original" not in entry.filename:
                    if entry.file_size > _MAX_BYTES:
                        raise ArchiveError(f"{path}: {name} has {entry.file_size:,} bytes")
                    (folder / name).write_bytes(archive.read(entry))
    except (zipfile.BadZipFile, OSError) as error:
        raise ArchiveError(f"{path} is no readable zip ({error}). Fetch it again.") from error
    return folder


def _read_verified(source: Source, path: Path) -> Labelled:
    if path.stat().st_size > _MAX_BYTES:
        raise ArchiveError(f"{path} has {path.stat().st_size:,} bytes; that is not {source.name}'s")
    try:
        rows = source.read(path.read_bytes().decode())
    except UnicodeDecodeError as error:
        raise ArchiveError(f"{path} is not UTF-8: {error}") from error
    found = digest_rows(rows)
    if found != source.digests[path.name]:
        raise ArchiveError(
            f"{path} is not the {source.name} set's {path.name}: its {len(rows):,} rows have the "
            f"SHA-256 {found[:16]}…, not {source.digests[path.name][:16]}…. Fetch it again."
        )
    pairs = [source.label(row) for row in rows]
    return Labelled([text for text, _ in pairs], [label for _, label in pairs])


def digest_rows(rows: Iterable[Row]) -> str:
    """Give the SHA-256 of rows: cells stripped, joined by tabs, rows by line ends."""
    lines = ("\t".join(cell.strip() for cell in row) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
