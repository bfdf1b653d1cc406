"""Scores each file that comes into the upload bucket, and writes the result beside it.

    reviews.csv   →   reviews.scored.csv   its rows with their sentiments
                      reviews.report.csv   the rows that could not be read; written last

A queue brings one file at a time, at least once, and news of the jobs that score large ones. What a
file becomes depends on the file and the model alone, and the report says of which two it is: a
file that comes again is known by it, and one that was cut off anywhere is scored anew, over what
there was.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from batch import (
    MAX_ROWS,
    TRIES,
    JobFailedError,
    TooManyRowsError,
    Work,
    find_upload,
)
from endpoint import load_endpoint
from errors import ServiceError, find_problem
from review_text.encodings import find_encoding
from review_text.errors import TableError, say
from review_text.predict import predict, read_reviews
from review_text.tables import Table
from score import Answered, Outcome, Sheet, ask_all, write_rows
from settings import load_settings
from storage import Found, NewFile, find, open_file
from telemetry import logger, note_error

DIRECT_BYTES = 16_000_000
"""Bytes of a file that the function scores itself. Its 12,000 reviews of usual length take minutes;
the function has 15."""
MAX_BYTES = 2_000_000_000
"""Bytes of a file that a job scores. The function reads all of it twice within its time."""

OURS = (".scored.csv", ".report.csv", ".transform", ".transform.out")
"""How the names of what is written end; such files are not read."""

PATIENCE = 12
"""Times that a model that wakes up or is busy is asked again, seconds apart."""


class UploadError(Exception):
    """A file could not be scored; the log line says why. The queue brings it again."""


@dataclass(frozen=True)
class Upload:
    """A file to score, as it was found."""

    bucket: str
    key: str
    found: Found
    made_of: dict[str, str]


@dataclass(frozen=True)
class News:
    """What a message says of a job."""

    job: str
    is_first: bool
    """Whether the queue brings it for the first time."""


@logger.inject_lambda_context(clear_state=True, log_event=False)
def handler(event: dict[str, Any], _: Any) -> None:
    """Score the files that a message of the queue names.

    Raises:
        UploadError: one could not be scored.
    """
    for record in event["Records"]:
        started = perf_counter()
        try:
            outcome = take(record)
        except Exception as error:
            note_error(error, "upload-failed")
            logger.error("upload", milliseconds=_since(started))
            # Not from the error itself, whose message might quote a review.
            raise UploadError("the upload could not be scored") from None
        logger.info("upload", outcome=outcome, milliseconds=_since(started))


def take(record: dict[str, Any]) -> str:
    """Do what a message asks for; returns what was done."""
    detail = json.loads(record["body"])["detail"]
    if "TransformJobName" not in detail:
        return process(detail["bucket"]["name"], detail["object"]["key"])
    place = find_upload(detail)
    if place is None:
        return "gone"
    is_first = record["attributes"]["ApproximateReceiveCount"] == "1"
    return process(*place, News(detail["TransformJobName"], is_first))


def process(bucket: str, key: str, news: News | None = None) -> str:
    """Score one file, unless that was done already; returns what was done."""
    if key.endswith(OURS):
        return "ours"
    found = find(bucket, key)
    if found is None:
        return "gone"
    made_of = {"source": found["ETag"].strip('"'), "model": load_settings().model_version}
    former = find(bucket, name_results(key)[1])
    if former is not None and former["Metadata"] == made_of:
        return "done before"
    upload = Upload(bucket, key, found, made_of)
    size = found["ContentLength"]
    if size > MAX_BYTES:
        return _refuse(upload, f"This file is larger than {MAX_BYTES // 10**9} GB. Split it.")
    if size > DIRECT_BYTES:
        return _advance(upload, former, news)
    return _score(upload, lambda table: ask_all(table, ask))


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


def _advance(upload: Upload, former: Found | None, news: News | None) -> str:
    """Take a large file a step further, whichever it is at.

    Raises:
        JobFailedError: its jobs failed; the report says so, too.
    """
    work = Work(upload.bucket, upload.key, upload.made_of)
    number, status = work.find_last()
    if status in ("InProgress", "Stopping"):
        return "under way"
    is_sent = find(upload.bucket, work.record) is not None
    if status == "Completed" and is_sent:
        return _score(upload, lambda table: work.join(table, number))
    if news is not None and number:
        job = f"{work.name}-{number}"
        is_told = former is not None and former["Metadata"].get("job") == job
        if news.job != job:
            return "old news"
        if status == "Stopped":
            _tell(upload, f"The job that was to score this file was stopped: {job}.", job)
            return "stopped"
        # Told already and new in the queue: it is back from the dead letters, to be done again.
        if not number % TRIES and not (is_told and news.is_first):
            _tell(upload, f"The job that was to score this file failed: {job}.", job)
            raise JobFailedError(f"{job} is {status}; SageMaker says why")
    return _start(upload, work, number + 1, is_sent)


def _start(upload: Upload, work: Work, number: int, is_sent: bool) -> str:
    if not is_sent:
        try:
            with open_file(upload.bucket, upload.key, upload.found) as file:
                sent = work.send(Table(find_encoding(file).open(file)))
        except TableError as error:
            return _refuse(upload, say("files", error.refusal))
        except TooManyRowsError:
            return _refuse(upload, f"This file has more than {MAX_ROWS:,} rows. Split it.")
        if not sent:
            return _score(upload, lambda table: work.join(table, number))
    work.start(number, upload.found["ContentLength"])
    return "started"


def _score(upload: Upload, answer: Callable[[Table], Answered]) -> str:
    """Write the results of a file."""
    report = _begin_report(upload, upload.made_of)
    scored = _begin(upload, 0, upload.made_of)
    with open_file(upload.bucket, upload.key, upload.found) as file:
        try:
            encoding = find_encoding(file)
            table = Table(encoding.open(file))
        except TableError as error:
            return _refuse(upload, say("files", error.refusal))
        if encoding.notice:
            report.add(["", encoding.notice])
        count = write_rows(table, answer(table), scored, report)
    logger.append_keys(rows=count.rows, problems=count.problems)
    report.close()
    return "scored"


def _refuse(upload: Upload, words: str) -> str:
    _tell(upload, words)
    logger.append_keys(rows=0, problems=1)
    return "refused"


def _tell(upload: Upload, words: str, job: str = "") -> None:
    """Say in the report why a file has no result; ``job``: one that may yet be done again."""
    report = _begin_report(upload, upload.made_of | {"job": job} if job else upload.made_of)
    report.add(["", words])
    report.close()


def _begin_report(upload: Upload, made_of: dict[str, str]) -> Sheet:
    return Sheet(_begin(upload, 1, made_of), ["line", "problem"])


def _begin(upload: Upload, which: int, made_of: dict[str, str]) -> NewFile:
    name = name_results(upload.key)[which]
    return NewFile(upload.bucket, name, "text/csv; charset=utf-8", made_of)


def _since(started: float) -> float:
    return round((perf_counter() - started) * 1000, 1)
