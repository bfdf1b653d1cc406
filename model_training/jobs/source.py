"""The source archive of a training job: what training needs, and nothing else."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import tomllib
from pathlib import Path

import review_text
from model_training.jobs.cloud import JobError

ENTRY = "train_job.py"
_PACKAGE = Path(__file__).parents[1]
_PROJECT = _PACKAGE.parent / "pyproject.toml"
_ROOMS = ("recipes", "corpus", "networks", "evaluation", "training")
# What training imports and AWS's PyTorch image lacks or has in other versions. Not torch: the
# image's is built for its CUDA. Not numpy: the image's torch and scipy agree on one.
_REQUIRED = ("gensim", "nltk", "safetensors", "scikit-learn", "scipy", "tqdm")


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
    contents["requirements.txt"] = "".join(f"{line}\n" for line in requirements()).encode()
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


def requirements(project: Path = _PROJECT) -> list[str]:
    """What the job installs, in the versions that the project pins.

    Raises:
        JobError: pyproject.toml is not there or does not pin one of them.
    """
    try:
        extras = tomllib.loads(project.read_text())["project"]["optional-dependencies"]
    except (OSError, KeyError) as error:
        raise JobError(f"{project}: {error}; start jobs from a copy of the project") from error
    pins = {line.partition("==")[0]: line for lines in extras.values() for line in lines}
    missing = [name for name in _REQUIRED if "==" not in pins.get(name, "")]
    if missing:
        raise JobError(f"{project} pins no version of {', '.join(missing)}")
    return [pins[name] for name in _REQUIRED]
