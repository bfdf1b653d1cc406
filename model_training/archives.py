"""Reading a tar that somebody else may have made: within bounds, and files alone.

Nothing is written to disk here, so no name in an archive can lead anywhere. What has no business in
an archive of ours is refused all the same, since it was put there on purpose.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any, Protocol

from model_training.errors import ArchiveError

DAMAGE = (tarfile.TarError, EOFError, OSError, zlib.error)
"""What reading raises where the bytes are no whole tar, or tar.gz."""

_CHUNK = 1 << 16


class Readable(Protocol):
    """The part of a binary file that is used here."""

    def read(self, size: int = -1, /) -> bytes:
        """Read up to ``size`` bytes; all that are left for a negative one."""


@dataclass(frozen=True)
class Bounds:
    """The most that an archive may hold; a few hundred bytes can claim to be a terabyte."""

    members: int
    """Files, folders and whatever else has a header."""
    unpacked: int
    """Bytes of the whole archive without its compression."""


@dataclass(frozen=True)
class Member:
    """A file in an archive, to be read before the next one is asked for."""

    name: str
    """With slashes, without ``./`` in front."""
    size: int
    """Bytes."""
    content: IO[bytes]


def read_members(file: Readable, bounds: Bounds, *, plain: bool = False) -> Iterator[Member]:
    """Read the files of a tar.gz, or of a ``plain`` tar, in its order.

    Raises:
        ArchiveError: more than the bounds allow, a link or device, or a name that leads out.
        One of ``DAMAGE``: not a whole archive.
    """
    raw: Any = file  # GzipFile needs no more than read() to read a stream, whatever its types say
    # gzip tells a cut file from a whole one, at its very end; tarfile's reading of gzip does not.
    with nullcontext(raw) if plain else gzip.GzipFile(fileobj=raw) as unpacked:
        bounded = _Bounded(unpacked, bounds.unpacked)
        with tarfile.open(fileobj=bounded, mode="r|") as archive:
            for count, entry in enumerate(archive, 1):
                if count > bounds.members:
                    raise ArchiveError(f"more than {bounds.members:,} members")
                name = _check(entry)
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is not None:
                    yield Member(name, entry.size, content)
                # tarfile remembers every member that it has met; a stream has no use for them.
                vars(archive)["members"].clear()
        while bounded.read(_CHUNK):
            pass


def _check(entry: tarfile.TarInfo) -> str:
    """The name of a file or folder that may be there."""
    shown = repr(entry.name[:100])
    # A sparse file is a few bytes that read as many.
    if not (entry.isdir() or entry.isreg()) or entry.issparse():
        raise ArchiveError(f"{shown} is no ordinary file or folder, but a link, device or the like")
    path = PurePosixPath(entry.name)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.name or "\0" in entry.name:
        raise ArchiveError(f"{shown} leads out of the archive")
    return str(path)


class _Bounded(io.RawIOBase):
    """A stream that ends with an error where it should have ended by itself."""

    def __init__(self, source: Readable, most: int) -> None:
        super().__init__()
        self._source, self._left, self._most = source, most, most

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes; all that are left for a negative one."""
        wanted = self._left + 1 if size < 0 else min(size, self._left + 1)
        content = self._source.read(wanted)
        self._left -= len(content)
        if self._left < 0:
            raise ArchiveError(f"more than {self._most:,} bytes when unpacked")
        return content
