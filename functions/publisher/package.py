"""What the function's package carries to be published: ``site/`` and ``models/<name>/``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from faults import PackageError

# Fixed, because Python's own table depends on its version and on the machine; and browsers run no
# script and apply no style of another type.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    # Browsers show plain text and save Markdown.
    ".md": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".yaml": "application/yaml",
}

# Names do not tell versions apart, so a page is asked for anew each time. What it needs may come
# from a cache; for a minute after a deployment, that can be the former version.
_PAGE_CACHING = "no-cache"
_ASSET_CACHING = "public, max-age=60, must-revalidate"


@dataclass(frozen=True)
class SiteFile:
    """A file of the website."""

    key: str
    """Its path in the site and in the bucket, with slashes."""
    content: bytes
    content_type: str

    @property
    def is_page(self) -> bool:
        """Whether it is HTML, which names the other files."""
        return self.key.endswith(".html")

    @property
    def cache_control(self) -> str:
        """How long browsers and CloudFront may keep it."""
        return _PAGE_CACHING if self.is_page else _ASSET_CACHING


@dataclass(frozen=True)
class ModelArchive:
    """A trained model, packed as SageMaker unpacks it."""

    key: str
    """Its path in the package and in the bucket; carries a hash of the content."""
    path: Path


def read_site(package: Path) -> list[SiteFile]:
    """Read the website's files, pages last, so that what a page names is there before it.

    Raises:
        PackageError: there is no site, or a file is of no known type, or is a link: what it leads
            to is not the site's, and everybody could read it.
    """
    folder = package / "site"
    paths = sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    shown = [path for path in paths if not _is_hidden(path.relative_to(folder))]
    files = [_read_file(path, path.relative_to(folder).as_posix()) for path in shown]
    if "index.html" not in {file.key for file in files}:
        raise PackageError("the package has no site/index.html; build it again")
    return sorted(files, key=lambda file: (file.is_page, file.key))


def hash_site(files: Iterable[SiteFile]) -> str:
    """Hash names and contents: 16 hex digits of a SHA-256."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.key}\0".encode() + hashlib.sha256(file.content).digest())
    return digest.hexdigest()[:16]


def find_model(package: Path, name: str) -> ModelArchive:
    """Find the archive of the model of that name.

    Raises:
        PackageError: the package has no such model, or not exactly one archive of it.
    """
    archives = sorted((package / "models").glob("*/model-*.tar.gz"))
    known = sorted({path.parent.name for path in archives})
    found = [path for path in archives if path.parent.name == name]
    if not found:
        raise PackageError(
            f"ModelName = {name!r:.80}; the package has {', '.join(known) or 'no models'}"
        )
    if found[0].is_symlink() or not found[0].is_file():
        raise PackageError(f"models/{name}/{found[0].name} is no ordinary file; build it again")
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise PackageError(f"models/{name} has more than one archive: {names}; build it again")
    return ModelArchive(found[0].relative_to(package).as_posix(), found[0])


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _read_file(path: Path, key: str) -> SiteFile:
    if path.is_symlink():
        raise PackageError(f"site/{key} is a symbolic link; only files are published")
    content_type = CONTENT_TYPES.get(path.suffix)
    if content_type is None:
        known = " ".join(CONTENT_TYPES)
        raise PackageError(f"site/{key} has no known content type; those known are {known}")
    return SiteFile(key, path.read_bytes(), content_type)
