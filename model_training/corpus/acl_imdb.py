"""The official archive of the Large Movie Review Dataset (Maas et al., 2011): download it, read it,
see that it is the one.

Nothing is unpacked to disk, but what is unpacked already is read, too. Copies of the archive differ
in their bytes, so it is the reviews that are verified: their texts, numbers and movies.
"""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, cast

from tqdm import tqdm

from model_training.archives import DAMAGE, Bounds, Member, read_members
from model_training.errors import ArchiveError

URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
ARCHIVE_NAME = "aclImdb_v1.tar.gz"
EXPECTED = {
    # folder of the archive: (reviews, bytes of their texts, digest_reviews of them)
    "train/pos": (
        12_500,
        16_842_831,
        # pragma: allowlist nextline secret
        "473550ac8d0126b432933d960ee73dee163339bc8e08bd709940aa276b57617d",
    ),
    "train/neg": (
        12_500,
        16_289_992,
        # pragma: allowlist nextline secret
        "d25484bd1cc3618240063498c5a8084fc2ac01ad2aa341bd63f0220989d09cf7",
    ),
    "train/unsup": (
        50_000,
        66_506_794,
        # pragma: allowlist nextline secret
        "a3562829d1630a28ca69c812353129779daf6b97a2633730fe2a0a97fb17e604",
    ),
    "test/pos": (
        12_500,
        16_283_357,
        # pragma: allowlist nextline secret
        "5f73c235a740b59f2245b59accfa14e1e6913d1e506de48e1de19f043a3caa32",
    ),
    "test/neg": (
        12_500,
        16_067_328,
        # pragma: allowlist nextline secret
        "2a8306e941b579c44542f828965171482bcd692aa80f55c0f1013398a8dc235b",
    ),
}

# The official archive has 100,005 files of 137 MB; the longest that counts is a list of movies,
# with 2,450,000 bytes.
_BOUNDS = Bounds(members=200_000, unpacked=1024**3)
_MAX_BYTES = 8 * 1024**2
"""Maximum file that is read, bytes: a text or a list of movies."""


Review = tuple[int, int, bytes]
"""Number in its folder, number of its movie on IMDb, text."""


def download(url: str, path: Path) -> None:
    """Fetch ``url`` into ``path``; until all of it is there, it is called ``path``.part.

    Raises:
        ArchiveError: no connection, or it broke before the announced length.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        # The address is ours, and what comes is verified, review by review.
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
    path: Path, expected: Mapping[str, tuple[int, int, str]] = EXPECTED
) -> dict[str, list[Review]]:
    """Read the reviews of each folder of ``expected``, in the order of their numbers.

    Args:
        path: the official archive, the tar in it, or the folder aclImdb that it unpacks to.

    Raises:
        ArchiveError: missing, truncated, of another kind, or with other reviews than its own.
    """
    texts: dict[str, dict[int, bytes]] = {folder: {} for folder in expected}
    movies: dict[str, list[int]] = {}
    try:
        for member in _open_members(path):
            _collect(member, texts, movies)
    except ArchiveError as error:
        raise ArchiveError(f"{path} is not the official archive: {error}.") from error
    except DAMAGE as error:
        raise ArchiveError(
            f"{path} is damaged or incomplete ({error}). Delete it and download it again."
        ) from error
    _count(path, expected, texts, movies)
    reviews = {
        folder: [(number, movies[folder][number], text) for number, text in sorted(found.items())]
        for folder, found in texts.items()
    }
    for folder, (*_, official) in expected.items():
        if digest_reviews(reviews[folder]) != official:
            raise ArchiveError(
                f"{path}: the reviews of aclImdb/{folder} are as many and as long as the official "
                "archive's, but not the same. Download it again."
            )
    return reviews


def digest_reviews(reviews: Iterable[Review]) -> str:
    """SHA-256, in hex digits, over numbers, movies and texts, in this order."""
    digest = hashlib.sha256()
    for number, movie, text in reviews:
        digest.update(f"{number} {movie} {len(text)}\n".encode() + text)
    return digest.hexdigest()


def _open_members(path: Path) -> Iterator[Member]:
    """The files of an archive or a folder.

    Raises:
        ArchiveError: there is none, or it is of a kind that does not hold the whole data set.
        One of ``DAMAGE``: it is not whole.
    """
    if path.is_dir():
        yield from _walk(path / "aclImdb" if (path / "aclImdb").is_dir() else path)
        return
    if not path.is_file():
        raise ArchiveError(f"there is no such file; pass {ARCHIVE_NAME} or its folder aclImdb")
    with path.open("rb") as file:
        start = file.read(512)
        if kind := _name_other_kind(start):
            raise ArchiveError(f"it is {kind}")
        file.seek(0)
        with tqdm.wrapattr(file, "read", total=path.stat().st_size, desc=path.name) as watched:
            plain = start[257:262] == b"ustar"
            yield from read_members(cast("IO[bytes]", watched), _BOUNDS, plain=plain)


_TABLE = "Kaggle's has no unlabelled reviews, no movies and no split"


def _name_other_kind(start: bytes) -> str:
    """What a file is that begins so, and what to do about it; empty for a tar, a tar.gz or
    nothing that is known."""
    whole = f"the data set's own form is {ARCHIVE_NAME}, {URL}"
    if start.startswith(b"PK\x03\x04"):
        if b".npy" in start:
            return f"a file of NumPy's, such as Keras's imdb.npz, which has no texts; {whole}"
        if b".csv" in start:
            return f"a packed table; {_TABLE}; {whole}"
        return "a zip file; unpack it and pass its folder aclImdb"
    for magic, name in {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}.items():
        if start.startswith(magic):
            return f"packed with {name}; unpack it and pass the tar or its folder aclImdb"
    if start.removeprefix(b"\xef\xbb\xbf").startswith(b"review,sentiment"):
        return f"a table; {_TABLE}; {whole}"
    return ""


def _walk(folder: Path) -> Iterator[Member]:
    """The files of an unpacked archive, by the names that they have in it."""
    for path in tqdm(sorted(folder.rglob("*")), desc=folder.name, unit=" files"):
        if path.is_symlink():
            raise ArchiveError(f"{str(path)!r:.100} is a link")
        if path.is_file():
            with path.open("rb") as content:
                yield Member(path.relative_to(folder).as_posix(), path.stat().st_size, content)


def _collect(
    member: Member, texts: dict[str, dict[int, bytes]], movies: dict[str, list[int]]
) -> None:
    """Put one file of the archive where it belongs: ``aclImdb/train/pos/7_10.txt``."""
    folder, _, file = member.name.removeprefix("aclImdb/").rpartition("/")
    if file.startswith("._"):
        return  # what macOS knows of a file, beside it
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


def _count(
    path: Path,
    expected: Mapping[str, tuple[int, int, str]],
    texts: dict[str, dict[int, bytes]],
    movies: dict[str, list[int]],
) -> None:
    for folder, official in expected.items():
        found = (len(texts[folder]), sum(map(len, texts[folder].values())))
        if found != official[:2]:
            raise ArchiveError(
                f"{path}: aclImdb/{folder} has {found[0]:,} reviews of {found[1]:,} bytes; "
                f"the official archive has {official[0]:,} of {official[1]:,}."
            )
        if len(movies.get(folder, ())) != official[0]:
            raise ArchiveError(f"{path}: the list of movies for aclImdb/{folder} is not complete.")
