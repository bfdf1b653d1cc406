"""Events that CloudFormation would not send, or that ask for what cannot be done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

import stack
from faults import StackError
from stack import is_answer_address
from tests.unit.publisher.conftest import (
    MODEL_BUCKET,
    NEW_MODELS,
    NEW_SITE,
    OLD_MODELS,
    OLD_SITE,
    PROPERTIES,
    S3,
    SECRET,
    SESSION,
    SITE_BUCKET,
    STACK_ID,
    CloudFormation,
    Pack,
)


def assert_untouched(s3: S3) -> None:
    assert s3.versions(SITE_BUCKET) == s3.versions(MODEL_BUCKET) == []


@pytest.mark.parametrize("request_type", ["Create", "Update"])
@pytest.mark.parametrize("value", [None, "", 7, ["modern"]])
def test_a_model_that_is_missing_or_no_name_is_refused(
    cloudformation: CloudFormation, s3: S3, value: object, request_type: str
) -> None:
    reason = cloudformation.fail(request_type, ModelName=value)
    assert reason == f"ModelName = {value!r}; it must name a model"
    assert_untouched(s3)


@pytest.mark.parametrize("properties", [None, [], "SiteBucket", {}])
def test_properties_that_are_none_are_refused(
    cloudformation: CloudFormation, properties: object
) -> None:
    event = cloudformation.event("Create") | {"ResourceProperties": properties}
    answer = cloudformation.send(event)
    assert answer["Status"] == "FAILED"
    assert "ModelName = None; " in answer["Reason"]


# --- Events that somebody else made up ------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        {"SiteBucket": MODEL_BUCKET, "ModelBucket": SITE_BUCKET},
        {"SiteBucket": "somebody-elses", "ModelBucket": "somebody-elses"},
        {"SiteBucket": None, "ModelBucket": None},
    ],
)
def test_the_buckets_are_the_functions_own_whatever_the_event_says(
    cloudformation: CloudFormation, s3: S3, pack: Pack, names: dict[str, object]
) -> None:
    s3.client.create_bucket(
        Bucket="somebody-elses", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    s3.client.put_object(Bucket="somebody-elses", Key="letter")
    pack(OLD_SITE, OLD_MODELS)
    cloudformation.request("Create", **names)
    assert s3.contents(SITE_BUCKET) == OLD_SITE
    assert len(s3.contents(MODEL_BUCKET)) == 1
    cloudformation.request("Delete", **names)
    assert_untouched(s3)
    assert s3.contents("somebody-elses") == {"letter": ""}


@pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])
@pytest.mark.parametrize(
    "stack_id", [None, "", 7, STACK_ID + "x", STACK_ID.replace("eu-west-1", "eu-west-2")]
)
def test_another_stacks_request_is_refused(
    cloudformation: CloudFormation, s3: S3, stack_id: object, request_type: str
) -> None:
    cloudformation.request("Create")
    s3.calls.clear()
    cloudformation.invoke(cloudformation.event(request_type) | {"StackId": stack_id})
    reason = cloudformation.mailbox.taken[-1]["Reason"]
    assert reason.startswith("StackId = ")
    assert STACK_ID in reason
    assert s3.calls == []


@pytest.mark.parametrize(
    ("request_type", "status"),
    [
        ("Delete", "CREATE_COMPLETE"),
        ("Delete", "UPDATE_COMPLETE"),
        ("Delete", "UPDATE_IN_PROGRESS"),
        ("Delete", "CREATE_IN_PROGRESS"),
        ("Delete", "DELETE_FAILED"),
        ("Update", "UPDATE_COMPLETE"),
        ("Update", "DELETE_IN_PROGRESS"),
        ("Create", "DELETE_IN_PROGRESS"),
        ("Create", "ROLLBACK_COMPLETE"),
    ],
)
def test_what_the_stack_is_not_at_is_not_done(
    cloudformation: CloudFormation, s3: S3, pack: Pack, request_type: str, status: str
) -> None:
    """A forged Delete would empty both buckets of a live site."""
    cloudformation.request("Create")
    pack(NEW_SITE, NEW_MODELS)
    s3.calls.clear()
    cloudformation.status = status
    reason = cloudformation.fail(request_type)
    assert reason == f"RequestType = {request_type}, but the stack is {status}"
    assert s3.calls == []


@pytest.mark.parametrize(
    ("request_type", "status"),
    [
        ("Create", "CREATE_IN_PROGRESS"),
        ("Create", "UPDATE_IN_PROGRESS"),
        ("Update", "UPDATE_IN_PROGRESS"),
        ("Update", "UPDATE_ROLLBACK_IN_PROGRESS"),
        ("Delete", "DELETE_IN_PROGRESS"),
        ("Delete", "ROLLBACK_IN_PROGRESS"),
        ("Delete", "UPDATE_ROLLBACK_IN_PROGRESS"),
        ("Delete", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Delete", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
    ],
)
def test_what_cloudformation_can_be_at_is_done(
    cloudformation: CloudFormation, request_type: str, status: str
) -> None:
    cloudformation.status = status
    cloudformation.request(request_type)


HOST = "cloudformation-custom-resource-response-euwest1.s3"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        7,
        "file:///etc/passwd",
        "ftp://host/answer",
        "https://[::1/answer",
        "https://evil.example/answer",
        f"http://{HOST}.eu-west-1.amazonaws.com/answer",
        f"https://{HOST}.eu-west-1.amazonaws.com.evil.example/answer",
        f"https://{HOST}.eu-west-1.amazonaws.com:8443/answer",
        f"https://{HOST}.eu-west-1.amazonaws.com@evil.example/answer",
        f"https://user@{HOST}.eu-west-1.amazonaws.com/answer",
        f"https://{HOST}.us-east-1.amazonaws.com/answer",
        f"https://my-{HOST}.eu-west-1.amazonaws.com/answer",
        "https://cloudformation-custom-resource-response-mine.s3.eu-west-1.amazonaws.com/answer",
    ],
)
@pytest.mark.parametrize("request_type", ["Create", "Delete"])
def test_without_an_address_of_cloudformations_nothing_is_done(
    cloudformation: CloudFormation, s3: S3, request_type: str, url: object
) -> None:
    cloudformation.request("Create")
    s3.calls.clear()
    cloudformation.invoke(cloudformation.event(request_type) | {"ResponseURL": url})
    assert s3.calls == []
    assert len(cloudformation.mailbox.attempts) == 1
    [line] = cloudformation.log
    assert line["level"] == "ERROR"
    assert "ResponseURL" in line["message"]


@pytest.mark.parametrize(
    "host",
    [
        f"{HOST}.amazonaws.com",
        f"{HOST}.eu-west-1.amazonaws.com",
        f"{HOST}-eu-west-1.amazonaws.com",
        f"{HOST}.dualstack.eu-west-1.amazonaws.com",
    ],
)
def test_each_spelling_of_cloudformations_bucket_is_an_address(host: str) -> None:
    assert is_answer_address(f"https://{host}/arn%3Aaws%3Acloudformation?{SECRET}", "eu-west-1")


@pytest.mark.slow
def test_the_stacks_status_is_what_cloudformation_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boto3.client", SESSION.client)
    with mock_aws():
        client = SESSION.client("cloudformation")
        made = client.create_stack(
            StackName="reeltone",
            TemplateBody='{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}',
        )
        assert stack.read_status(made["StackId"]) == "CREATE_COMPLETE"
        with pytest.raises(StackError, match="does not say what the stack is at"):
            stack.read_status(STACK_ID)


# --- What CloudFormation would not send -----------------------------------------------------------


@pytest.mark.parametrize("name", ["modem", "../models/modern", "*", "Modern", "x" * 5000])
def test_an_unknown_model_is_answered_with_those_that_there_are(
    cloudformation: CloudFormation, s3: S3, name: str
) -> None:
    reason = cloudformation.fail("Create", ModelName=name)
    assert reason.startswith(f"ModelName = {name!r:.80}; ")
    assert reason.endswith("the package has classic, modern")
    assert_untouched(s3)


@pytest.mark.parametrize("request_type", ["Read", "create", "", None, 3, ["Create"], {"a": 1}])
def test_an_unknown_request_type_is_answered_with_those_that_there_are(
    cloudformation: CloudFormation, s3: S3, request_type: object
) -> None:
    answer = cloudformation.send(cloudformation.event("Create") | {"RequestType": request_type})
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == f"RequestType = {request_type!r}; use Create, Update, Delete"
    assert_untouched(s3)


@pytest.mark.parametrize("event", [None, [], "Delete", 7, {}])
def test_what_is_no_event_at_all_is_logged(
    cloudformation: CloudFormation, s3: S3, event: Any
) -> None:
    cloudformation.invoke(event)
    assert s3.calls == []
    assert cloudformation.log[0]["level"] == "ERROR"


def test_an_event_that_lacks_what_the_answer_repeats_is_answered(
    cloudformation: CloudFormation,
) -> None:
    event = cloudformation.event("Create")
    for name in ("RequestId", "LogicalResourceId"):
        del event[name]
    assert cloudformation.send(event)["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    "changes",
    [{"ModelName": None}, {"ModelName": "modem"}],
)
def test_a_delete_after_a_create_that_was_refused_succeeds(
    cloudformation: CloudFormation, changes: dict[str, object]
) -> None:
    cloudformation.fail("Create", **changes)
    cloudformation.request("Delete", **changes)


def test_a_physical_id_that_cloudformation_made_up_is_repeated(
    cloudformation: CloudFormation, app: Any
) -> None:
    event = cloudformation.event("Delete") | {"PhysicalResourceId": "reeltone-Publication-1X2Y"}
    cloudformation.invoke(event)
    [answer] = cloudformation.mailbox.taken
    assert answer["PhysicalResourceId"] == "reeltone-Publication-1X2Y"


def test_properties_that_only_others_read_do_not_matter(cloudformation: CloudFormation) -> None:
    event = cloudformation.event("Update", ServiceTimeout="600")
    event["OldResourceProperties"] = PROPERTIES | {"Release": "0"}
    assert cloudformation.send(event)["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("no site", "the package has no site/index.html; build it again"),
        ("no index", "the package has no site/index.html; build it again"),
        ("unknown type", "site/notes.docx has no known content type"),
        ("no models", "ModelName = 'modern'; the package has no models"),
        ("two archives", "models/modern has more than one archive: model-0000000000000000.tar.gz,"),
    ],
)
def test_a_package_that_was_built_wrongly_is_not_published(
    cloudformation: CloudFormation, s3: S3, pack: Pack, change: str, reason: str
) -> None:
    site = {
        "no site": {},
        "no index": {"style.css": ""},
        "unknown type": OLD_SITE | {"notes.docx": ""},
    }
    models: dict[str, str] = {} if change == "no models" else OLD_MODELS
    package: Path = pack(site.get(change, OLD_SITE), models)
    if change == "two archives":
        (package / "models" / "modern" / "model-ffffffffffffffff.tar.gz").touch()
    assert cloudformation.fail("Create").startswith(reason)
    assert_untouched(s3)


OWN, OTHER = (f"{account}.dkr.ecr.eu-west-1" for account in ("123456789012", "210987654321"))
FAR = OWN.replace("eu-west-1", "us-east-1")


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"Serving": {"Image": f"{OTHER}.amazonaws.com/r:1", "Mode": "serverless"}}, OTHER[:12]),
        ({"Serving": {"Image": f"{FAR}.amazonaws.com/r:1", "Mode": "instances"}}, "to eu-west-1"),
        ({"MinInstances": "3", "MaxInstances": "2"}, "MinInstances = 3"),
    ],
)
def test_an_endpoint_that_could_not_start_is_refused_at_once(
    cloudformation: CloudFormation, s3: S3, properties: dict[str, Any], words: str
) -> None:
    reason = cloudformation.fail("Create", **properties)
    assert words in reason
    assert_untouched(s3)


@pytest.mark.parametrize(
    "serving",
    [
        {"Image": f"{OWN}.amazonaws.com/r:1", "Mode": "serverless"},
        {"Image": f"{OTHER}.amazonaws.com/r:1", "Mode": "instances"},
        {
            "Image": f"{OTHER}.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3",
            "Mode": "serverless",
        },
        "no properties",
        {},
    ],
)
def test_an_endpoint_that_can_start_is_not_refused(
    cloudformation: CloudFormation, serving: object
) -> None:
    assert cloudformation.request("Create", Serving=serving, MinInstances="2", MaxInstances="2")
