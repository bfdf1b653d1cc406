"""Events that CloudFormation would not send, or that ask for what cannot be done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import (
    MODEL_BUCKET,
    OLD_MODELS,
    OLD_SITE,
    PROPERTIES,
    S3,
    SITE_BUCKET,
    CloudFormation,
    Pack,
)


def assert_untouched(s3: S3) -> None:
    assert s3.versions(SITE_BUCKET) == s3.versions(MODEL_BUCKET) == []


@pytest.mark.parametrize("request_type", ["Create", "Update"])
@pytest.mark.parametrize("value", [None, "", 7, ["modern"]])
@pytest.mark.parametrize("name", ["SiteBucket", "ModelBucket", "ModelName"])
def test_a_property_that_is_missing_or_no_name_is_named(
    cloudformation: CloudFormation,
    s3: S3,
    pack: Pack,
    name: str,
    value: object,
    request_type: str,
) -> None:
    pack(OLD_SITE, OLD_MODELS)
    reason = cloudformation.fail(request_type, **{name: value})
    assert reason.startswith(f"{name} = {value!r}; ")
    assert_untouched(s3)


@pytest.mark.parametrize("properties", [None, [], "SiteBucket", {}])
def test_properties_that_are_none_are_refused(
    cloudformation: CloudFormation, pack: Pack, properties: object
) -> None:
    pack(OLD_SITE, OLD_MODELS)
    event = cloudformation.event("Create") | {"ResourceProperties": properties}
    answer = cloudformation.send(event)
    assert answer["Status"] == "FAILED"
    assert "SiteBucket = None; " in answer["Reason"]


def test_site_and_models_must_not_share_a_bucket(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    pack(OLD_SITE, OLD_MODELS)
    reason = cloudformation.fail("Create", ModelBucket=SITE_BUCKET)
    assert reason.endswith("use two buckets")
    assert_untouched(s3)


@pytest.mark.parametrize("name", ["modem", "../models/modern", "*", "Modern", "x" * 5000])
def test_an_unknown_model_is_answered_with_those_that_there_are(
    cloudformation: CloudFormation, s3: S3, pack: Pack, name: str
) -> None:
    pack(OLD_SITE, OLD_MODELS)
    reason = cloudformation.fail("Create", ModelName=name)
    assert reason.startswith(f"ModelName = {name!r:.80}; ")
    assert reason.endswith("the package has classic, modern")
    assert_untouched(s3)


@pytest.mark.parametrize("request_type", ["Read", "create", "", None, 3, ["Create"], {"a": 1}])
def test_an_unknown_request_type_is_answered_with_those_that_there_are(
    cloudformation: CloudFormation, s3: S3, pack: Pack, request_type: object
) -> None:
    pack(OLD_SITE, OLD_MODELS)
    answer = cloudformation.send(cloudformation.event("Create") | {"RequestType": request_type})
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == f"RequestType = {request_type!r}; use Create, Update, Delete"
    assert_untouched(s3)


@pytest.mark.parametrize("url", [None, "", 7, "file:///etc/passwd", "ftp://host/answer"])
@pytest.mark.parametrize("request_type", ["Create", "Delete"])
def test_without_a_response_url_nothing_is_done(
    cloudformation: CloudFormation, s3: S3, pack: Pack, request_type: str, url: object
) -> None:
    pack(OLD_SITE, OLD_MODELS)
    cloudformation.request("Create")
    s3.calls.clear()
    cloudformation.invoke(cloudformation.event(request_type) | {"ResponseURL": url})
    assert s3.calls == []
    assert len(cloudformation.mailbox.taken) == 1
    [line] = cloudformation.log
    assert line["level"] == "ERROR"
    assert "ResponseURL" in line["message"]


@pytest.mark.parametrize("event", [None, [], "Delete", 7, {}])
def test_what_is_no_event_at_all_is_logged(
    cloudformation: CloudFormation, s3: S3, event: Any
) -> None:
    cloudformation.invoke(event)
    assert s3.calls == []
    assert cloudformation.log[0]["level"] == "ERROR"


def test_an_event_that_lacks_what_the_answer_repeats_is_answered(
    cloudformation: CloudFormation, pack: Pack
) -> None:
    pack(OLD_SITE, OLD_MODELS)
    event = cloudformation.event("Create")
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        del event[name]
    assert cloudformation.send(event)["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    "changes",
    [
        {"SiteBucket": None, "ModelBucket": None},
        {"ModelName": "modem"},
        {"ModelBucket": SITE_BUCKET},
        {"SiteBucket": "Not a bucket's name", "ModelBucket": "../.."},
    ],
)
def test_a_delete_after_a_create_that_was_refused_succeeds(
    cloudformation: CloudFormation, pack: Pack, changes: dict[str, object]
) -> None:
    pack(OLD_SITE, OLD_MODELS)
    cloudformation.fail("Create", **changes)
    cloudformation.request("Delete", **changes)


def test_a_delete_that_names_no_bucket_has_nothing_to_do(
    cloudformation: CloudFormation, s3: S3
) -> None:
    cloudformation.request("Delete", SiteBucket=None, ModelBucket="")
    assert s3.calls == []
    assert [line["message"] for line in cloudformation.log] == ["request", "outcome"]


def test_a_physical_id_that_cloudformation_made_up_is_repeated(
    cloudformation: CloudFormation, app: Any
) -> None:
    event = cloudformation.event("Delete") | {"PhysicalResourceId": "reeltone-Publication-1X2Y"}
    cloudformation.invoke(event)
    [answer] = cloudformation.mailbox.taken
    assert answer["PhysicalResourceId"] == "reeltone-Publication-1X2Y"


def test_properties_that_only_others_read_do_not_matter(
    cloudformation: CloudFormation, pack: Pack
) -> None:
    pack(OLD_SITE, OLD_MODELS)
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
    cloudformation: CloudFormation, s3: S3, pack: Pack, properties: dict[str, Any], words: str
) -> None:
    pack(OLD_SITE, OLD_MODELS)
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
    cloudformation: CloudFormation, pack: Pack, serving: object
) -> None:
    pack(OLD_SITE, OLD_MODELS)
    assert cloudformation.request("Create", Serving=serving, MinInstances="2", MaxInstances="2")
