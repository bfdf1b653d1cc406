"""Runs that S3 refuses, or that end in the middle: what is answered, and what the next run does."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from botocore.config import Config

from tests.unit.publisher.conftest import (
    MODEL_BUCKET,
    NEW_MODELS,
    NEW_SITE,
    OLD_MODELS,
    OLD_SITE,
    S3,
    SESSION,
    SITE_BUCKET,
    CloudFormation,
    KilledError,
    Mailbox,
    Pack,
    refuse,
)

# The model, the secret and what it is, four files of the site, the list of what is there.
CALLS_OF_A_CREATE = 8
# The same, and the deletion of what is gone.
CALLS_OF_AN_UPDATE = 9
# For each bucket: what is there, its deletion, and that nothing is left.
CALLS_OF_A_DELETE = 6


def publish_old_then_pack_new(cloudformation: CloudFormation, s3: S3, pack: Pack) -> None:
    pack(OLD_SITE, OLD_MODELS)
    cloudformation.request("Create")
    pack(NEW_SITE, NEW_MODELS)
    s3.calls.clear()


def prepare(cloudformation: CloudFormation, s3: S3, pack: Pack, request_type: str) -> None:
    """What is there before a request: nothing before the first one."""
    if request_type == "Create":
        pack(NEW_SITE, NEW_MODELS)
    else:
        publish_old_then_pack_new(cloudformation, s3, pack)


def finish(cloudformation: CloudFormation, s3: S3, request_type: str) -> None:
    """The next run of the same request, with nothing in its way."""
    s3.before = s3.after = None
    cloudformation.request(request_type)
    if request_type == "Delete":
        assert s3.versions(SITE_BUCKET) == s3.versions(MODEL_BUCKET) == []
    else:
        assert s3.contents(SITE_BUCKET) == NEW_SITE
        assert len(s3.versions(MODEL_BUCKET)) == (1 if request_type == "Create" else 2)


def steps(cloudformation: CloudFormation, s3: S3, pack: Pack, request_type: str) -> Iterator[int]:
    """1 for the first call of S3 that a request makes, up to the last one; each with everything as
    it was before the request."""
    prepare(cloudformation, s3, pack, request_type)
    cloudformation.request(request_type)
    for number in range(1, len(s3.calls) + 1):
        s3.reset()
        prepare(cloudformation, s3, pack, request_type)
        yield number


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])
def test_a_run_that_is_killed_at_any_step_is_finished_by_the_next(
    cloudformation: CloudFormation, s3: S3, pack: Pack, request_type: str, moment: str
) -> None:
    for number in steps(cloudformation, s3, pack, request_type):
        answered = len(cloudformation.mailbox.taken)

        def kill(*_: Any, last: int = number) -> None:
            if len(s3.calls) == last:
                raise KilledError

        setattr(s3, moment, kill)
        with pytest.raises(KilledError):
            cloudformation.invoke(cloudformation.event(request_type))
        assert len(cloudformation.mailbox.taken) == answered
        finish(cloudformation, s3, request_type)


@pytest.mark.slow
@pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])
def test_a_refusal_at_any_step_is_answered_with_its_reason_and_what_it_stopped_can_be_finished(
    cloudformation: CloudFormation, s3: S3, pack: Pack, request_type: str
) -> None:
    for number in steps(cloudformation, s3, pack, request_type):
        refused: list[str] = []

        def deny(
            operation: str, _: dict[str, Any], last: int = number, refused: list[str] = refused
        ) -> Any:
            if len(s3.calls) != last:
                return None
            refused.append(operation)
            return refuse(operation)

        s3.before = deny
        reason = cloudformation.fail(request_type)
        assert "AccessDenied" in reason
        assert f"s3:{refused[0]}" in reason
        assert SITE_BUCKET in reason or MODEL_BUCKET in reason
        assert len(s3.calls) == number
        finish(cloudformation, s3, request_type)


def test_a_refusal_of_single_objects_is_no_success(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    publish_old_then_pack_new(cloudformation, s3, pack)
    error = {"Key": "index.html", "Code": "AccessDenied", "Message": "Access Denied"}

    def deny(operation: str, _: dict[str, Any]) -> Any:
        accepted, _ = refuse(operation, status=200)
        return (accepted, {"Errors": [error]}) if operation == "DeleteObjects" else None

    s3.before = deny
    assert "index.html: AccessDenied" in cloudformation.fail("Delete")


@pytest.mark.parametrize("bucket", [SITE_BUCKET, MODEL_BUCKET])
@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_publishing_to_a_bucket_that_is_gone_fails_and_names_it(
    cloudformation: CloudFormation, s3: S3, pack: Pack, request_type: str, bucket: str
) -> None:
    pack(NEW_SITE, NEW_MODELS)
    s3.client.delete_bucket(Bucket=bucket)
    reason = cloudformation.fail(request_type)
    assert reason.startswith(f"bucket {bucket}, ")
    assert "NoSuchBucket" in reason


def test_the_site_stays_as_it_is_when_the_model_cannot_be_published(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    publish_old_then_pack_new(cloudformation, s3, pack)
    s3.before = lambda operation, _: refuse(operation)
    cloudformation.fail("Update")
    assert s3.contents(SITE_BUCKET) == OLD_SITE


def test_an_unexpected_error_is_answered_and_logged_without_its_message(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    pack(NEW_SITE, NEW_MODELS)

    def fail(*_: Any) -> None:
        raise RuntimeError(cloudformation.mailbox.url)

    s3.before = fail
    assert cloudformation.fail("Create") == "unexpected RuntimeError; see the publisher's log"
    [line] = [line for line in cloudformation.log if line["message"] == "unexpected error"]
    assert line["error"] == "RuntimeError"
    assert any(place.startswith("publish.py:") for place in line["places"])


def test_time_that_is_nearly_over_is_kept_for_the_answer(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    pack(NEW_SITE, NEW_MODELS)
    answer = cloudformation.send(cloudformation.event("Create"), seconds=20)
    assert answer["Status"] == "FAILED"
    assert "time is up" in answer["Reason"]
    assert s3.calls == []


@pytest.mark.slow
def test_work_that_takes_too_long_is_stopped_answered_and_can_be_finished(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    publish_old_then_pack_new(cloudformation, s3, pack)

    def wait(*_: Any) -> None:
        if len(s3.calls) == 3:
            time.sleep(20)

    s3.before = wait
    started = time.monotonic()
    answer = cloudformation.send(cloudformation.event("Update"), seconds=32)
    assert time.monotonic() - started < 10
    assert answer["Status"] == "FAILED"
    assert "time is up" in answer["Reason"]
    assert len(s3.calls) == 3
    finish(cloudformation, s3, "Update")


def test_a_connection_on_which_s3_never_answers_is_stopped_in_time(
    cloudformation: CloudFormation, app: ModuleType, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(NEW_SITE, NEW_MODELS)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        patient = Config(read_timeout=60, retries={"mode": "standard", "total_max_attempts": 4})
        client = SESSION.client("s3", endpoint_url=address, config=patient)
        monkeypatch.setattr(app, "connect", lambda: client)
        started = time.monotonic()
        answer = cloudformation.send(cloudformation.event("Delete"), seconds=30.5)
    assert time.monotonic() - started < 10
    assert "time is up" in answer["Reason"]


@pytest.mark.parametrize("taken", [False, True])
def test_a_run_that_is_killed_at_its_answer_is_answered_the_same_by_the_next(
    cloudformation: CloudFormation,
    app: ModuleType,
    mailbox: Mailbox,
    pack: Pack,
    monkeypatch: pytest.MonkeyPatch,
    taken: bool,
) -> None:
    pack(NEW_SITE, NEW_MODELS)
    send_answer = app.send_answer

    def kill(*arguments: Any) -> None:
        if taken:
            send_answer(*arguments)
        raise KilledError

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(app, "send_answer", kill)
        cloudformation.invoke(cloudformation.event("Create"))
    last = cloudformation.send(cloudformation.event("Create"))
    assert last["Status"] == "SUCCESS"
    assert mailbox.taken == [last, last][: 1 + taken]
