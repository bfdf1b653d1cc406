"""Score a file of reviews, of any size, by a batch transform job.

CSV with a column ``review``, or JSON Lines with a field ``review``; columns and fields besides come
back with the result. Neither the file nor the answers are ever in memory as a whole.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from model_training.files import replacing
from model_training.jobs.cloud import Cloud, JobError, Place
from model_training.jobs.prices import cores_of
from model_training.jobs.training import TAGS, job_name

PART = 32 * 1024**2
"""Bytes of an object on S3; several machines share the job by objects."""
MAX_CHARACTERS = 20_000
"""Characters of a review, as serving has it, which needs onnxruntime to be imported."""
PAYLOAD_MB = 1
"""Of a request to the model; some 700 reviews, which take a few seconds, where the container's
server gives 60."""
MAX_CONCURRENT = 100
"""Requests to one container at a time, at most: SageMaker takes 100 MB of them together."""
_ANSWERS = ("sentiment", "probability", "logit", "truncated", "error")
_CONTENT = "application/jsonlines"


@dataclass(frozen=True)
class Transform:
    """How a file is scored."""

    model: str
    """A SageMaker Model's name."""
    instance_type: str
    instances: int


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, one at a time.

    Raises:
        JobError: no such file, not UTF-8, or a row that cannot be read; it is named.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            is_csv = path.suffix.lower() == ".csv"
            for row in (_read_csv if is_csv else _read_json_lines)(path, file):
                taken = [name for name in _ANSWERS if name in row]
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
    for parts, content in enumerate(_parts(read_rows(path)), 1):
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
            if row is None or answer is None or answer.get("id") != _row_id(count, row):
                raise JobError(
                    f"the results of {name} do not belong to {path}, from row {count} on"
                )
            joined = row | {key: answer[key] for key in _ANSWERS if key in answer}
            if output.suffix.lower() != ".csv":
                file.write(json.dumps(joined) + "\n")
                continue
            if writer is None:
                writer = csv.DictWriter(file, [*row, *_ANSWERS], extrasaction="ignore")
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


def _parts(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """The requests to the model, as JSON Lines of at most ``PART`` bytes and a line."""
    part = bytearray()
    for number, row in enumerate(rows, 1):
        part += write_line(number, row)
        if len(part) >= PART:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)


def write_line(number: int, row: dict[str, Any]) -> bytes:
    """What is sent to the model of a file's row; ``number`` counts from 1."""
    # One character too many is enough for the model to refuse a review that is too long.
    review = row["review"][: MAX_CHARACTERS + 1]
    return json.dumps({"id": _row_id(number, row), "review": review}).encode() + b"\n"


def _row_id(number: int, row: dict[str, Any]) -> str:
    """What an answer is known by: the row's number, and which review it had there."""
    # A lone surrogate, which JSON can spell, has no UTF-8.
    review = row["review"].encode(errors="surrogatepass")
    return f"{number}:{hashlib.sha256(review).hexdigest()[:8]}"


def transform_request(place: Place, name: str, transform: Transform) -> dict[str, Any]:
    """Make the request for a job of that name, whose reviews are on S3 already."""
    cores = cores_of(transform.instance_type)
    return {
        "TransformJobName": name,
        "ModelName": transform.model,
        "MaxConcurrentTransforms": min(cores, MAX_CONCURRENT),
        "MaxPayloadInMB": PAYLOAD_MB,
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": place.uri("transform", name, "in", ""),
                }
            },
            "ContentType": _CONTENT,
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": place.uri("transform", name, "out"),
            "Accept": _CONTENT,
            "AssembleWith": "Line",
        },
        # The Model of a serverless endpoint asks for one worker. Here each core has one.
        "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": str(cores)},
        "TransformResources": {
            "InstanceType": transform.instance_type,
            "InstanceCount": transform.instances,
        },
        "Tags": TAGS,
    }


def _read_answers(cloud: Cloud, place: Place, name: str) -> Iterator[dict[str, Any]]:
    folder = place.key("transform", name, "out", "")
    objects = cloud.pages("s3", "list_objects_v2", "Contents", Bucket=place.bucket, Prefix=folder)
    keys = sorted(entry["Key"] for entry in objects)
    for key in keys:
        body = cloud.read("s3", "get_object", Bucket=place.bucket, Key=key)["Body"]
        with closing(body):
            yield from (json.loads(line) for line in body.iter_lines() if line.strip())
