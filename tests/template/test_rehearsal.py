"""A deployment played through, as far as this machine can: what no linter knows by itself.

What CloudFormation would replace for each parameter, what a bad canary's metrics make the alarms
do, whether the deployment's role may do all that AWS's types ask for, and every region's schemas.
"""

from __future__ import annotations

import fnmatch
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs
from cfnlint.api import lint as lint_template

from local_stack.functions import BOOTSTRAP, process_environment
from local_stack.template import Template
from tests.local_stack.test_local_stack import stack as local_stack
from tests.template.changes import CODE, Changes, Stack, compare, find_schema
from tests.template.cloud import REGION, ROOT, transform_template

TEMPLATE = Template(ROOT / "template.yaml").document
REGIONS = sorted(TEMPLATE["Mappings"]["ScikitLearnImage"])
PARAMETERS: dict[str, dict[str, Any]] = TEMPLATE["Parameters"]
FULL = {
    "ServingMode": "instances",
    "DomainName": "film.example.com",
    "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/0",
    "HostedZoneId": "Z0123456789",
    "AlarmEmail": "you@example.com",
    "JobsBucket": "our-bucket",
    "ScoreUploads": "yes",
    "ShowDashboard": "yes",
}
"""Parameters with which every resource is made."""
ALWAYS = {"Fn::Equals": ["", ""]}
INSTANCES = {"ServingMode": "instances"}
DOMAIN = {
    "DomainName": "film.example.com",
    "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/0",
}

# Each parameter's other value, from a stack in which it counts.
VALUES: dict[str, tuple[Mapping[str, str], str]] = {
    "ModelName": ({}, "classic"),
    "ServingMode": ({}, "instances"),
    "ServingImage": ({}, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/reeltone:1"),
    "SageMakerRuntimeUrl": ({}, "http://127.0.0.1:8001"),
    "JobsBucket": ({}, "our-bucket"),
    "JobsPrefix": ({"JobsBucket": "our-bucket"}, "film"),
    "ScoreUploads": ({}, "yes"),
    "ServerlessMemory": ({}, "3072"),
    "ServerlessConcurrency": ({}, "7"),
    "InstanceType": (INSTANCES, "ml.m5.large"),
    "MinInstances": (INSTANCES, "2"),
    "MaxInstances": (INSTANCES, "4"),
    "InvocationsPerInstance": (INSTANCES, "1000"),
    "Architecture": ({}, "arm64"),
    "SnapStart": ({}, "PublishedVersions"),
    "ReservedConcurrency": ({}, "50"),
    "Rollout": ({}, "AllAtOnce"),
    "LogLevel": ({}, "DEBUG"),
    "LogRetentionDays": ({}, "7"),
    "RequestsPerSecond": ({}, "100"),
    "BatchesPerSecond": ({}, "20"),
    "RequestBurst": ({}, "200"),
    "AllowedOrigins": ({}, "https://film.example.com"),
    "DomainName": (DOMAIN, "movie.example.com"),
    "CertificateArn": (DOMAIN, DOMAIN["CertificateArn"][:-1] + "1"),
    "HostedZoneId": (DOMAIN, "Z0123456789"),
    "WebAclArn": ({}, "arn:aws:wafv2:us-east-1:123456789012:global/webacl/w/0"),
    "AlarmEmail": ({}, "you@example.com"),
    "ShowDashboard": ({}, "yes"),
}
# Made anew beside the former one, and so with another name.
ENDPOINT = {"ModelEndpoint", "ModelEndpointConfig", "ModelEndpointLogGroup"}
REPLACED = {
    "ModelName": {*ENDPOINT, "Model"},
    "ServingMode": {*ENDPOINT, "Model"},
    "ServingImage": {*ENDPOINT, "Model"},
    "ServerlessMemory": ENDPOINT,
    # Scaling belongs to the endpoint's name.
    "InstanceType": {*ENDPOINT, "ModelScalableTarget", "ModelScalingPolicy"},
    # The endpoint takes the new configuration in place.
    "ServerlessConcurrency": {"ModelEndpointConfig"},
    "MinInstances": {"ModelEndpointConfig"},
}
NEW_VERSION = {"ModelName", "ServingMode", "ServingImage", "ServerlessMemory", "InstanceType"}
NEW_VERSION |= {"Architecture", "SnapStart", "LogLevel", "SageMakerRuntimeUrl"}


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even SAM's transform works without one."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@cache
def changes_of(parameter: str) -> Changes:
    """What another value of the parameter does to a stack in which it counts."""
    before, value = VALUES[parameter]
    return compare(Stack(before), Stack({**before, parameter: value}))


def test_the_guide_says_how_much_a_first_deployment_makes() -> None:
    ours = Template(ROOT / "template.yaml")
    resources = transform_template(CODE, {})["Resources"].values()
    made = [each for each in resources if ours.holds(each.get("Condition", ALWAYS))]
    guide = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert f"A first deployment makes {len(made)} resources" in guide


# --- regions --------------------------------------------------------------------------------------


def lint(document: str, regions: list[str]) -> list[str]:
    found = lint_template(document, config=ManualArgs(regions=regions))
    return [f"{match.rule.id}: {match.message}" for match in found]


@pytest.mark.rehearses(
    "27 regions",
    "checked",
    "types and properties by each region's schemas (cfn-lint)",
)
def test_the_template_is_right_by_the_schemas_of_all_27_regions(
    record_property: Callable[[str, object], None],
) -> None:
    assert len(REGIONS) == 27
    assert lint((ROOT / "template.yaml").read_text("utf-8"), REGIONS) == []
    kinds = {body["Type"] for body in Stack(FULL).resources.values()}
    for kind in sorted(kind for kind in kinds if kind.startswith("AWS::")):
        record_property("rehearses", (kind, "checked", "properties by AWS's schemas"))


def test_a_type_that_some_regions_lack_would_be_found() -> None:
    account = (ROOT / "account.yaml").read_text("utf-8")
    assert lint(account, ["us-east-1"]) == []
    [problem] = {text[:5] for text in lint(account, REGIONS)}
    assert problem == "E3006"


# --- a change of each parameter -------------------------------------------------------------------


def test_every_parameter_is_changed() -> None:
    assert list(VALUES) == list(PARAMETERS)


@pytest.mark.rehearses(
    "a change of each parameter",
    "checked",
    "what is replaced, by AWS's schemas",
)
@pytest.mark.parametrize("parameter", VALUES)
def test_a_parameter_changes_something_and_replaces_what_it_must(parameter: str) -> None:
    changes = changes_of(parameter)
    assert changes.made or changes.replaced or changes.changed or changes.deleted
    replaced = {n for n in changes.replaced if not n.startswith("SentimentFunctionVersion")}
    assert replaced == REPLACED.get(parameter, set())
    assert (len(changes.replaced) > len(replaced)) == (parameter in NEW_VERSION)


@pytest.mark.parametrize("parameter", VALUES)
def test_no_parameter_takes_away_what_people_use(parameter: str) -> None:
    """Buckets with what they hold, the website's and the API's addresses, logs of functions."""
    kinds = ("S3::Bucket", "CloudFront::Distribution", "ApiGatewayV2::Api", "Lambda::Function")
    resources = Stack({}).resources
    kept = {n for n, body in resources.items() if body["Type"].endswith(kinds)}
    kept |= {name for name in resources if name.endswith("FunctionLogGroup")}
    changes = changes_of(parameter)
    assert not kept & (changes.replaced | changes.deleted)


@pytest.mark.parametrize("parameter", VALUES)
def test_an_endpoint_changes_in_place_only_in_numbers(parameter: str) -> None:
    in_place = changes_of(parameter).changed.get("ModelEndpoint")
    assert bool(in_place) == (parameter in ("ServerlessConcurrency", "MinInstances"))
    assert in_place in (None, {"EndpointConfigName"})


def test_a_new_package_of_the_function_is_a_new_version_and_nothing_else_is_new() -> None:
    changes = compare(Stack({}), Stack({}, CODE | {"SentimentFunction": "sentiment-2"}))
    assert changes.replaced == frozenset()
    assert {name[:24] for name in changes.made | changes.deleted} == {"SentimentFunctionVersion"}
    assert set(changes.changed) == {"SentimentFunction", "SentimentFunctionAliaslive"}


def test_the_same_again_changes_nothing() -> None:
    assert compare(Stack(FULL), Stack(FULL)) == Changes(frozenset(), frozenset(), {}, frozenset())


# --- a bad canary ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An endpoint that serves the classic model."""
    with local_stack("--endpoint-only", "--model", "classic") as running:
        yield running.url


def run_version(model: str, endpoint: str, requests: int) -> tuple[list[int], list[dict[str, Any]]]:
    """Statuses and metrics of a version of the function, with the deployed environment."""
    parameters = {"ModelName": model, "SageMakerRuntimeUrl": endpoint}
    deployed = Stack(parameters).resources["SentimentFunction"]["Properties"]
    function = replace(
        Template(ROOT / "template.yaml", parameters).function("SentimentFunction"),
        environment=deployed["Environment"]["Variables"]
        | {"VOCABULARIES_DIR": str(ROOT / "model_training" / "models")},
    )
    event = json.loads((ROOT / "events" / "positive.json").read_text("utf-8"))
    line = json.dumps({"event": event, "requestId": "r", "timeout": function.timeout}) + "\n"
    ran = subprocess.run(
        [sys.executable, "-P", "-u", str(BOOTSTRAP), function.handler],
        input=line * requests,
        cwd=function.folders[0],
        env=process_environment(function),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(answer) for answer in ran.stdout.splitlines()][1:]
    logged = [json.loads(text) for text in ran.stderr.splitlines() if text.startswith("{")]
    metrics = [entry for entry in logged if "_aws" in entry]
    return [answer["result"]["statusCode"] for answer in answers], metrics


def is_alarmed(alarm: Mapping[str, Any], minutes: Mapping[int, float], now: int) -> bool:
    """What CloudWatch makes of a sum each minute: M of the last N, a missing one does no harm."""
    latest = range(now - alarm["EvaluationPeriods"] + 1, now + 1)
    breaching: list[bool] = [minutes.get(minute, 0) >= alarm["Threshold"] for minute in latest]
    wanted: int = alarm["DatapointsToAlarm"]
    return sum(breaching) >= wanted


def counted(alarm: Mapping[str, Any], metrics: list[dict[str, Any]]) -> float:
    """The sum of an alarm's metric in what a function logged."""
    total = 0.0
    for entry in metrics:
        for directive in entry["_aws"]["CloudWatchMetrics"]:
            names = {metric["Name"] for metric in directive["Metrics"]}
            dimensions = {d["Name"]: d["Value"] for d in alarm["Dimensions"]}
            matches = any(set(group) == set(dimensions) for group in directive["Dimensions"])
            values = {name: str(entry.get(name)) for name in dimensions}
            if directive["Namespace"] == alarm["Namespace"] and matches and values == dimensions:
                total += sum(entry[alarm["MetricName"]]) if alarm["MetricName"] in names else 0
    return total


@pytest.mark.rehearses(
    "a bad canary",
    "ran",
    "two versions of the function, whose metrics an alarm's rule judges",
)
def test_a_canary_that_fails_sets_off_the_alarm_however_late_it_is_heard_of(endpoint: str) -> None:
    alarm = Stack({}).resources["FailureAlarm"]["Properties"]
    statuses, metrics = run_version("classic", endpoint, 9)
    assert statuses == [200] * 9
    assert counted(alarm, metrics) == 0
    # One request in ten meets the new version, which asks for another vocabulary.
    statuses, metrics = run_version("modern", endpoint, 1)
    assert statuses == [500]
    failures = counted(alarm, metrics)
    assert failures == 1
    for late in range(alarm["EvaluationPeriods"]):
        assert is_alarmed(alarm, {0: failures}, now=late)
    assert not is_alarmed(alarm, {}, now=0)


@pytest.mark.rehearses(
    "CodeDeploy's rollback",
    "checked",
    "its group names the alarms and stops on them",
)
def test_codedeploy_shifts_traffic_with_our_role_and_goes_back_on_that_alarm() -> None:
    group = Stack({}).resources["SentimentFunctionDeploymentGroup"]["Properties"]
    assert group["ServiceRoleArn"].startswith("RolloutRole-")
    alias = Stack({}).document["Resources"]["SentimentFunctionAliaslive"]
    assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    named = [entry["Name"].partition("-")[0] for entry in group["AlarmConfiguration"]["Alarms"]]
    assert named == ["FailureAlarm", "CrashAlarm"]
    assert group["AutoRollbackConfiguration"]["Enabled"] is True
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    at_once = Stack({"Rollout": "AllAtOnce"}).resources["SentimentFunctionDeploymentGroup"]
    assert at_once["Properties"]["AlarmConfiguration"] == {}


# --- the deployment's role ------------------------------------------------------------------------

# What the types would do with properties that the template does not have: networks, file systems,
# keys of one's own, streams, tables, and policies of users and groups.
NOT_NEEDED = (
    *("ec2:*", "elasticfilesystem:*", "firehose:*", "kms:*", "s3files:*", "s3tables:*"),
    *("iam:*GroupPolicy", "iam:*UserPolicy", "iam:*PermissionsBoundary"),
)


@cache
def allowed_patterns() -> list[str]:
    role = Template(ROOT / "account.yaml").resources["StackRole"]["Properties"]
    return [
        action
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    ]


@pytest.mark.rehearses(
    "the deployment's role",
    "checked",
    "allows what the schemas' handlers ask for",
)
def test_the_deployments_role_may_do_what_awss_types_do() -> None:
    allowed = (*allowed_patterns(), *NOT_NEEDED)
    for kind in {body["Type"] for name in (FULL, {}) for body in Stack(name).resources.values()}:
        handlers = find_schema(kind).get("handlers", {})
        acting = [handlers.get(name, {}) for name in ("create", "read", "update", "delete")]
        needed = {action for handler in acting for action in handler.get("permissions", [])}
        missing = {a for a in needed if not any(fnmatch.fnmatch(a, p) for p in allowed)}
        assert missing == set(), kind


def test_the_deployments_role_may_do_no_more_than_the_template_needs() -> None:
    kinds = {body["Type"] for name in (FULL, {}) for body in Stack(name).resources.values()}
    used = {kind.split("::")[1].lower() for kind in kinds} | {
        "apigateway",
        "application-autoscaling",
    }
    services = {pattern.split(":")[0] for pattern in allowed_patterns()}
    # CloudFormation runs SAM's transform; a certificate and a web ACL are looked at.
    assert services - used <= {"cloudformation", "acm", "wafv2"}
    assert "iam:*" not in allowed_patterns()


# --- what is said of a rehearsal ------------------------------------------------------------------

RUN = """
import pytest

@pytest.mark.rehearses("a deployment", "ran", "in an account")
def test_deploys(record_property):
    record_property("rehearses", ("a bucket", "ran", "made"))

@pytest.mark.rehearses("a bucket", "checked", "by its schema")
@pytest.mark.rehearses("a role", "checked", "by its schema")
def test_checks():
    pass

@pytest.mark.rehearses("a container", "ran", "read-only")
@pytest.mark.skip
def test_is_left_out():
    pass

@pytest.mark.rehearses("a deletion", "ran", "in an account")
def test_fails():
    assert False

@pytest.mark.rehearses("a server", "ran", "as it is started")
def test_cannot_start(no_such_fixture):
    pass

def test_claims_nothing():
    pass
"""
SAID = """
a deletion   failed   in an account
a server     failed   as it is started
a deployment ran      in an account
a bucket     ran      made
a role       checked  by its schema
a container  skipped  read-only
AWS itself   never    no account was used so far
"""


def test_the_rehearsals_table_says_what_ran_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "test_run.py").write_text(RUN, "utf-8")
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.template.rehearsal", "-c", os.devnull),
            *("--rootdir", str(tmp_path), "-p", "no:cacheprovider", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    _, _, table = ran.stdout.partition("what was exercised, and what only checked")
    lines = [line.split() for line in table.splitlines()[1:]]
    said = [line.split() for line in SAID.split("\n") if line]
    assert lines[: len(said)] == said, ran.stdout + ran.stderr
    assert lines[len(said)][0].startswith("=")


def test_make_rehearse_prints_that_table() -> None:
    made = subprocess.run(
        ["make", "--dry-run", "rehearse"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "-m pytest -p tests.template.rehearsal tests/template" in made.stdout
