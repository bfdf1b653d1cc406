"""Scores each file that comes into the upload bucket, and writes the result beside it.

    reviews.csv   →   reviews.scored.csv   its rows with their sentiments
                      reviews.report.csv   the rows that could not be read; written last

A queue brings one file at a time, at least once. What a file becomes depends on the file and the
model alone, and the report says of which two it is: a file that comes again is known by it, and one
that was cut off anywhere is scored anew, over what there was.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import cache
from time import perf_counter
from typing import Any

from botocore import exceptions as aws
from botocore.config import Config
from botocore.session import get_session

from endpoint import load_endpoint
from errors import ServiceError, find_problem
from review_text.predict import predict, read_reviews
from score import Outcome, Scored, score_file
from settings import load_settings
from telemetry import logger, note_error

MAX_BYTES = 16_000_000
"""Bytes of a file. Its 12,000 reviews of usual length take minutes; the function has 15."""

OURS = (".scored.csv", ".report.csv")
"""How the names of what is written end; such files are not read."""

PATIENCE = 12
"""Times that a model that wakes up or is busy is asked again, seconds apart."""


class UploadError(Exception):
    """A file could not be scored; the log line says why. The queue brings it again."""


@cache
def load_storage() -> Any:
    """Make the client for S3."""
    return get_session().create_client("s3", config=Config(retries={"mode": "standard"}))


@logger.inject_lambda_context(clear_state=True, log_event=False)
def handler(event: dict[str, Any], _: Any) -> None:
    """Score the files that a message of the queue names.

    Raises:
        UploadError: one could not be scored.
    """
    for record in event["Records"]:
        detail = json.loads(record["body"])["detail"]
        bucket, key = detail["bucket"]["name"], detail["object"]["key"]
        started = perf_counter()
        try:
            outcome = process(bucket, key)
        except Exception as error:
            note_error(error, "upload-failed")
            logger.error("upload", milliseconds=_since(started))
            # Not from the error itself, whose message might quote a review.
            raise UploadError("the upload could not be scored") from None
        logger.info("upload", outcome=outcome, milliseconds=_since(started))


def process(bucket: str, key: str) -> str:
    """Score one file, unless that was done already; returns what was done."""
    if key.endswith(OURS):
        return "ours"
    found = _find(bucket, key)
    if found is None:
        return "gone"
    table, report = name_results(key)
    made_of = {"source": found["ETag"].strip('"'), "model": load_settings().model_version}
    former = _find(bucket, report)
    if former is not None and former["Metadata"] == made_of:
        return "done before"
    scored = _score(bucket, key, found)
    logger.append_keys(rows=scored.rows, problems=scored.problems)
    if scored.table is not None:
        _put(bucket, table, scored.table, made_of)
    _put(bucket, report, scored.report, made_of)
    return "scored" if scored.table is not None else "refused"


def name_results(key: str) -> tuple[str, str]:
    """Name the table and the report that belong to a file."""
    stem = key.removesuffix(".csv")
    return f"{stem}{OURS[0]}", f"{stem}{OURS[1]}"


def ask(reviews: list[str]) -> Sequence[Outcome]:
    """Give a prediction or an error for each review; wait for a model that wakes up or is busy.

    Raises:
        ServiceError: the endpoint gave no usable answer.
    """
    settings = load_settings()
    read = read_reviews(reviews, settings.vocabulary)
    for left in reversed(range(PATIENCE)):
        try:
            return predict(read, load_endpoint(), settings.rule, explain=False)
        except ServiceError as error:
            seconds = find_problem(error).retry_after
            if seconds is None or not left:
                raise
            time.sleep(seconds)
    raise AssertionError("the last time raises")


def _score(bucket: str, key: str, found: dict[str, Any]) -> Scored:
    if found["ContentLength"] > MAX_BYTES:
        text = f"This file is larger than {MAX_BYTES // 10**6} MB. Split it."
        return Scored(None, f"line,problem\r\n,{text}\r\n".encode("utf-8-sig"), 0, 1)
    # Another file of that name meanwhile is an error here, and brings a message of its own.
    answer = load_storage().get_object(Bucket=bucket, Key=key, IfMatch=found["ETag"])
    return score_file(answer["Body"].read(), ask)


def _find(bucket: str, key: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = load_storage().head_object(Bucket=bucket, Key=key)
    except aws.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    return found


def _put(bucket: str, key: str, content: bytes, made_of: dict[str, str]) -> None:
    load_storage().put_object(
        Bucket=bucket,
        Key=key,
        Body=content,
        ContentType="text/csv; charset=utf-8",
        Metadata=made_of,
    )


def _since(started: float) -> float:
    return round((perf_counter() - started) * 1000, 1)
