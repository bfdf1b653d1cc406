"""The data set's archive on S3: verified before, and skipped when it is there."""

from __future__ import annotations

import hashlib
from pathlib import Path

from boto3.exceptions import S3UploadFailedError
from tqdm import tqdm

from model_training.corpus.acl_imdb import ARCHIVE_NAME, read_archive
from model_training.jobs.cloud import AbsentError, Cloud, JobError, Place, aws_errors


def upload_archive(cloud: Cloud, place: Place, path: Path) -> str:
    """Bring the archive to S3, in parts where it is large; returns its s3:// address.

    Raises:
        ArchiveError: it is not the official archive.
        JobError: S3 refuses it.
    """
    read_archive(path)
    address, digest = place.uri("data", ARCHIVE_NAME), _hash_file(path)
    if cloud.dry_run:
        cloud.show(f"s3.upload_file {path} {address}, {path.stat().st_size:,} bytes")
    elif _is_there(cloud, place, path, digest):
        cloud.show(f"{address} is there already, with the same SHA-256")
    else:
        _send(cloud, place, path, digest)
    return address


def _send(cloud: Cloud, place: Place, path: Path, digest: str) -> None:
    settings = {
        "ChecksumAlgorithm": "SHA256",
        "ServerSideEncryption": "AES256",
        "Metadata": {"sha256": digest},
    }
    with (
        aws_errors("upload_file"),
        tqdm(desc=path.name, total=path.stat().st_size, unit="B", unit_scale=True) as bar,
    ):
        try:
            cloud.client("s3").upload_file(
                str(path),
                place.bucket,
                place.key("data", ARCHIVE_NAME),
                ExtraArgs=settings,
                Callback=bar.update,
            )
        except S3UploadFailedError as error:
            raise JobError(str(error)) from error


def _is_there(cloud: Cloud, place: Place, path: Path, digest: str) -> bool:
    try:
        key = place.key("data", ARCHIVE_NAME)
        head = cloud.read("s3", "head_object", Bucket=place.bucket, Key=key)
    except AbsentError:
        return False
    size = path.stat().st_size
    return bool(head["ContentLength"] == size and head["Metadata"].get("sha256") == digest)


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
