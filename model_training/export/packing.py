"""The archive that SageMaker unpacks: a bundle's files, and in code/ what the container runs.

    .venv/bin/python -m model_training.export.packing model_training/models/modern --output build

packs model-<hash>.tar.gz. The hash is of the content, so a changed model has another name, and an
unchanged one has not. ``--runtime`` adds onnxruntime for AWS's scikit-learn image (Python 3.12,
x86_64), which does not have it.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import distribution
from pathlib import Path

import model_training
import review_text
from model_training.errors import BundleError, ReeltoneError
from model_training.files import replacing, run_command
from model_training.serving.bundle import FILES, Bundle, read_bundle

# onnxruntime alone: what it declares besides, it does not import to serve; and its protobuf would
# come before the image's own, with which AWS's server does not start.
RUNTIME = Path(__file__).parents[2] / "requirements" / "runtime.txt"

# The stemmer, without the rest of nltk: see review_text/porter.py.
_STEMMER = ("__init__.py", "stem/__init__.py", "stem/api.py", "stem/porter.py")
_IMAGE_PLATFORM = ("--python-version", "3.12", "--implementation", "cp", "--only-binary=:all:")
_IMAGE_TAGS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64")


def collect_files(folder: Path, runtime: Path | None = None) -> dict[str, Path]:
    """Collect what goes into the archive: name there → file here; ``runtime`` becomes code/lib.

    Raises:
        BundleError: the bundle is not complete, or something in the place of a file is none.
    """
    bundle = check_bundle(folder)
    files = {name: folder / name for name in FILES}
    files |= {f"code/{name}": file for name, file in _code().items()}
    if bundle.vocabulary.settings.stemmer == "porter":
        files |= _stemmer_files()
    if runtime is not None:
        for file in sorted(runtime.rglob("*")):
            if not file.is_dir() or file.is_symlink():
                files[f"code/lib/{file.relative_to(runtime)}"] = file
    # A link would be packed as what it leads to, wherever on this machine that is.
    odd = [name for name, file in files.items() if file.is_symlink() or not file.is_file()]
    if odd:
        raise BundleError(f"{folder}: {', '.join(odd)}: no ordinary file; only files are packed")
    return files


def check_bundle(folder: Path) -> Bundle:
    """Read a bundle that is to ship.

    Raises:
        BundleError: it is not complete, or its parts do not belong together.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise BundleError(f"{folder} is not a complete bundle: {', '.join(missing)} missing")
    return read_bundle(folder)


def _code() -> dict[str, Path]:
    """What the container runs: this package's serving room, and review_text."""
    package, words = Path(model_training.__file__).parent, Path(review_text.__file__).parent
    room = [f"serving/{file.name}" for file in sorted((package / "serving").glob("*.py"))]
    code = {
        f"model_training/{name}": package / name for name in ("__init__.py", "errors.py", *room)
    }
    texts = (file for file in sorted(words.iterdir()) if file.suffix in (".py", ".txt"))
    return code | {f"review_text/{file.name}": file for file in texts}


def _stemmer_files() -> dict[str, Path]:
    """NLTK's stemmer with its licence, and what says which version it is."""
    nltk = distribution("nltk")
    names = [f"nltk/{name}" for name in _STEMMER]
    about = ("LICENSE", "METADATA")
    names += [str(file) for file in nltk.files or () if file.name.startswith(about)]
    return {f"code/{name}": Path(str(nltk.locate_file(name))) for name in names}


def pack_bundle(folder: Path, output: Path, runtime: Path | None = None) -> Path:
    """Write model-<hash>.tar.gz into ``output``: equal content, equal bytes, equal name."""
    files = collect_files(folder, runtime)
    digest = hashlib.sha256()
    for name, file in files.items():
        digest.update(f"{name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    path = output / f"model-{digest.hexdigest()[:16]}.tar.gz"
    with (
        replacing(path) as part,
        part.open("wb") as raw,
        # No name and no time in the gzip header, or equal content would differ. Level 6 packs 0.3 %
        # worse than 9, in a third of the time.
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as archive,
    ):
        for name, file in files.items():
            content = file.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return path


def fetch_runtime(target: Path) -> None:
    """Install onnxruntime for AWS's image into ``target``."""
    platforms = [word for tag in _IMAGE_TAGS for word in ("--platform", tag)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps"]
    command += ["--target", str(target), *_IMAGE_PLATFORM, *platforms]
    command += ["--require-hashes", "--requirement", str(RUNTIME)]
    try:
        subprocess.run(command, check=True)
    except subprocess.CalledProcessError as error:
        raise BundleError(f"pip could not fetch what {RUNTIME} names; see above") from error


def main(arguments: list[str] | None = None) -> None:
    """Pack a bundle and print its path."""
    parser = argparse.ArgumentParser(
        prog="model_training.export.packing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle", type=Path, help="a folder of model_training/models")
    parser.add_argument("--output", type=Path, default=Path("build"), help="default: build")
    parser.add_argument("--runtime", action="store_true", help="add onnxruntime in code/lib")
    parser.add_argument(
        "--check", action="store_true", help="pack nothing; only see that its parts belong together"
    )
    options = parser.parse_args(arguments)
    if options.check:
        check_bundle(options.bundle)
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.runtime:
            fetch_runtime(Path(folder))
        runtime = Path(folder) if options.runtime else None
        print(pack_bundle(options.bundle, options.output, runtime))


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
