"""A training job's source, and the job on this machine, started by AWS's own training toolkit."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checks.pins import read_lock
from model_training.corpus.cache import Corpus
from model_training.jobs import local
from model_training.jobs.__main__ import main
from model_training.jobs.cloud import JobError
from model_training.jobs.local import train_locally
from model_training.jobs.source import pack_source, requirements
from model_training.jobs.training import hyperparameters
from tests.needs import need


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(pack_source()[1])) as archive:
        archive.extractall(tmp_path / "code", filter="data")
    return tmp_path / "code"


ALONE = """
import runpy, sys
# An editable install finds what the archive lacks in this checkout.
sys.meta_path = [finder for finder in sys.meta_path if "ditable" not in repr(finder)]
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
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


TINY = {
    **{"embedding_size": 8, "hidden_size": 8, "batch_windows": 16, "epochs": 1},
    "dev_reviews": 8,
}


@pytest.fixture
def toolkit() -> Path:
    """The environment with the toolkit."""
    folder = Path(os.environ.get("TOOLKIT", local.TOOLKIT))
    need((folder / "bin" / "train").is_file(), "make toolkit was not run")
    return folder


def test_a_job_trains_with_the_source_that_a_job_on_sagemaker_gets(
    toolkit: Path, corpus: Corpus, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "job"
    model = train_locally("classic", TINY, tmp_path / "data", folder, toolkit=toolkit)
    assert {"forward.safetensors", "run.json", "vocabulary.json"} <= {
        path.name for path in model.iterdir()
    }
    assert '"hidden_size": 8' in (model / "run.json").read_text()
    assert (folder / "checkpoints").is_dir()
    log = "".join(capfd.readouterr())
    # The toolkit's own way: the script at the source's root, with each setting as an option.
    assert "train_job.py --archive" in log
    assert "--hidden_size 8" in log
    # What a tuning job judges by, where SageMaker reads it.
    assert "final dev_accuracy" in log


def test_several_processes_train_together_under_torchrun(
    toolkit: Path, corpus: Corpus, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "job"
    model = train_locally("classic", TINY, tmp_path / "data", folder, 2, toolkit)
    assert (model / "forward.safetensors").is_file()
    log = "".join(capfd.readouterr())
    assert "torchrun --nnodes 1 --nproc_per_node 2" in log
    assert log.count("final dev_accuracy") == 1


def test_what_went_wrong_is_the_jobs_failure_reason(
    toolkit: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """SageMaker shows nothing else of it."""
    with pytest.raises(JobError) as caught:
        train_locally("classic", TINY, tmp_path / "empty", tmp_path / "job", toolkit=toolkit)
    assert "there is no such file" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    failure = (tmp_path / "job" / "output" / "failure").read_text()
    assert "RuntimeError: " in failure


def test_what_a_tuning_job_adds_is_no_option_of_the_script(
    toolkit: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def searched(*arguments: Any) -> dict[str, str]:
        return hyperparameters(*arguments) | {"_tuning_objective_metric": "dev_accuracy"}

    monkeypatch.setattr(local, "hyperparameters", searched)
    assert train_locally(
        "classic", TINY, tmp_path / "data", tmp_path / "job", toolkit=toolkit
    ).is_dir()


def test_without_the_toolkit_it_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="make toolkit"):
        train_locally("classic", {}, tmp_path, tmp_path / "job", toolkit=tmp_path / "nothing")
    assert not (tmp_path / "job").exists()


def test_a_dry_run_starts_nothing_and_a_job_on_sagemaker_is_not_resumed_here(
    nowhere: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    error_of: Callable[..., str],
) -> None:
    main(["train", "classic", "--local", "--dry-run", "--runs", str(tmp_path / "runs")])
    assert "a job of classic below" in capsys.readouterr().out
    assert not (tmp_path / "runs").exists()
    assert "leave out --local" in error_of("train", "--local", "--resume", "job")
