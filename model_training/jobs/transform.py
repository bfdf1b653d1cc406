"""Score a file of reviews, of any size, by a batch transform job.

CSV with a column ``review``, or JSON Lines with a field ``review``; columns and fields besides come
back with the result. Neither the file nor the answers are ever in memory as a whole.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Any

from model_training.files import replacing
from model_training.jobs.cloud import Cloud, JobError, Place
from model_training.jobs.training import job_name
from review_text.transform import (
    ANSWERS,
    Transform,
    is_answer_to,
    make_request,
    pack_lines,
    write_line,
)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Read the rows of a file, one at a time.

    Raises:
        JobError: no such file, not UTF-8, or a row that cannot be read; it is named.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            is_csv = path.suffix.lower() == ".csv"
            for row in (_read_csv if is_csv else _read_json_lines)(path, file):
                taken = [name for name in ANSWERS if name in row]
                if taken:
                    raise JobError(f"{path}: the result brings {', '.join(taken)}: rename yours")
                yield row
    except OSError as error:
        raise JobError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise JobError(f"{path} is not UTF-8 at byte {error.start}") from error


def start_transform(cloud: Cloud, place: Place, path: Path, transform: Transform) -> str:
    """Bring the reviews to S3 and start the job; returns its name.

    Raises:
        JobError: the file cannot be read, or the job is refused.
    """
    name = job_name("score")
    parts = 0
    rows = enumerate(read_rows(path), 1)
    lines = (write_line(number, row["review"]) for number, row in rows)
    for parts, content in enumerate(pack_lines(lines), 1):
        key = place.key("transform", name, "in", f"part-{parts:05}.jsonl")
        cloud.change(
            "s3",
            "put_object",
            Bucket=place.bucket,
            Key=key,
            Body=content,
            ServerSideEncryption="AES256",
        )
    if not parts:
        raise JobError(f"{path} has no reviews")
    cloud.change("sagemaker", "create_transform_job", **transform_request(place, name, transform))
    return name


def join_results(cloud: Cloud, place: Place, name: str, path: Path, output: Path) -> int:
    """Write ``output``: the rows of ``path``, in order, each with its result; returns their number.

    CSV when ``output`` ends with .csv, else JSON Lines.

    Raises:
        JobError: the results are not those of this file.
    """
    answers = _read_answers(cloud, place, name)
    count = 0
    # JSON spells what UTF-8 cannot have (half a surrogate pair); CSV gets a question mark there.
    with (
        replacing(output) as part,
        part.open("w", encoding="utf-8", errors="replace", newline="") as file,
    ):
        writer: csv.DictWriter[str] | None = None
        for count, (row, answer) in enumerate(zip_longest(read_rows(path), answers), 1):
            if row is None or answer is None or not is_answer_to(answer, count, row["review"]):
                raise JobError(
                    f"the results of {name} do not belong to {path}, from row {count} on"
                )
            joined = row | {key: answer[key] for key in ANSWERS if key in answer}
            if output.suffix.lower() != ".csv":
                file.write(json.dumps(joined) + "\n")
                continue
            if writer is None:
                writer = csv.DictWriter(file, [*row, *ANSWERS], extrasaction="ignore")
                writer.writeheader()
            writer.writerow(joined)
    return count


def _read_csv(path: Path, file: Iterable[str]) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(sys.maxsize)  # the endpoint says which reviews are too long, row by row
    reader = csv.DictReader(file, strict=True)
    if "review" not in (reader.fieldnames or ()):
        raise JobError(f'{path} has no column "review" in its first line')
    try:
        for row in reader:
            if None in row or None in row.values():
                raise JobError(
                    f"{path}, line {reader.line_num}: not as many columns as the first line has"
                )
            yield row
    except csv.Error as error:
        raise JobError(f"{path}, after line {reader.line_num}: {error}") from error


def _read_json_lines(path: Path, file: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("review"), str):
            raise JobError(f'{path}, line {number}: not a JSON object with a string "review"')
        yield row


def transform_request(place: Place, name: str, transform: Transform) -> dict[str, Any]:
    """Make the request for a job of that name, whose reviews are on S3 already."""
    source, target = (place.uri("transform", name, *end) for end in (("in", ""), ("out",)))
    return make_request(name, source, target, transform)


def _read_answers(cloud: Cloud, place: Place, name: str) -> Iterator[dict[str, Any]]:
    folder = place.key("transform", name, "out", "")
    objects = cloud.pages("s3", "list_objects_v2", "Contents", Bucket=place.bucket, Prefix=folder)
    keys = sorted(entry["Key"] for entry in objects)
    for key in keys:
        body = cloud.read("s3", "get_object", Bucket=place.bucket, Key=key)["Body"]
        with closing(body):
            yield from (json.loads(line) for line in body.iter_lines() if line.strip())
