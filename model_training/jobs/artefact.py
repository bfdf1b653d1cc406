"""A finished training job's model, from S3 into a bundle that the stack deploys."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path

from model_training.bundle import BUNDLES, FILES, read_manifest
from model_training.data import prepare_corpus
from model_training.jobs.cloud import Cloud, JobError, aws_errors, split_uri
from model_training.jobs.status import Job

_PARTS = ("model.safetensors", "run.json", "vocabulary.json")
_SIDE_PATH = "ngrams.safetensors"  # of the models that have one


def find_artefact(job: Job) -> tuple[str, str]:
    """The training job that has the model, and the model's s3:// address; of a tuning job, its
    best training job, whose address follows from where jobs write.

    Raises:
        JobError: the job is not completed, or has no model.
    """
    if job.status != "Completed":
        reason = job.about.get("FailureReason", "only a completed job has a model")
        raise JobError(f"{job.name} is {job.status}: {reason}")
    if job.kind.word == "tuning":
        best = job.about.get("BestTrainingJob", {}).get("TrainingJobName")
        if not best:
            raise JobError(f"{job.name} found no best training job")
        output = job.about["TrainingJobDefinition"]["OutputDataConfig"]["S3OutputPath"]
        return best, f"{output}/{best}/output/model.tar.gz"
    address = job.about.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    if not address:
        raise JobError(f"{job.name} is a {job.kind.word} job and has no model")
    return job.name, address


def fetch_run(cloud: Cloud, address: str, folder: Path) -> Path:
    """Unpack a job's model.tar.gz from S3 into ``folder``, a run that export.py understands.

    Only the files of a run are taken, whatever else the archive holds.

    Raises:
        JobError: it is not there, damaged, or not of a training run.
    """
    bucket, key = split_uri(address)
    folder.mkdir(parents=True, exist_ok=True)
    packed = folder / "model.tar.gz"
    with aws_errors("download_file"):
        cloud.client("s3").download_file(bucket, key, str(packed))
    try:
        with tarfile.open(packed) as archive:
            for name in _PARTS:
                if not _extract(archive, name, folder):
                    raise JobError(f"the job's model.tar.gz has no {name}")
            _extract(archive, _SIDE_PATH, folder)
    except (tarfile.TarError, OSError, EOFError) as error:
        first = str(error).partition("\n")[0]
        raise JobError(f"{address} cannot be unpacked: {first}") from error
    packed.unlink()
    return folder


def export_run(run: Path, data: Path, bundles: Path = BUNDLES, archive: Path | None = None) -> Path:
    """Export a run into ``bundles``/<its name>, which is replaced only by a bundle that has proved
    equal to the model in PyTorch; returns the folder.

    Raises:
        ReeltoneError: it cannot be exported.
    """
    # PyTorch takes seconds to import, and only this needs it.
    from model_training.export import dev_split, export_bundle

    name = str(json.loads((run / "run.json").read_text(encoding="utf-8")).get("name"))
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise JobError(f"{run}/run.json: name = {name!r} cannot name a bundle")
    made, target = run / "bundle", bundles / name
    export_bundle(run, made, dev_split(prepare_corpus(data, archive), run))
    read_manifest(made)
    target.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        shutil.move(made / file, target / file)
    made.rmdir()
    return target


def _extract(archive: tarfile.TarFile, name: str, folder: Path) -> bool:
    """Write the file ``name`` of the archive into ``folder``; False where it has none."""
    for member in archive:
        if member.isfile() and member.name.removeprefix("./") == name:
            content = archive.extractfile(member)
            if content is not None:
                with (folder / name).open("wb") as file:
                    shutil.copyfileobj(content, file)
                return True
    return False
