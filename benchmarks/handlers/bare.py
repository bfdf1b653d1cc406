"""A function that does nothing but make a boto3 client: what a cold start is compared with."""

from __future__ import annotations

from typing import Any

import boto3

client = boto3.client("sagemaker-runtime")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer at once."""
    return {"statusCode": 200, "body": "1"}
