"""Large files: scored by a batch transform job, which SageMaker spreads over machines.

    reeltone-jobs/<file and model>/in/00001.transform          what the job is sent
                                   upload.transform            whose that is; written after it
                                   out-1/00001.transform.out   what the first job answered

A file and a model have jobs of their own name, numbered by the attempt, and a name can be used
once: so no two runs of the function start the same job. How far a file is, SageMaker is asked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import count
from typing import Any

from botocore import exceptions as aws

from errors import CallerError, ServiceError
from review_text.predict import check_review
from review_text.tables import Row, Table
from review_text.transform import (
    Transform,
    is_answer_to,
    make_request,
    pack_lines,
    write_line,
)
from score import Answered, refuse
from storage import NewFile, find, load_client, read_file, read_lines

FOLDER = "reeltone-jobs"
MAX_ROWS = 4_000_000
"""Rows of a file. The function reads and writes as many in two minutes."""
INSTANCE = "ml.c5.xlarge"
BYTES_A_MACHINE = 500_000_000
"""Bytes of a file for each machine: some 380,000 reviews of usual length."""
TRIES = 3
"""Jobs that a file gets before somebody is told."""


class JobFailedError(ServiceError):
    """The job that was to score a file did not, as often as it is tried."""


class TooManyRowsError(Exception):
    """The file has more rows than the function can read in its time."""


class WrongAnswersError(ServiceError):
    """What a job answered is not what it was asked."""


@dataclass(frozen=True)
class Work:
    """The jobs of one file and model."""

    bucket: str
    key: str
    made_of: dict[str, str]

    @cached_property
    def name(self) -> str:
        """What the names of its jobs begin with; the stack hears of no others."""
        stack = os.environ["STACK_ID"].rpartition("/")[2].partition("-")[0]
        content = json.dumps([self.bucket, self.key, self.made_of], sort_keys=True)
        return f"reeltone-{stack}-upload-{sha256(content.encode()).hexdigest()[:16]}"

    @property
    def folder(self) -> str:
        """Where its files are."""
        return f"{FOLDER}/{self.name}"

    @property
    def record(self) -> str:
        """The file that says whose these are, once all that a job is sent is there."""
        return f"{self.folder}/upload.transform"

    def find_last(self) -> tuple[int, str]:
        """Find the last job's number and status; 0 and nothing where there is none yet."""
        found = (0, "")
        for number in count(1):
            try:
                job = load_client("sagemaker").describe_transform_job(
                    TransformJobName=f"{self.name}-{number}"
                )
            except aws.ClientError as error:
                if error.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound"):
                    break
                raise
            found = (number, job["TransformJobStatus"])
        return found

    def send(self, table: Table) -> int:
        """Put what a job is sent on S3; gives the number of reviews.

        Raises:
            TooManyRowsError: the file has more than ``MAX_ROWS`` rows.
        """
        sent = 0

        def lines() -> Iterator[bytes]:
            nonlocal sent
            for number, row in enumerate(table.rows(), 1):
                if number > MAX_ROWS:
                    raise TooManyRowsError
                if not find_problem(row):
                    sent += 1
                    yield write_line(number, row.review)

        for number, part in enumerate(pack_lines(lines()), 1):
            self._put(f"{self.folder}/in/{number:05}.transform", part)
        record = {"key": self.key, "reviews": sent}
        self._put(self.record, json.dumps(record).encode())
        return sent

    def start(self, number: int, size: int) -> None:
        """Start a job, unless that was done already; ``size``: bytes of the file."""
        machines = 1 + size // BYTES_A_MACHINE
        transform = Transform(os.environ["TRANSFORM_MODEL"], INSTANCE, machines)
        place = f"s3://{self.bucket}/{self.folder}"
        request = make_request(
            f"{self.name}-{number}", f"{place}/in/", f"{place}/out-{number}", transform
        )
        try:
            load_client("sagemaker").create_transform_job(**request)
        except aws.ClientError as error:
            if error.response["Error"]["Code"] != "ResourceInUse":
                raise

    def join(self, table: Table, number: int) -> Answered:
        """Give each row with its answer.

        Raises:
            WrongAnswersError: they are not the answers to this file.
        """
        answers = read_lines(self.bucket, f"{self.folder}/out-{number}/")
        for at, row in enumerate(table.rows(), 1):
            if problem := find_problem(row):
                yield row, {"problem": problem}
                continue
            answer = json.loads(next(answers, b"{}"))
            if not is_answer_to(answer, at, row.review):
                raise WrongAnswersError(f"{self.name}-{number} has no answer to row {at}")
            yield row, answer | {"problem": answer.get("error", "")}
        if next(answers, None) is not None:
            raise WrongAnswersError(f"{self.name}-{number} has answers to no row")

    def _put(self, key: str, content: bytes) -> None:
        file = NewFile(self.bucket, key, "application/jsonlines", {})
        file.write(content)
        file.close()


def find_problem(row: Row) -> str:
    """Say why a row is not sent; empty where it is."""
    if problem := refuse(row):
        return problem["problem"]
    try:
        check_review(row.review)
    except CallerError as error:
        return str(error)
    return ""


def find_upload(detail: dict[str, Any]) -> tuple[str, str] | None:
    """Find bucket and key of the file that an event's job is about; None: nothing is left of it."""
    target = detail["TransformOutput"]["S3OutputPath"].removeprefix("s3://")
    bucket, _, folder = target.partition("/")
    record = f"{folder.rpartition('/')[0]}/upload.transform"
    if find(bucket, record) is None:
        return None
    return bucket, json.loads(read_file(bucket, record))["key"]
