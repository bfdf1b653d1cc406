"""The inputs that are kept: one archive for each target, beside it, as OSS-Fuzz has them."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha1
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ARCHIVES = Path(__file__).parent
MAX_CORPUS_BYTES = 60_000
"""Maximum size of a target's inputs, bytes before compression."""


def locate_archive(name: str) -> Path:
    """Name the archive of a target's inputs, as OSS-Fuzz expects it."""
    return ARCHIVES / f"{name}_seed_corpus.zip"


def read_corpus(name: str) -> list[bytes]:
    """Read the kept inputs of a target, smallest first."""
    with ZipFile(locate_archive(name)) as archive:
        return [archive.read(member) for member in archive.namelist()]


def write_corpus(name: str, inputs: Iterable[bytes]) -> None:
    """Keep the smallest inputs of a target, as far as the room goes.

    The same inputs give the same bytes, so an archive changes only where its inputs do.
    """
    room = MAX_CORPUS_BYTES
    with ZipFile(locate_archive(name), "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for data in sorted(set(inputs), key=lambda data: (len(data), data)):
            room -= len(data)
            if room < 0:
                break
            archive.writestr(ZipInfo(name_input(data)), data, ZIP_DEFLATED)


def unpack_corpus(name: str, folder: Path) -> None:
    """Write the kept inputs of a target into ``folder``, for libFuzzer to start from."""
    for data in read_corpus(name):
        (folder / name_input(data)).write_bytes(data)


def name_input(data: bytes) -> str:
    """Name an input as libFuzzer does, so that it is never there twice."""
    return sha1(data, usedforsecurity=False).hexdigest()
