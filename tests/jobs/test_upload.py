"""The archive on S3: verified before, skipped when there, going on when it broke off."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_training.jobs import upload
from model_training.jobs.__main__ import main
from tests.jobs.conftest import BUCKET, STORED, Aws
from tests.small_corpus import write_archive

KEY = "reeltone/data/aclImdb_v1.tar.gz"
PART = 5 * 1024**2  # the least that S3 takes


@pytest.fixture
def archive(tmp_path: Path, small_expected: object, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive of made-up reviews and 12 MB that cannot be compressed: three parts."""
    monkeypatch.setattr(upload, "PART", PART)
    noise = random.Random(0).randbytes(12 * 1024**2)

    def add(files: dict[str, bytes]) -> None:
        files["aclImdb/README"] = noise

    return write_archive(tmp_path / "aclImdb_v1.tar.gz", add)


def on_s3(aws: Aws) -> bytes:
    content: bytes = aws.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    return content


def test_the_archive_is_stored_with_its_hash(aws: Aws, archive: Path) -> None:
    main(["upload", *STORED, str(archive)])
    assert on_s3(aws) == archive.read_bytes()
    (request,) = aws.requests("CreateMultipartUpload")
    assert request == {
        "Bucket": BUCKET,
        "Key": KEY,
        "ChecksumAlgorithm": "SHA256",
        "ServerSideEncryption": "AES256",
        "Metadata": {"sha256": hashlib.sha256(archive.read_bytes()).hexdigest()},
    }
    assert len(aws.requests("UploadPart")) == 3


def test_an_archive_that_is_there_is_not_sent_again(
    aws: Aws, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["upload", *STORED, str(archive)])
    aws.sent.clear()
    main(["upload", *STORED, str(archive)])
    assert aws.changes() == []
    assert "is there already, with the same SHA-256" in capsys.readouterr().out


def test_another_file_by_that_name_is_replaced(aws: Aws, archive: Path) -> None:
    aws.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=b"something else")
    main(["upload", *STORED, str(archive)])
    assert on_s3(aws) == archive.read_bytes()


def break_at(aws: Aws, monkeypatch: pytest.MonkeyPatch, number: int) -> Callable[[], None]:
    """The connection breaks at a part; what is returned mends it."""
    original = upload._upload_part

    def fail(*arguments: Any) -> dict[str, str]:
        if arguments[-1] == number:
            aws.refusals["UploadPart"] = ("RequestTimeout", "The connection was closed.")
        return original(*arguments)

    monkeypatch.setattr(upload, "_upload_part", fail)

    def mend() -> None:
        monkeypatch.setattr(upload, "_upload_part", original)
        aws.refusals.clear()
        aws.sent.clear()

    return mend


def test_an_upload_that_broke_off_goes_on(
    aws: Aws,
    archive: Path,
    error_of: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mend = break_at(aws, monkeypatch, 3)
    message = error_of("upload", *STORED, str(archive))
    assert message == "upload_part: The connection was closed. (RequestTimeout)"
    mend()
    main(["upload", *STORED, str(archive)])
    assert [request["PartNumber"] for request in aws.requests("UploadPart")] == [3]
    assert aws.requests("CreateMultipartUpload") == []
    assert "2 of 3 parts are there" in capsys.readouterr().out
    assert on_s3(aws) == archive.read_bytes()


def test_the_rest_of_another_file_is_dropped(
    aws: Aws,
    archive: Path,
    tmp_path: Path,
    error_of: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mend = break_at(aws, monkeypatch, 2)
    error_of("upload", *STORED, str(archive))
    mend()
    other = write_archive(
        tmp_path / "other.tar.gz",
        lambda files: files.update({"aclImdb/README": random.Random(1).randbytes(6 * 1024**2)}),
    )
    main(["upload", *STORED, str(other)])
    assert len(aws.requests("AbortMultipartUpload")) == 1
    assert on_s3(aws) == other.read_bytes()


def test_an_upload_under_a_longer_name_is_left_alone(aws: Aws, archive: Path) -> None:
    other = {"Bucket": BUCKET, "Key": f"{KEY}.old"}
    aws.client("s3").create_multipart_upload(**other)
    main(["upload", *STORED, str(archive)])
    assert aws.requests("AbortMultipartUpload") == []
    assert on_s3(aws) == archive.read_bytes()


def test_what_is_not_the_official_archive_is_not_sent(
    aws: Aws, tmp_path: Path, error_of: Callable[..., str]
) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"not an archive")
    assert "damaged or incomplete" in error_of("upload", *STORED, str(tmp_path / "x.tar.gz"))
    assert "no such file" in error_of("upload", *STORED, str(tmp_path / "none.tar.gz"))
    assert aws.changes() == []


def test_a_dry_run_shows_the_upload(
    nowhere: None, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["upload", "--dry-run", "--bucket", BUCKET, str(archive)])
    _, _, shown = capsys.readouterr().out.partition("s3.create_multipart_upload ")
    request, _, rest = shown.partition("\nthen ")
    assert json.loads(request)["Key"] == KEY
    assert rest.startswith("3 upload_part")
