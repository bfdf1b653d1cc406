"""The source archive of a training job: what training needs, and nothing else."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import review_text
from model_training.jobs.cloud import JobError

ENTRY = "train_job.py"
_PACKAGE = Path(__file__).parents[1]
_LOCK = _PACKAGE.parent / "requirements" / "job.txt"
_ROOMS = ("recipes", "corpus", "networks", "evaluation", "training")


def pack_source() -> tuple[str, bytes]:
    """Name and content of the archive: equal content, equal bytes, equal name."""
    files = {f"model_training/{file.name}": file for file in _PACKAGE.glob("*.py")}
    for room in _ROOMS:
        found = [file for kind in ("*.py", "*.toml") for file in (_PACKAGE / room).glob(kind)]
        files |= {f"model_training/{room}/{file.name}": file for file in found}
    words = Path(review_text.__file__).parent
    files |= {f"review_text/{f.name}": f for f in words.iterdir() if f.suffix in (".py", ".txt")}
    files[ENTRY] = Path(__file__).with_name(ENTRY)
    contents = {name: file.read_bytes() for name, file in files.items()}
    contents["requirements.txt"] = requirements()
    raw = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as archive,
    ):
        for name, content in sorted(contents.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    packed = raw.getvalue()
    return f"source-{hashlib.sha256(packed).hexdigest()[:16]}.tar.gz", packed


def requirements(lock: Path = _LOCK) -> bytes:
    """What the job installs: files with these hashes, beside the image's own PyTorch and numpy.

    Raises:
        JobError: the lock is not there.
    """
    try:
        return lock.read_bytes()
    except OSError as error:
        raise JobError(f"{lock}: {error}; start jobs from a copy of the project") from error
