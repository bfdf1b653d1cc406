"""The data set's archive on S3: verified before, and skipped when it is there.

What is there is known by the checksum that S3 itself made of the bytes: metadata and ETag are
whatever somebody who may write to the bucket says that they are.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from pathlib import Path

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from tqdm import tqdm

from model_training.corpus.acl_imdb import ARCHIVE_NAME, read_archive
from model_training.jobs.cloud import AbsentError, Cloud, JobError, Place, aws_errors

_PART = 8 * 1024**2
"""Bytes of each part that is sent. The checksum of the whole depends on them."""


def upload_archive(cloud: Cloud, place: Place, path: Path) -> str:
    """Bring the archive to S3, in parts where it is large; returns its s3:// address.

    Raises:
        ArchiveError: it is not the official archive.
        JobError: S3 refuses it.
    """
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
