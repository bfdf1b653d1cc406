"""The source archive of a job: whole, small, and able to run by itself."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from checks.pins import read_lock
from model_training.jobs.cloud import JobError
from model_training.jobs.source import pack_source, requirements


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(pack_source()[1])) as archive:
        archive.extractall(tmp_path / "code", filter="data")
    return tmp_path / "code"


ALONE = """
import runpy, sys
# An editable install finds what the archive lacks in this checkout.
sys.meta_path = [finder for finder in sys.meta_path if "__editable__" not in repr(finder)]
sys.argv.pop(0)
runpy.run_path("train_job.py", run_name="__main__")
"""


def run(code: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the job's script as SageMaker does: in its folder, with nothing else of ours."""
    return subprocess.run(
        [sys.executable, "-c", ALONE, "train_job.py", *arguments],
        cwd=code,
        env={"PATH": "", "PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
    )


def test_the_archive_has_the_code_and_no_model(unpacked: Path) -> None:
    names = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert {
        "train_job.py",
        "requirements.txt",
        "model_training/training/classifier.py",
        "model_training/recipes/modern.toml",
        "review_text/vocabulary.py",
        "review_text/stop_words_english.txt",
    } <= names
    assert not [
        name for name in names if "bundle/" in name or "jobs/" in name or "__pycache__" in name
    ]


def test_the_requirements_leave_pytorch_to_the_image(unpacked: Path) -> None:
    names = {name for name, _ in read_lock(unpacked / "requirements.txt")}
    assert {"gensim", "nltk", "safetensors", "scikit-learn", "tqdm"} <= names
    assert not names & {"torch", "numpy", "onnx", "onnxruntime"}


def test_a_requirement_is_a_file_with_a_hash(unpacked: Path) -> None:
    lines = (unpacked / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if "==" in line]
    assert len(pins) > 10
    assert all(line.endswith("\\") for line in pins), "pip then refuses a file with another hash"


def test_without_the_lock_there_is_no_job(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="start jobs from a copy of the project"):
        requirements(tmp_path / "none.txt")


def test_the_script_runs_by_itself_and_fails_with_one_line(unpacked: Path) -> None:
    done = run(unpacked, "--recipe", "nothing", "--epochs", "3")
    assert done.returncode == 1
    # The toolkit makes the job's failure reason of what follows the name of an exception.
    assert done.stderr == "RuntimeError: no recipe 'nothing'; there are classic, modern\n"
