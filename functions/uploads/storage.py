"""Files on S3: looked up, read in pieces, and written so that each is there as a whole or not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, BinaryIO

from botocore import exceptions as aws
from botocore.config import Config
from botocore.session import get_session

PIECE = 16 * 1000**2
"""Bytes that are read or written at a time. S3 takes 10,000 pieces of at least 5 MB."""

Found = dict[str, Any]


@cache
def load_client(service: str) -> Any:
    """Make the client for a service of AWS, once."""
    return get_session().create_client(service, config=Config(retries={"mode": "standard"}))


def find(bucket: str, key: str) -> Found | None:
    """Look a file up."""
    try:
        found: Found = load_client("s3").head_object(Bucket=bucket, Key=key)
    except aws.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    return found


def open_file(bucket: str, key: str, found: Found) -> BinaryIO:
    """Open a file as it was found. Another of that name meanwhile is an error, and brings a
    message of its own."""
    if found["ContentLength"] > PIECE:
        return BufferedReader(_Pieces(bucket, key, found), PIECE)
    answer = load_client("s3").get_object(Bucket=bucket, Key=key, IfMatch=found["ETag"])
    return BytesIO(answer["Body"].read())


def read_file(bucket: str, key: str) -> bytes:
    """Read a small file."""
    content: bytes = load_client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def read_lines(bucket: str, folder: str) -> Iterator[bytes]:
    """Give the lines of a folder's files, one file after the other; of 1,000 at most."""
    s3 = load_client("s3")
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=folder).get("Contents", ()):
        found = s3.head_object(Bucket=bucket, Key=entry["Key"])
        with open_file(bucket, entry["Key"], found) as file:
            yield from file


class _Pieces(RawIOBase):
    """A file that is read a piece at a time, each by a request of its own: none stays open."""

    def __init__(self, bucket: str, key: str, found: Found) -> None:
        self._size, self._at = found["ContentLength"], 0
        self._object = {"Bucket": bucket, "Key": key, "IfMatch": found["ETag"]}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        if self._at >= end:
            return 0
        part = f"bytes={self._at}-{end - 1}"
        content = load_client("s3").get_object(**self._object, Range=part)["Body"].read()
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


class NewFile:
    """A file that is there once it is closed, and not before."""

    def __init__(self, bucket: str, key: str, content_type: str, made_of: dict[str, str]) -> None:
        """``made_of`` is kept with it."""
        self._object = {"Bucket": bucket, "Key": key}
        self._about = {"ContentType": content_type, "Metadata": made_of}
        self._content = bytearray()
        self._upload: dict[str, str] = {}
        self._parts: list[dict[str, Any]] = []

    def write(self, content: bytes) -> None:
        """Add bytes."""
        self._content += content
        if len(self._content) >= PIECE:
            self._send()

    def close(self) -> None:
        """Put it in its place."""
        s3 = load_client("s3")
        if not self._upload:
            s3.put_object(**self._object, **self._about, Body=bytes(self._content))
            return
        if self._content:
            self._send()
        s3.complete_multipart_upload(**self._upload, MultipartUpload={"Parts": self._parts})

    def _send(self) -> None:
        s3 = load_client("s3")
        if not self._upload:
            started = s3.create_multipart_upload(**self._object, **self._about)
            # What is never completed, the bucket's lifecycle rule deletes.
            self._upload = {**self._object, "UploadId": started["UploadId"]}
        number = len(self._parts) + 1
        sent = s3.upload_part(**self._upload, PartNumber=number, Body=bytes(self._content))
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        self._content.clear()
