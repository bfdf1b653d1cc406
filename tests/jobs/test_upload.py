"""The archive on S3: verified before, skipped when there."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from model_training.jobs.__main__ import main
from tests.jobs.conftest import BUCKET, STORED, Aws
from tests.small_corpus import write_archive

KEY = "reeltone/data/aclImdb_v1.tar.gz"


@pytest.fixture
def archive(tmp_path: Path, small_expected: object) -> Path:
    """An archive of made-up reviews and 12 MB that cannot be compressed: two parts."""
    noise = random.Random(0).randbytes(12 * 1024**2)
    return write_archive(
        tmp_path / "aclImdb_v1.tar.gz", lambda files: files.update({"aclImdb/README": noise})
    )


def on_s3(aws: Aws) -> bytes:
    content: bytes = aws.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    return content


def test_the_archive_is_stored_with_its_hash(aws: Aws, archive: Path) -> None:
    main(["upload", *STORED, str(archive)])
    assert on_s3(aws) == archive.read_bytes()
    (request,) = aws.requests("CreateMultipartUpload")
    assert request["ServerSideEncryption"] == "AES256"
    assert request["ChecksumAlgorithm"] == "SHA256"


def test_reviews_that_were_swapped_are_replaced_whatever_their_metadata_say(
    aws: Aws, archive: Path
) -> None:
    official = archive.read_bytes()
    swapped = official[:-9] + bytes(9)
    aws.client("s3").put_object(
        Bucket=BUCKET,
        Key=KEY,
        Body=swapped,
        ChecksumAlgorithm="SHA256",
        Metadata={"sha256": hashlib.sha256(official).hexdigest()},
    )
    main(["upload", *STORED, str(archive)])
    assert on_s3(aws) == official


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


def test_an_upload_that_breaks_off_is_one_clear_line_and_leaves_no_parts_behind(
    aws: Aws, archive: Path, error_of: Callable[..., str]
) -> None:
    aws.refusals["UploadPart"] = ("RequestTimeout", "The connection was closed.")
    assert "The connection was closed." in error_of("upload", *STORED, str(archive))
    assert "Uploads" not in aws.client("s3").list_multipart_uploads(Bucket=BUCKET)


def test_what_is_not_the_official_archive_is_not_sent(
    aws: Aws, tmp_path: Path, error_of: Callable[..., str]
) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"not an archive")
    assert "damaged or incomplete" in error_of("upload", *STORED, str(tmp_path / "x.tar.gz"))
    assert "no such file" in error_of("upload", *STORED, str(tmp_path / "none.tar.gz"))
    assert aws.changes() == []


def test_a_folder_is_not_sent(aws: Aws, tmp_path: Path, error_of: Callable[..., str]) -> None:
    message = error_of("upload", *STORED, str(tmp_path))
    assert message.endswith("is a folder; jobs read the archive itself, aclImdb_v1.tar.gz")
    assert aws.changes() == []


def test_a_dry_run_shows_the_upload(
    nowhere: None, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["upload", "--dry-run", str(archive)])
    cost, shown, _ = capsys.readouterr().out.splitlines()
    assert cost.startswith("cost: ")
    assert shown.startswith(f"s3.upload_file {archive} s3://BUCKET/{KEY}, 12,")
