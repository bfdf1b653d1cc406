"""Jobs whose command is killed at any request to AWS or operation on a file, and given again."""

from __future__ import annotations

import contextlib
import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, HTTPHeaders
from moto import mock_aws
from moto.core.models import botocore_stubber

from tests.reliability import killing
from tests.reliability.killing import Moment, jobs_small, moments_of
from tests.servers import Quiet, handled
from tests.small_corpus import write_archive
from tests.transform import work_off

REGION = "us-east-1"
BUCKET = "our-bucket"


@dataclass(frozen=True)
class Request:
    """The moment of a request at which the program that sent it is killed."""

    number: int
    """From 1 on."""
    carried_out: bool


@dataclass
class AwsServer:
    """What was asked, and who is to be killed when."""

    s3: Any
    """A client for tests."""
    transform: Callable[[dict[str, Any]], None]
    url: str = ""
    carried_out: list[str] = field(default_factory=list)
    """Operations, such as "PUT /our-bucket/key" or "SageMaker.CreateTransformJob"."""
    asked: int = 0
    killed_at: Request | None = None
    kill: Callable[[], None] = lambda: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def environment(self) -> dict[str, str]:
        """With which a program finds this AWS and no other."""
        keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        return keys | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def watch(self, moment: Request | None) -> None:
        """Begin to count anew, for a program that ``kill`` kills at that moment."""
        self.asked, self.killed_at = 0, moment
        self.carried_out.clear()

    def answer(self, method: str, path: str, headers: HTTPHeaders, body: bytes) -> Any:
        """Status, headers and body; None where nobody is there any more to read them."""
        self.asked += 1
        moment = self.killed_at if self.killed_at and self.killed_at.number == self.asked else None
        if moment and not moment.carried_out:
            self.kill()
            return None
        target = headers.get("X-Amz-Target", "")
        host = "api.sagemaker" if target else "s3"
        request = AWSPreparedRequest(
            method, f"https://{host}.{REGION}.amazonaws.com{path}", headers, body, False
        )
        answer = botocore_stubber.process_request(request)
        self.carried_out.append(target or f"{method} {path}")
        if target == "SageMaker.CreateTransformJob":
            self.transform(json.loads(body))
        if moment:
            self.kill()
            return None
        return answer


@contextlib.contextmanager
def aws_server(transform: Callable[[Any, dict[str, Any]], None]) -> Iterator[AwsServer]:
    """AWS, while the block runs. ``transform`` takes a client for S3 and a job's request."""
    with mock_aws():
        s3 = boto3.client("s3", REGION)
        s3.create_bucket(Bucket=BUCKET)
        aws = AwsServer(s3, lambda request: transform(s3, request))
        with handled(_handler(aws)) as aws.url:
            yield aws


def _handler(aws: AwsServer) -> type[BaseHTTPRequestHandler]:
    class Handler(Quiet):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            headers = HTTPHeaders()
            for name, value in self.headers.items():
                headers[name] = value
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with aws.lock:
                answer = aws.answer(self.command, self.path, headers, body)
            if answer is None:
                self.close_connection = True
                return
            status, given, content = answer
            content = content.encode() if isinstance(content, str) else content
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                for name, value in given.items():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, str(value))
                known = {name.lower(): value for name, value in given.items()}
                length = known.get("content-length") if self.command == "HEAD" else len(content)
                self.send_header("Content-Length", str(length or 0))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

    return Handler


pytestmark = pytest.mark.timeout(1200)  # seconds: a hundred starts of a program

KILLED = -9


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with aws_server(lambda s3, job: work_off(s3, job, answer)) as server:
        yield server


def answer(body: bytes) -> str:
    """What a model says that knows how long each review is."""
    rows = map(json.loads, body.splitlines())
    answers = [{"id": row["id"], "logit": len(row["review"])} for row in rows]
    return "\n".join(map(json.dumps, answers))


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
