"""What all jobs share: AWS behind a small door that can show a request instead of sending it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore import exceptions as aws
from botocore.config import Config

from model_training.errors import ReeltoneError

_ABSENT = {
    *("404", "NoSuchBucket", "NoSuchKey", "NoSuchEntity"),
    *("ResourceNotFound", "ResourceNotFoundException"),
}
_NOT_ALLOWED = {"403", "AccessDenied", "AccessDeniedException"}
_NOT_SIGNED_IN = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}


class JobError(ReeltoneError):
    """A job cannot be started, has failed, or has no result."""


class AbsentError(JobError):
    """AWS knows nothing by that name."""


class NotAllowedError(JobError):
    """The caller may not do that."""


class QuotaError(JobError):
    """The account may not have that many instances of that type."""


@dataclass(frozen=True)
class Place:
    """Where jobs keep their files: a bucket and the start of all keys in it."""

    bucket: str
    prefix: str

    def key(self, *parts: str) -> str:
        """Give the key of a file."""
        return "/".join([*filter(None, [self.prefix]), *parts])

    def uri(self, *parts: str) -> str:
        """Give the s3:// address of a file or, ending with a slash, of all files below it."""
        return f"s3://{self.bucket}/{self.key(*parts)}"


class Cloud:
    """AWS, as far as jobs need it.

    A dry run sends nothing that changes anything: each such request is printed instead.
    """

    def __init__(
        self, session: Any, dry_run: bool = False, show: Callable[[str], None] = print
    ) -> None:
        """``session``: a boto3 session."""
        self.dry_run = dry_run
        self.show = show
        self.session = session
        self._clients: dict[str, Any] = {}

    @property
    def region(self) -> str:
        """The region that jobs run in.

        Raises:
            JobError: none is set.
        """
        if not self.session.region_name:
            raise JobError("no region: pass --region or set AWS_DEFAULT_REGION, e.g. us-east-1")
        return str(self.session.region_name)

    def client(self, service: str, config: Config | None = None) -> Any:
        """Give the boto3 client of a service; ``config`` counts when it is first asked for."""
        if service not in self._clients:
            self._clients[service] = self.session.client(
                service, region_name=self.region, config=config
            )
        return self._clients[service]

    def read(self, service: str, operation: str, **request: Any) -> Any:
        """Look something up; done in a dry run too.

        Raises:
            JobError: it cannot be had; the class says why.
        """
        with aws_errors(operation):
            return getattr(self.client(service), operation)(**request)

    def pages(self, service: str, operation: str, member: str, **request: Any) -> Iterator[Any]:
        """Give the entries of a listing, over all its pages."""
        with aws_errors(operation):
            for page in self.client(service).get_paginator(operation).paginate(**request):
                yield from page.get(member, ())

    def change(self, service: str, operation: str, **request: Any) -> Any:
        """Send a request that changes something; a dry run prints it and answers with nothing.

        Raises:
            JobError: it was refused; the class says why.
        """
        if self.dry_run:
            self.show(f"{service}.{operation} {json.dumps(request, indent=2, default=_in_words)}")
            return {}
        with aws_errors(operation):
            return getattr(self.client(service), operation)(**request)


@contextmanager
def aws_errors(operation: str) -> Iterator[None]:
    """Turn what boto3 raises into one clear line."""
    try:
        yield
    except aws.ClientError as error:
        raise _translate(error, operation) from error
    except (aws.NoCredentialsError, aws.TokenRetrievalError, aws.SSOTokenLoadError) as error:
        raise JobError(
            "no credentials: sign in with aws sso login or aws configure, or choose --profile"
        ) from error
    except aws.BotoCoreError as error:
        raise JobError(f"{operation}: {error}") from error


def check_bucket(cloud: Cloud, bucket: str) -> None:
    """Make sure that jobs can keep their files.

    Raises:
        JobError: no such bucket, or not ours.
    """
    try:
        cloud.read("s3", "head_bucket", Bucket=bucket)
    except AbsentError:
        raise JobError(
            f"no bucket: s3://{bucket} does not exist; make it with aws s3 mb s3://{bucket}"
        ) from None
    except NotAllowedError:
        raise JobError(f"no bucket: s3://{bucket} is not one that you may use") from None


def find_role(cloud: Cloud, given: str | None) -> str:
    """Find the ARN of the role that a job runs as; ``given`` is its name or ARN. A dry run takes it
    for granted.

    Raises:
        JobError: none given, none of that name, or one that SageMaker may not use.
    """
    if cloud.dry_run:
        is_arn = given is not None and given.startswith("arn:")
        return str(given) if is_arn else f"arn:aws:iam::ACCOUNT:role/{given or 'ROLE'}"
    if not given:
        raise JobError(
            "no role: pass --role or set REELTONE_JOB_ROLE to the name or ARN of an IAM role that "
            "trusts sagemaker.amazonaws.com and may read and write the bucket"
        )
    is_arn = given.startswith("arn:")
    try:
        role = cloud.read("iam", "get_role", RoleName=given.rpartition("/")[2])["Role"]
    except AbsentError:
        raise JobError(f"no role: this account has no IAM role {given!r}") from None
    except NotAllowedError:
        if is_arn:  # who may start jobs need not be allowed to look at roles
            return given
        raise
    if "sagemaker.amazonaws.com" not in json.dumps(role["AssumeRolePolicyDocument"]):
        raise JobError(f"no role: {given!r} does not trust sagemaker.amazonaws.com")
    return str(role["Arn"])


def split_uri(uri: str) -> tuple[str, str]:
    """Give bucket and key of an s3:// address."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _translate(error: aws.ClientError, operation: str) -> JobError:
    code = error.response["Error"].get("Code", "")
    message = error.response["Error"].get("Message", "").strip()
    # SageMaker and CloudFormation have no code of its own for it.
    lost = code in ("ValidationException", "ValidationError") and any(
        words in message.lower() for words in ("not found", "could not find", "does not exist")
    )
    if code in _ABSENT or lost:
        return AbsentError(f"{operation}: {message}")
    if code in _NOT_ALLOWED:
        return NotAllowedError(f"not allowed: {operation}: {message}")
    if code in _NOT_SIGNED_IN:
        return JobError(f"AWS refuses the credentials: {message} Sign in again.")
    if code in ("ResourceLimitExceeded", "LimitExceededException"):
        return QuotaError(
            f"no quota: {message} Ask for more in the Service Quotas console under Amazon "
            f"SageMaker, or take another --instance-type."
        )
    return JobError(f"{operation}: {message} ({code})")


def _in_words(value: object) -> str:
    return f"<{len(value):,} bytes>" if isinstance(value, bytes) else str(value)


@dataclass(frozen=True)
class Stack:
    """A stack of template.yaml, as CloudFormation describes it."""

    name: str
    parameters: dict[str, str]
    outputs: dict[str, str]

    def output(self, name: str) -> str:
        """Give the output of that name.

        Raises:
            JobError: there is none, so this is another stack or one that is not made yet.
        """
        if name not in self.outputs:
            raise JobError(f"the stack {self.name!r} has no output {name}; deploy it again")
        return self.outputs[name]

    def check_place(self, place: Place) -> None:
        """See that the model may read and write where the job's files are.

        Raises:
            JobError: it may not; SageMaker would say so once the machine has started.
        """
        allowed = self.parameters.get("JobsBucket", ""), self.parameters.get("JobsPrefix", "")
        if allowed != (place.bucket, place.prefix):
            raise JobError(
                f"the model of the stack {self.name!r} may not read {place.uri('')}: deploy with "
                f"--parameter-overrides JobsBucket={place.bucket} JobsPrefix={place.prefix}"
            )


def find_stack(cloud: Cloud, name: str) -> Stack:
    """Find the stack of that name.

    Raises:
        JobError: there is none.
    """
    try:
        [found] = cloud.read("cloudformation", "describe_stacks", StackName=name)["Stacks"]
    except AbsentError:
        raise JobError(f"no stack {name!r} in {cloud.region}; pass --stack or --region") from None
    parameters = {p["ParameterKey"]: p.get("ParameterValue", "") for p in found["Parameters"]}
    outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", ())}
    return Stack(name, parameters, outputs)
