"""The stack that this function belongs to, and what CloudFormation is doing with it.

An event is no proof of who sent it: whoever may invoke the function can make one up. So the buckets
are those of the function's environment, and what an event asks for must be what CloudFormation is
doing with the stack at that moment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import boto3
from botocore import exceptions as aws
from botocore.config import Config

from faults import RequestError, StackError

# Seconds for each network operation.
_CLIENT = Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4}
)


@dataclass(frozen=True)
class Stack:
    """What the template tells the function of its surroundings."""

    stack_id: str
    """An ARN."""
    site_bucket: str
    model_bucket: str

    @property
    def region(self) -> str:
        """Where the stack is, and so the bucket that CloudFormation waits for answers at."""
        return self.stack_id.split(":")[3]


def read_stack(environ: Mapping[str, str]) -> Stack:
    """Read the stack that the environment names.

    Raises:
        KeyError: a variable is missing, which the template's tests rule out.
    """
    return Stack(environ["STACK_ID"], environ["SITE_BUCKET"], environ["MODEL_BUCKET"])


def is_answer_address(url: str, region: str) -> bool:
    """Say whether CloudFormation takes answers there, in this region.

    Source: AWS CloudFormation User Guide, "Access CloudFormation using an interface endpoint",
    which names the bucket; S3 has several spellings of a bucket's host.
    """
    bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
    host = rf"{bucket}[.]s3(?:[.-](?:dualstack[.])?{region})?[.]amazonaws[.]com"
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and re.fullmatch(host, parts.netloc) is not None


def check_request(stack: Stack, stack_id: str, request_type: str) -> None:
    """Check that the stack is this function's, and at what it is asked to do.

    Raises:
        RequestError: it is another stack's request, or one that CloudFormation cannot have sent.
        StackError: CloudFormation does not say what the stack is at.
    """
    if stack_id != stack.stack_id:
        raise RequestError(f"StackId = {stack_id!r:.200}; this publisher is of {stack.stack_id}")
    status = read_status(stack.stack_id)
    # Whatever CloudFormation undoes or clears up after, it may delete; nothing else.
    goes = any(word in status for word in ("DELETE", "ROLLBACK", "CLEANUP"))
    fits = goes if request_type == "Delete" else "DELETE" not in status
    if not (status.endswith("_IN_PROGRESS") and fits):
        raise RequestError(f"RequestType = {request_type}, but the stack is {status}")


def read_status(stack_id: str) -> str:
    """Read what CloudFormation is doing with the stack, such as ``UPDATE_IN_PROGRESS``.

    Raises:
        StackError: it does not say.
    """
    try:
        client = boto3.client("cloudformation", config=_CLIENT)
        [stack] = client.describe_stacks(StackName=stack_id)["Stacks"]
    except (aws.ClientError, aws.BotoCoreError) as error:
        raise StackError(f"CloudFormation does not say what the stack is at: {error}") from error
    return str(stack["StackStatus"])
