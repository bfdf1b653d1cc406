"""Functions to compare with. Both make their client once; the published code makes one for every
request, so this is in its favour."""

from __future__ import annotations

import os
from typing import Any

import boto3

runtime = boto3.client("sagemaker-runtime")


def bare(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer at once: what a cold start is compared with."""
    return {"statusCode": 200, "body": "1"}


def usual(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Hand the review to the endpoint as it is, and the answer back."""
    response = runtime.invoke_endpoint(
        EndpointName=os.environ["ENDPOINT_NAME"], ContentType="text/plain", Body=event["body"]
    )
    result = response["Body"].read().decode("utf-8")
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "*"},
        "body": result,
    }
