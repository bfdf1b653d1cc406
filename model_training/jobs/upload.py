"""The data set's archive on S3: verified before, skipped when there, resumed when broken off."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from tqdm import tqdm

from model_training.corpus.acl_imdb import ARCHIVE_NAME, read_archive
from model_training.jobs.cloud import AbsentError, Cloud, JobError, Place

PART = 16 * 1024**2
"""Bytes of a part; what a broken connection costs at most."""


def upload_archive(cloud: Cloud, place: Place, path: Path) -> str:
    """Bring the archive to S3, in parts, going on where an earlier upload broke off.

    Returns its s3:// address.

    Raises:
        ArchiveError: it is not the official archive.
        JobError: S3 refuses it.
    """
    read_archive(path)
    key, size = place.key("data", ARCHIVE_NAME), path.stat().st_size
    digest = _hash_file(path)
    if not cloud.dry_run and _is_there(cloud, place.bucket, key, size, digest):
        cloud.show(f"{place.uri('data', ARCHIVE_NAME)} is there already, with the same SHA-256")
    else:
        _upload_parts(cloud, {"Bucket": place.bucket, "Key": key}, path, digest)
    return place.uri("data", ARCHIVE_NAME)


def _upload_parts(cloud: Cloud, target: dict[str, str], path: Path, digest: str) -> None:
    size = path.stat().st_size
    count = -(-size // PART)
    upload, done = (None, {}) if cloud.dry_run else _find_upload(cloud, target, path)
    if upload is None:
        upload = cloud.change(
            "s3",
            "create_multipart_upload",
            **target,
            ChecksumAlgorithm="SHA256",
            ServerSideEncryption="AES256",
            Metadata={"sha256": digest},
        ).get("UploadId")
    if cloud.dry_run:
        cloud.show(f"then {count} upload_part of {PART:,} bytes and complete_multipart_upload")
        return
    if done:
        cloud.show(
            f"going on with an upload that broke off: {len(done)} of {count} parts are there"
        )
    target = target | {"UploadId": str(upload)}
    parts = []
    for number in tqdm(range(1, count + 1), path.name, unit=" parts"):
        part = done.get(number) or _upload_part(cloud, target, path, number)
        parts.append({"PartNumber": number, **part})
    cloud.change("s3", "complete_multipart_upload", **target, MultipartUpload={"Parts": parts})
    if not _is_there(cloud, target["Bucket"], target["Key"], size, digest):
        raise JobError(f"s3://{target['Bucket']}/{target['Key']} is not what was uploaded")


def _upload_part(cloud: Cloud, target: dict[str, str], path: Path, number: int) -> dict[str, str]:
    content = _read_part(path, number)
    checksum = _checksum(content)
    answer = cloud.change(
        "s3",
        "upload_part",
        **target,
        PartNumber=number,
        Body=content,
        ChecksumSHA256=checksum,
    )
    return {"ETag": answer["ETag"], "ChecksumSHA256": checksum}


def _find_upload(
    cloud: Cloud, target: dict[str, str], path: Path
) -> tuple[str | None, dict[int, dict[str, str]]]:
    """An earlier upload of this very file, and its parts; one of another file is dropped."""
    bucket, key = target["Bucket"], target["Key"]
    for upload in list(
        cloud.pages("s3", "list_multipart_uploads", "Uploads", Bucket=bucket, Prefix=key)
    ):
        if upload["Key"] != key:
            continue
        request = target | {"UploadId": upload["UploadId"]}
        parts = list(cloud.pages("s3", "list_parts", "Parts", **request))
        if parts and all(_is_same(part, path) for part in parts):
            done = {
                part["PartNumber"]: {
                    "ETag": part["ETag"],
                    "ChecksumSHA256": _checksum(_read_part(path, part["PartNumber"])),
                }
                for part in parts
            }
            return upload["UploadId"], done
        cloud.change("s3", "abort_multipart_upload", **request)
    return None, {}


def _is_same(part: dict[str, Any], path: Path) -> bool:
    content = _read_part(path, part["PartNumber"])
    if "ChecksumSHA256" in part:
        return bool(part["ChecksumSHA256"] == _checksum(content))
    # The ETag of a part that S3 encrypts with its own key is the MD5 of its bytes.
    return bool(part["ETag"].strip('"') == hashlib.md5(content, usedforsecurity=False).hexdigest())


def _is_there(cloud: Cloud, bucket: str, key: str, size: int, digest: str) -> bool:
    try:
        head = cloud.read("s3", "head_object", Bucket=bucket, Key=key)
    except AbsentError:
        return False
    return bool(head["ContentLength"] == size and head["Metadata"].get("sha256") == digest)


def _read_part(path: Path, number: int) -> bytes:
    with path.open("rb") as file:
        file.seek((number - 1) * PART)
        return file.read(PART)


def _checksum(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
