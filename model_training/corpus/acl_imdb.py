"""The official archive of the Large Movie Review Dataset (Maas et al., 2011): download it, read it,
see that it is the one.

Nothing is unpacked to disk. The archive is read once, and each of its reviews is counted.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, cast

from tqdm import tqdm

from model_training.archives import DAMAGE, Bounds, Member, read_members
from model_training.errors import ArchiveError

URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
ARCHIVE_NAME = "aclImdb_v1.tar.gz"
EXPECTED = {
    # folder of the archive: (reviews, bytes of their texts)
    "train/pos": (12_500, 16_842_831),
    "train/neg": (12_500, 16_289_992),
    "train/unsup": (50_000, 66_506_794),
    "test/pos": (12_500, 16_283_357),
    "test/neg": (12_500, 16_067_328),
}

# The official archive has 100,005 files of 137 MB; the longest that counts is a list of movies,
# with 2,450,000 bytes.
_BOUNDS = Bounds(members=200_000, unpacked=1024**3)
_MAX_BYTES = 8 * 1024**2
"""Of a file that is read: a text or a list of movies."""


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
    if member.size > _MAX_BYTES:
        raise ArchiveError(
            f"{member.name!r:.100} has {member.size:,} bytes; no file that counts has more than "
            f"{_MAX_BYTES:,}"
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
