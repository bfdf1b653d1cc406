"""What can go wrong; the messages are written for whoever deploys the stack. And the
function's log: one JSON object a line, as Lambda's log filters read them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from traceback import extract_tb


class PublisherError(Exception):
    """The request cannot be carried out; CloudFormation is told why."""


class RequestError(PublisherError):
    """The event asks for something that this resource does not do."""


class PackageError(PublisherError):
    """The function's package lacks what it should publish."""


class StackError(PublisherError):
    """CloudFormation does not say what the stack is at."""


class BucketError(PublisherError):
    """S3 refused or failed."""


class BucketGoneError(BucketError):
    """There is no bucket of that name, or there can be none."""


class ObjectExistsError(BucketError):
    """An object that must not be overwritten is there."""


class AnswerError(Exception):
    """CloudFormation could not be told."""


def log(level: str, message: str, **fields: object) -> None:
    """Write one line. ``ResponseURL`` must not be in it: whoever has it can answer in our name."""
    line = {"timestamp": datetime.now(UTC).isoformat(), "level": level, "message": message}
    print(json.dumps(line | fields), flush=True)


def find_places(error: BaseException) -> list[str]:
    """Find the way to an error, without the values that a message might quote."""
    frames = extract_tb(error.__traceback__)
    return [f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
