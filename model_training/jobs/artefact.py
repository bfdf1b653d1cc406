"""What goes to S3 and comes back: the data set's archive, verified and not sent twice; a finished
training job's model, made into a bundle that the stack deploys."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from base64 import b64encode
from pathlib import Path

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from tqdm import tqdm

from model_training.archives import DAMAGE, Bounds, read_members
from model_training.corpus.acl_imdb import ARCHIVE_NAME, read_archive
from model_training.corpus.cache import prepare_corpus
from model_training.errors import ArchiveError
from model_training.jobs.cloud import AbsentError, Cloud, JobError, Place, aws_errors, split_uri
from model_training.jobs.status import Job
from model_training.paths import MODELS

_PARTS = ("run.json", "vocabulary.json")
_WEIGHTS = ("forward.safetensors", "backward.safetensors")
"""Files of weights; a model has those that its run.json names."""
# A run has a handful of files; the weights of the shipped model are 80 MB in 32 bits.
_BOUNDS = Bounds(members=1_000, unpacked=4 * 1024**3)


def find_artefact(job: Job) -> tuple[str, str]:
    """Find the training job that has the model, and the model's s3:// address; of a tuning job, its
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
    """Unpack a job's model.tar.gz from S3 into ``folder``, a run that can be exported.

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
        found = _unpack(packed, folder)
    except (ArchiveError, *DAMAGE) as error:
        first = str(error).partition("\n")[0]
        raise JobError(f"{address} cannot be unpacked: {first}") from error
    wanted = [*_PARTS, *(_results(folder) if "run.json" in found else ())]
    for name in wanted:
        if name not in found:
            raise JobError(f"the job's model.tar.gz has no {name}")
    packed.unlink()
    return folder


def export_run(run: Path, data: Path, bundles: Path = MODELS, archive: Path | None = None) -> Path:
    """Export a run into ``bundles``/<its name>, which is replaced only by a bundle that has proved
    equal to the model in PyTorch; returns the folder.

    Raises:
        ReeltoneError: it cannot be exported.
    """
    # PyTorch takes seconds to import, and only this needs it.
    from model_training.export.bundles import export_bundle

    name = str(json.loads((run / "run.json").read_text(encoding="utf-8")).get("name"))
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise JobError(f"{run}/run.json: name = {name!r} cannot name a bundle")
    export_bundle(run, bundles / name, prepare_corpus(data, archive))
    return bundles / name


def _results(run: Path) -> list[str]:
    """The files of weights that a run says it has."""
    try:
        about = json.loads((run / "run.json").read_text(encoding="utf-8"))
        return [str(name) for name in about["results"]]
    except (ValueError, KeyError, TypeError) as error:
        raise JobError("the job's run.json is not that of a training run") from error


def _unpack(packed: Path, folder: Path) -> set[str]:
    """Write the files of a run into ``folder``; the names of those that were there."""
    found: set[str] = set()
    with packed.open("rb") as file:
        for member in read_members(file, _BOUNDS):
            if member.name not in (*_PARTS, *_WEIGHTS):
                continue
            if member.name in found:
                raise ArchiveError(f"it holds {member.name} twice")
            found.add(member.name)
            with (folder / member.name).open("wb") as target:
                shutil.copyfileobj(member.content, target)
    return found


_PART = 8 * 1024**2
"""Bytes of each part that is sent. The checksum of the whole depends on them."""


def upload_archive(cloud: Cloud, place: Place, path: Path) -> str:
    """Bring the archive to S3, in parts where it is large; returns its s3:// address.

    Raises:
        ArchiveError: it is not the official archive.
        JobError: it is a folder, or S3 refuses it.
    """
    if path.is_dir():
        raise JobError(f"{path} is a folder; jobs read the archive itself, {ARCHIVE_NAME}")
    read_archive(path)
    address = place.uri("data", ARCHIVE_NAME)
    if cloud.dry_run:
        cloud.show(f"s3.upload_file {path} {address}, {path.stat().st_size:,} bytes")
    elif _is_there(cloud, place, path):
        cloud.show(f"{address} is there already, with the same SHA-256")
    else:
        _send(cloud, place, path)
    return address


def _send(cloud: Cloud, place: Place, path: Path) -> None:
    with (
        aws_errors("upload_file"),
        tqdm(desc=path.name, total=path.stat().st_size, unit="B", unit_scale=True) as bar,
    ):
        try:
            cloud.client("s3").upload_file(
                str(path),
                place.bucket,
                place.key("data", ARCHIVE_NAME),
                ExtraArgs={"ChecksumAlgorithm": "SHA256", "ServerSideEncryption": "AES256"},
                Config=TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART),
                Callback=bar.update,
            )
        except S3UploadFailedError as error:
            raise JobError(str(error)) from error


def _is_there(cloud: Cloud, place: Place, path: Path) -> bool:
    key = place.key("data", ARCHIVE_NAME)
    try:
        head = cloud.read("s3", "head_object", Bucket=place.bucket, Key=key, ChecksumMode="ENABLED")
    except AbsentError:
        return False
    # Behind a hyphen, S3 tells the number of parts.
    checksum = head.get("ChecksumSHA256", "").partition("-")[0]
    return bool(head["ContentLength"] == path.stat().st_size and checksum == _checksum(path))


def _checksum(path: Path) -> str:
    """What S3 makes of the file when it comes in parts: the hash of their hashes, in Base64."""
    with path.open("rb") as file:
        parts = [hashlib.sha256(part).digest() for part in iter(lambda: file.read(_PART), b"")]
    is_whole = path.stat().st_size < _PART
    return b64encode(parts[0] if is_whole else hashlib.sha256(b"".join(parts)).digest()).decode()
