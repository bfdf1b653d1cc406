"""A bucket to publish to. The only file that talks to S3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
from botocore import exceptions as aws
from botocore.config import Config

from faults import BucketError, BucketGoneError, ObjectExistsError

# Seconds for each network operation; S3 asks its callers to repeat what failed with 5xx.
_CLIENT = Config(
    connect_timeout=3, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4}
)

_BATCH = 1000
"""Keys that S3 deletes in one request."""

_BY_CODE: dict[str, type[BucketError]] = {
    "NoSuchBucket": BucketGoneError,
    "InvalidBucketName": BucketGoneError,
    "PreconditionFailed": ObjectExistsError,
}


class Bucket:
    """One bucket; every method raises ``BucketError`` where S3 refuses or fails."""

    def __init__(self, client: Any, name: str) -> None:
        """``client``: boto3's, for S3."""
        self._client = client
        self.name = name

    def put(self, key: str, content: bytes, content_type: str, cache_control: str) -> None:
        """Write a file of a website, whatever was there before."""
        self._call(
            "put_object",
            Key=key,
            Body=content,
            ContentType=content_type,
            CacheControl=cache_control,
        )

    def put_once(self, key: str, path: Path) -> bool:
        """Write a file whose key tells its content, unless it is there; says whether it was not.

        S3 shows an object only when it is whole, so one that is there is complete.
        """
        try:
            with path.open("rb") as body:
                self._call(
                    "put_object",
                    Key=key,
                    Body=body,
                    ContentType="application/gzip",
                    IfNoneMatch="*",
                )
        except ObjectExistsError:
            return False
        return True

    def keep(self, key: str, content: str) -> str:
        """Write a text unless there is one; gives the one that is there."""
        with suppress(ObjectExistsError):
            self._call("put_object", Key=key, Body=content.encode(), IfNoneMatch="*")
        kept: bytes = self._call("get_object", Key=key)["Body"].read()
        return kept.decode()

    def list_keys(self) -> list[str]:
        """List all keys; of a versioned bucket, those whose newest version is not a deletion."""
        with self._naming_faults():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
            return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def delete(self, keys: Sequence[str]) -> None:
        """Delete these keys; in a versioned bucket their versions stay."""
        for start in range(0, len(keys), _BATCH):
            self._delete([{"Key": key} for key in keys[start : start + _BATCH]])

    def empty(self) -> int:
        """Delete every version and every delete marker; says how many there were."""
        count = 0
        # From the first page each time: what was there before it is gone.
        while versions := self._list_versions():
            self._delete(versions)
            count += len(versions)
        return count

    def _list_versions(self) -> list[dict[str, str]]:
        answer = self._call("list_object_versions", MaxKeys=_BATCH)
        entries = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
        return [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]

    def _delete(self, objects: list[dict[str, str]]) -> None:
        answer = self._call("delete_objects", Delete={"Objects": objects, "Quiet": True})
        if answer.get("Errors"):
            first = answer["Errors"][0]
            raise BucketError(
                f"bucket {self.name}, {first.get('Key')}: {first.get('Code')} when calling the "
                f"DeleteObjects operation: {first.get('Message')}"
            )

    def _call(self, operation: str, **parameters: Any) -> Any:
        with self._naming_faults(parameters.get("Key", "")):
            return getattr(self._client, operation)(Bucket=self.name, **parameters)

    @contextmanager
    def _naming_faults(self, key: str = "") -> Iterator[None]:
        """Turn what boto3 raises into this module's errors, with the place where it happened."""
        place = f"bucket {self.name}" + (f", {key}" if key else "")
        try:
            yield
        except aws.ClientError as error:
            named = _BY_CODE.get(error.response["Error"]["Code"], BucketError)
            raise named(f"{place}: {error}") from error
        except aws.ParamValidationError as error:
            raise BucketGoneError(f"{place}: {error}") from error
        except aws.BotoCoreError as error:
            raise BucketError(f"{place}: {error}") from error


def connect() -> Any:
    """Make boto3's client for S3, in the region and with the credentials of the environment."""
    return boto3.client("s3", config=_CLIENT)
