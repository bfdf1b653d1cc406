"""Jobs whose command is killed at any request to AWS or operation on a file, and given again."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reliability import killing
from tests.reliability.aws_server import BUCKET, AwsServer, Request, aws_server
from tests.reliability.killing import Moment, moments_of
from tests.reliability.programs import jobs_small
from tests.small_corpus import write_archive

pytestmark = pytest.mark.timeout(1200)  # seconds: a hundred starts of a program

KILLED = -9

killing.preload("tests.reliability.programs")


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with aws_server(work_off) as server:
        yield server


def work_off(s3: Any, request: dict[str, Any]) -> None:
    """What batch transform does, with a model that says how long each review is."""
    prefix = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"].split("/", 3)[3]
    output = request["TransformOutput"]["S3OutputPath"].split("/", 3)[3]
    for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]:
        body = s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
        rows = map(json.loads, body.splitlines())
        answers = [{"id": row["id"], "logit": len(row["review"])} for row in rows]
        key = f"{output}/{entry['Key'].rpartition('/')[2]}.out"
        s3.put_object(Bucket=BUCKET, Key=key, Body="\n".join(map(json.dumps, answers)))


def run(
    aws: AwsServer, folder: Path, *arguments: str, at: Request | Moment | None = None
) -> int | None:
    """The command's exit code."""
    aws.watch(at if isinstance(at, Request) else None)
    moment = at if isinstance(at, Moment) else None
    command, *rest = arguments
    whole = [command, "--bucket", BUCKET, "--yes", *rest]
    with aws.lock:  # it is not answered before it can be killed
        process = killing.start(jobs_small, whole, folder, moment, aws.environment())
        aws.kill = process.kill
    process.join()
    return process.exitcode


def all_requests(aws: AwsServer) -> list[Request]:
    """Both moments of each request that a program has just made undisturbed."""
    return [Request(n, done) for n in range(1, aws.asked + 1) for done in (False, True)]


def test_a_transform_that_is_killed_anywhere_gives_the_same_file_when_run_again(
    aws: AwsServer, tmp_path: Path
) -> None:
    reviews, output = tmp_path / "reviews.jsonl", tmp_path / "scored.jsonl"
    rows = [{"review": "film " * length} for length in range(1, 60)]
    reviews.write_text("\n".join(map(json.dumps, rows)))
    command = ("transform", str(reviews), "--model-name", "M", "--output", str(output))
    assert run(aws, tmp_path, *command) == 0
    expected = output.read_bytes()
    assert len(expected.splitlines()) == len(rows)
    moments: list[Request | Moment] = [*all_requests(aws), *moments_of(tmp_path)]
    for moment in moments:
        output.unlink()
        assert run(aws, tmp_path, *command, at=moment) == KILLED, moment
        assert not output.exists() or output.read_bytes() == expected, moment
        output.unlink(missing_ok=True)
        assert run(aws, tmp_path, *command) == 0, moment
        assert output.read_bytes() == expected, moment


def test_the_results_of_a_job_whose_command_was_killed_can_be_fetched(
    aws: AwsServer, tmp_path: Path
) -> None:
    reviews, output = tmp_path / "reviews.csv", tmp_path / "scored.csv"
    reviews.write_text("review\nA film.\nA better film.\n")
    command = ("transform", str(reviews), "--model-name", "M", "--output", str(output))
    assert run(aws, tmp_path, *command) == 0
    expected = output.read_bytes()
    output.unlink()
    started = aws.carried_out.index("SageMaker.CreateTransformJob") + 1
    assert run(aws, tmp_path, *command, at=Request(started, carried_out=True)) == KILLED
    [key] = {path.split("/")[4] for path in aws.carried_out if "/in/" in path}
    assert run(aws, tmp_path, *command, "--job", key) == 0
    assert "SageMaker.CreateTransformJob" not in aws.carried_out
    assert output.read_bytes() == expected


def test_an_upload_that_is_killed_at_any_request_is_whole_when_it_is_made_again(
    aws: AwsServer, tmp_path: Path
) -> None:
    noise = random.Random(0).randbytes(10 * 1024**2)  # sent in parts
    archive = write_archive(
        tmp_path / "aclImdb_v1.tar.gz", lambda files: files.update({"aclImdb/README": noise})
    )

    def upload(prefix: str, at: Request | None = None) -> int | None:
        return run(aws, tmp_path, "upload", str(archive), "--prefix", prefix, at=at)

    assert upload("undisturbed") == 0
    for number, moment in enumerate(all_requests(aws)):
        assert upload(str(number), moment) == KILLED, moment
        assert upload(str(number)) == 0, moment
        key = f"{number}/data/aclImdb_v1.tar.gz"
        assert aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == archive.read_bytes()
