"""A batch transform of SageMaker's: what it is sent, the job, and which answer is whose.

    {"id": "7:0f3c5a9e", "review": "Not bad at all."}

A line's id is its row's number and which review that row had; the answer repeats it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_text.predict import MAX_CHARACTERS

PART = 32 * 1024**2
"""Bytes of an object on S3; several machines share the job by objects."""
PAYLOAD_MB = 1
"""Megabytes of a request to the model; some 700 reviews, which take a few seconds, where the
container's server gives 60."""
MAX_CONCURRENT = 100
"""Requests to one container at a time, at most: SageMaker takes 100 MB of them together."""
CONTENT_TYPE = "application/jsonlines"
ANSWERS = ("sentiment", "probability", "logit", "verdict", "truncated", "error")
"""What a line's answer may have besides its id."""


@dataclass(frozen=True)
class Transform:
    """What scores a file."""

    model: str
    """A SageMaker Model's name."""
    instance_type: str
    instances: int


def write_line(number: int, review: str) -> bytes:
    """Write what is sent of a file's row; ``number`` counts from 1."""
    # One character too many is enough for the model to refuse a review that is too long.
    content = {"id": _identify(number, review), "review": review[: MAX_CHARACTERS + 1]}
    return json.dumps(content).encode() + b"\n"


def pack_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Gather lines in objects of at most ``PART`` bytes and a line."""
    part = bytearray()
    for line in lines:
        part += line
        if len(part) >= PART:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)


def is_answer_to(answer: Mapping[str, Any], number: int, review: str) -> bool:
    """Tell whether an answer is that of a file's row."""
    return bool(answer.get("id") == _identify(number, review))


def make_request(name: str, source: str, target: str, transform: Transform) -> dict[str, Any]:
    """Make the request for a job whose reviews are on S3 already, in all objects whose addresses
    begin with ``source``; the answers will be below ``target``."""
    cores = count_cores(transform.instance_type)
    return {
        "TransformJobName": name,
        "ModelName": transform.model,
        "MaxConcurrentTransforms": min(cores, MAX_CONCURRENT),
        "MaxPayloadInMB": PAYLOAD_MB,
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            "ContentType": CONTENT_TYPE,
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": target,
            "Accept": CONTENT_TYPE,
            "AssembleWith": "Line",
        },
        # The Model of a serverless endpoint asks for one worker. Here each core has one.
        "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": str(cores)},
        "TransformResources": {
            "InstanceType": transform.instance_type,
            "InstanceCount": transform.instances,
        },
        "Tags": [{"Key": "project", "Value": "reeltone"}],
    }


def count_cores(instance_type: str) -> int:
    """Count a type's virtual processors: 2 of size large, 4 times as many as its xlarges."""
    size = instance_type.rpartition(".")[2]
    times = re.fullmatch(r"(\d*)xlarge", size)
    return 4 * int(times[1] or 1) if times else 2


def _identify(number: int, review: str) -> str:
    # A lone surrogate, which JSON can spell, has no UTF-8.
    return f"{number}:{hashlib.sha256(review.encode(errors='surrogatepass')).hexdigest()[:8]}"
