"""What can go wrong; the messages are written for whoever deploys the stack."""

from __future__ import annotations


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
