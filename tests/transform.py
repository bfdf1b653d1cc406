"""Batch transform for tests: what SageMaker does with a job of ours, on moto's S3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from model_training.serving.functions import JSON_LINES, input_fn, output_fn, predict_fn
from model_training.serving.scorer import Model


def answer_lines(model: Model, body: bytes) -> str:
    """What the model's container answers to lines of reviews."""
    answer: str = output_fn(predict_fn(input_fn(body, JSON_LINES), model), "")[0]
    return answer


def work_off(s3: Any, job: dict[str, Any], answer: Callable[[bytes], str]) -> None:
    """Write an .out for each object of a job, a request's or a description's."""
    assert job["TransformInput"]["ContentType"] == JSON_LINES
    source = job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    bucket, prefix = source.removeprefix("s3://").split("/", 1)
    output = job["TransformOutput"]["S3OutputPath"].removeprefix(f"s3://{bucket}/")
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
        body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        key = f"{output}/{entry['Key'].rpartition('/')[2]}.out"
        s3.put_object(Bucket=bucket, Key=key, Body=answer(body).encode())
