"""The usual function: it hands the review to the endpoint as it is, and the answer back."""

from __future__ import annotations

import os
from typing import Any

import boto3

# The published code makes one for every request; this is in its favour.
runtime = boto3.client("sagemaker-runtime")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Ask the endpoint."""
    response = runtime.invoke_endpoint(
        EndpointName=os.environ["ENDPOINT_NAME"], ContentType="text/plain", Body=event["body"]
    )
    result = response["Body"].read().decode("utf-8")
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "*"},
        "body": result,
    }
