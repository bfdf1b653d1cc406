"""A finished job's model becomes a bundle, and nothing else does."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_training.errors import BundleError
from model_training.jobs import artefact
from model_training.jobs.__main__ import main
from model_training.jobs.cloud import JobError
from model_training.jobs.status import KINDS, Job
from model_training.serving.bundle import FILES, read_bundle
from tests.jobs.conftest import BUCKET, TRAINED, Aws, TrainedModel, sagemaker_job


@pytest.fixture
def name(aws: Aws, data: None, capsys: pytest.CaptureFixture[str]) -> str:
    main(["train", *TRAINED])
    return str(aws.requests("CreateTrainingJob")[0]["TrainingJobName"])


def put_model(aws: Aws, name: str, files: dict[str, bytes]) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    key = f"reeltone/models/{name}/output/model.tar.gz"
    aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=raw.getvalue())
    job = sagemaker_job("training_jobs", name)
    job.training_job_status = "Completed"
    job.model_artifacts = {"S3ModelArtifacts": f"s3://{BUCKET}/{key}"}


def test_a_jobs_model_becomes_the_bundle(
    aws: Aws,
    name: str,
    trained_model: TrainedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put_model(aws, name, {file.name: file.read_bytes() for file in trained_model.folder.iterdir()})
    bundles = tmp_path / "bundles"
    monkeypatch.setattr(artefact.export_run, "__defaults__", (bundles, None))
    runs = ["--runs", str(tmp_path / "runs"), "--data-dir", str(trained_model.data)]
    main(["deploy-model", name, *runs])
    assert sorted(path.name for path in (bundles / "modern").iterdir()) == sorted(FILES)
    assert read_bundle(bundles / "modern").manifest.name == "modern"
    assert "make build && .venv-sam/bin/sam deploy" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "runs" / name).iterdir()) == [
        *("forward.safetensors", "run.json", "vocabulary.json"),
    ]


def test_a_dry_run_says_what_would_be_fetched_and_made(
    aws: Aws, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_model(aws, name, {})
    capsys.readouterr()
    main(["deploy-model", name, "--dry-run", "--runs", str(tmp_path / "runs")])
    address = f"s3://{BUCKET}/reeltone/models/{name}/output/model.tar.gz"
    assert capsys.readouterr().out == (
        f"s3.download_file {address}, then an export into model_training/models\n"
    )
    assert not (tmp_path / "runs").exists()


def test_a_model_that_proves_unequal_leaves_the_bundle_as_it_was(
    trained_model: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "bundles" / "modern"
    target.mkdir(parents=True)
    (target / "model.onnx").write_bytes(b"the good one")
    monkeypatch.setattr("model_training.export.bundles.TOLERANCE", -1.0)
    with pytest.raises(BundleError, match=r"more than -1\.0"):
        artefact.export_run(trained_model.folder, trained_model.data, tmp_path / "bundles")
    assert (target / "model.onnx").read_bytes() == b"the good one"


def test_only_the_files_of_a_run_are_unpacked(
    aws: Aws, cloud: Any, name: str, tmp_path: Path
) -> None:
    put_model(
        aws,
        name,
        {
            "extra.py": b"x",
            "checkpoints/last/run.json": b"x",
            **dict.fromkeys(("./vocabulary.json", "forward.safetensors"), b"{}"),
            "run.json": b'{"results": ["forward.safetensors"]}',
        },
    )
    address = f"s3://{BUCKET}/reeltone/models/{name}/output/model.tar.gz"
    run = artefact.fetch_run(cloud, address, tmp_path / "run" / "x")
    names = sorted(path.name for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert names == ["forward.safetensors", "run.json", "vocabulary.json"]
    assert run == tmp_path / "run" / "x"


def test_what_is_not_a_run_is_refused(
    aws: Aws, name: str, tmp_path: Path, error_of: Callable[..., str]
) -> None:
    arguments = ["deploy-model", name, "--runs", str(tmp_path)]
    put_model(aws, name, {"model.pkl": b"x"})
    assert error_of(*arguments) == "the job's model.tar.gz has no run.json"
    put_model(
        aws, name, {"run.json": b'{"results": ["forward.safetensors"]}', "vocabulary.json": b""}
    )
    assert error_of(*arguments) == "the job's model.tar.gz has no forward.safetensors"
    put_model(aws, name, {"run.json": b"[]"})
    assert error_of(*arguments) == "the job's run.json is not that of a training run"
    key = f"reeltone/models/{name}/output/model.tar.gz"
    aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"not an archive")
    assert "model.tar.gz cannot be unpacked" in error_of(*arguments)
    aws.client("s3").delete_object(Bucket=BUCKET, Key=key)
    assert error_of(*arguments) == "download_file: Not Found"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../escaped": b"x"}, "'../escaped' leads out of the archive"),
        ({"run.json": b"x", "./run.json": b"y"}, "it holds run.json twice"),
    ],
)
def test_an_archive_that_somebody_changed_on_purpose_is_refused(
    aws: Aws,
    name: str,
    tmp_path: Path,
    error_of: Callable[..., str],
    files: dict[str, bytes],
    message: str,
) -> None:
    put_model(aws, name, files)
    runs = tmp_path / "runs"
    assert error_of("deploy-model", name, "--runs", str(runs)).endswith(
        f"model.tar.gz cannot be unpacked: {message}"
    )
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize("named", ["../../etc", "", "Modern", "a/b"])
def test_a_name_that_is_no_bundles_is_refused(
    trained_model: TrainedModel, tmp_path: Path, named: str
) -> None:
    about = json.loads((trained_model.folder / "run.json").read_text())
    (trained_model.folder / "run.json").write_text(json.dumps(about | {"name": named}))
    with pytest.raises(JobError, match="cannot name a bundle"):
        artefact.export_run(trained_model.folder, trained_model.data, tmp_path / "bundles")


def test_an_unfinished_job_has_no_model(aws: Aws, name: str, error_of: Callable[..., str]) -> None:
    job = sagemaker_job("training_jobs", name)
    job.training_job_status, job.failure_reason = "Failed", "ClientError: no space"
    assert error_of("deploy-model", name) == f"{name} is Failed: ClientError: no space"


def test_a_search_has_the_model_of_its_best_job() -> None:
    about = {
        "HyperParameterTuningJobStatus": "Completed",
        "BestTrainingJob": {"TrainingJobName": "t-7"},
        "TrainingJobDefinition": {"OutputDataConfig": {"S3OutputPath": "s3://b/models"}},
    }
    assert artefact.find_artefact(Job(KINDS[1], "t", about)) == (
        "t-7",
        "s3://b/models/t-7/output/model.tar.gz",
    )
    with pytest.raises(JobError, match="t found no best training job"):
        artefact.find_artefact(Job(KINDS[1], "t", about | {"BestTrainingJob": {}}))
    scored = Job(KINDS[2], "s", {"TransformJobStatus": "Completed"})
    with pytest.raises(JobError, match="s is a transform job and has no model"):
        artefact.find_artefact(scored)
