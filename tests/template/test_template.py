"""Our own rules on template.yaml, which no linter knows."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

import uploads
from benchmarks.cost import Assumptions, standing
from errors import SetUpError
from events import HEADER
from local_stack.gateway import API_TIMEOUT, SECURITY_HEADERS
from local_stack.template import CloudFormationLoader, Template
from settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = Template(ROOT / "template.yaml")
DOCUMENT = TEMPLATE.document
DASHBOARD = yaml.load((ROOT / "dashboard.yaml").read_text("utf-8"), CloudFormationLoader)
PARAMETERS: dict[str, dict[str, Any]] = DOCUMENT["Parameters"]
FUNCTIONS = sorted(
    name for name, r in TEMPLATE.resources.items() if r["Type"] == "AWS::Serverless::Function"
)

ROUTES = {
    "POST /api/sentiment",
    "POST /api/sentiments",
    "POST /api/comprehend",
    "GET /api/model",
    "GET /api/health",
}

# Wildcards in what is allowed; what is denied may be as wide as it likes.
WILDCARDS = {
    # A bucket's objects: the website's names are its files' names.
    ("SiteBucketPolicy", "s3:GetObject"): ["${SiteBucket.Arn}/*"],
    ("PublisherFunctionRole", "s3:PutObject"): ["${SiteBucket.Arn}/*", "${ModelBucket.Arn}/*"],
    # This stack's models, endpoints and their logs: while a new model takes over, two are at work.
    ("ModelRole", "s3:GetObject"): ["${ModelBucket.Arn}/models/*"],
    ("ModelRole", "logs:CreateLogStream"): ["/aws/sagemaker/Endpoints/reeltone-${Stack}-*"],
    ("SentimentFunctionRole", "sagemaker:InvokeEndpoint"): ["endpoint/reeltone-${Stack}-*"],
    # Files to score have any name; results end as only results do.
    ("UploadsFunctionRole", "sagemaker:InvokeEndpoint"): ["endpoint/reeltone-${Stack}-*"],
    ("UploadsFunctionRole", "s3:GetObject"): ["${UploadBucket.Arn}/*"],
    ("UploadsFunctionRole", "s3:PutObject"): [
        "${UploadBucket.Arn}/*.scored.csv",
        "${UploadBucket.Arn}/*.report.csv",
        "${UploadBucket.Arn}/reeltone-jobs/*.transform",
    ],
    # Jobs for files of this stack's, and what they are sent and answer.
    ("UploadsFunctionRole", "sagemaker:AddTags"): ["transform-job/reeltone-${Stack}-upload-*"],
    ("UploadTransformPolicy", "s3:GetObject"): ["${UploadBucket.Arn}/reeltone-jobs/*"],
    ("UploadTransformPolicy", "logs:CreateLogGroup"): ["/aws/sagemaker/TransformJobs:*"],
    # Batch transforms: a folder for each job, and one log group for all of them.
    ("TransformPolicy", "s3:GetObject"): ["/${JobsPrefix}/transform/*"],
    ("TransformPolicy", "logs:CreateLogGroup"): ["/aws/sagemaker/TransformJobs:*"],
    # Training jobs: their part of the bucket, AWS's image of whichever account, one log group.
    ("JobsRole", "s3:GetObject"): ["${JobsBucket}/${JobsPrefix}/*"],
    ("JobsRole", "ecr:BatchCheckLayerAvailability"): ["${AWS::Region}:*:repository/pytorch"],
    ("JobsRole", "logs:CreateLogGroup"): ["/aws/sagemaker/TrainingJobs:*"],
    # AWS knows no narrower resource.
    ("JobsRole", "ecr:GetAuthorizationToken"): ["*"],
    ("JobsRole", "cloudwatch:PutMetricData"): ["*"],
    ("ModelRole", "ecr:GetAuthorizationToken"): ["*"],
    ("ModelRole", "cloudwatch:PutMetricData"): ["*"],
    ("RolloutRole", "cloudwatch:DescribeAlarms"): ["${AWS::AccountId}:alarm:*"],
}

PHYSICAL_NAMES = {
    "AlarmName",
    "BucketName",
    "DashboardName",
    "EndpointConfigName",
    "EndpointName",
    "FunctionName",
    "LayerName",
    "LogGroupName",
    "ModelName",
    "Name",
    "RoleName",
    "TopicName",
}


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key in the value, however deep, with what stands there."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def referenced_names(value: Any) -> set[str]:
    names = set()
    for key, inner in walk(value):
        if key in ("Ref", "Condition") and isinstance(inner, str):
            names.add(inner)
        elif key == "Fn::Sub":
            names.update(re.findall(r"\$\{([^!.}]+)", as_list(inner)[0]))
    return names


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = TEMPLATE.resources[name]["Properties"]
    return found


class RecordingEnvironment(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


# --- parameters and outputs -----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_parameter_is_described_and_bounded(name: str) -> None:
    parameter = PARAMETERS[name]
    assert len(parameter["Description"]) > 20
    bounds = {"AllowedValues", "AllowedPattern"} & set(parameter)
    assert bounds or {"MinValue", "MaxValue"} <= set(parameter)
    if "AllowedPattern" in parameter:
        assert "ConstraintDescription" in parameter, "a pattern alone explains nothing"


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_parameter_has_a_default_within_its_bounds(name: str) -> None:
    parameter = PARAMETERS[name]
    default = parameter["Default"]
    assert default in parameter.get("AllowedValues", [default])
    assert re.fullmatch(parameter.get("AllowedPattern", ".*"), str(default))
    if "MinValue" in parameter:
        assert parameter["MinValue"] <= default <= parameter["MaxValue"]


def test_every_parameter_is_used() -> None:
    used = referenced_names([DOCUMENT["Conditions"], TEMPLATE.resources, DOCUMENT["Outputs"]])
    assert set(PARAMETERS) <= used


def test_every_condition_is_used() -> None:
    named = re.findall(r"(?:!If \[|!If\n +- |Condition:? )(\w+)", TEMPLATE.path.read_text("utf-8"))
    assert set(DOCUMENT["Conditions"]) <= set(named)


def test_every_parameter_stands_in_one_group_of_the_console_form() -> None:
    groups = DOCUMENT["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)


@pytest.mark.parametrize("name", sorted(DOCUMENT["Outputs"]))
def test_an_output_is_described(name: str) -> None:
    assert len(DOCUMENT["Outputs"][name]["Description"]) > 20


# --- resources ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_logs_to_its_own_group(name: str) -> None:
    group = properties(name)["LoggingConfig"]["LogGroup"]["Ref"]
    assert group == f"{name}LogGroup"
    assert TEMPLATE.resources[group]["Type"] == "AWS::Logs::LogGroup"


def test_no_log_is_kept_for_ever() -> None:
    groups = [n for n, r in TEMPLATE.resources.items() if r["Type"] == "AWS::Logs::LogGroup"]
    assert groups
    assert all("RetentionInDays" in properties(name) for name in groups)


def statements(effect: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The statements of all policies, with the resource that they belong to."""
    for name, resource in TEMPLATE.resources.items():
        for key, found in walk(resource["Properties"]):
            for statement in as_list(found) if key == "Statement" else []:
                if statement["Effect"] == effect:
                    yield name, statement


def texts(value: Any) -> Iterator[str]:
    """The strings in a value, in the branches of Fn::If and Fn::Sub, too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and "Fn::Sub" in value:
        yield as_list(value["Fn::Sub"])[0]
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


def test_every_action_is_named() -> None:
    actions = [a for _, allowed in statements("Allow") for a in as_list(allowed["Action"])]
    assert "sagemaker:InvokeEndpoint" in actions
    assert [action for action in actions if "*" in action] == []


def test_a_wildcard_in_a_resource_has_its_reason() -> None:
    found = {
        (name, as_list(allowed["Action"])[0]): wild
        for name, allowed in statements("Allow")
        if (wild := [t for t in texts(allowed.get("Resource", [])) if "*" in t])
    }
    assert set(found) == set(WILDCARDS)
    for key, wild in found.items():
        assert [t for t, end in zip(wild, WILDCARDS[key], strict=True) if not t.endswith(end)] == []
        # The others are ARNs of one account and region, or a bucket's own.
        assert all(t == "*" or t.startswith(("arn:${AWS::Partition}:", "${")) for t in wild)


def test_a_role_trusts_one_service() -> None:
    roles = [n for n, r in TEMPLATE.resources.items() if r["Type"] == "AWS::IAM::Role"]
    for name in roles:
        [trust] = properties(name)["AssumeRolePolicyDocument"]["Statement"]
        assert isinstance(trust["Principal"]["Service"], str)
        assert "ManagedPolicyArns" not in properties(name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_role_of_its_own(name: str) -> None:
    # Without one, SAM adds AWSLambdaBasicExecutionRole, which may write to any log group.
    role = properties(name)["Role"]["Fn::GetAtt"][0]
    assert role == f"{name}Role"
    assert "ManagedPolicyArns" not in properties(role)


def test_no_resource_has_a_physical_name() -> None:
    named = [
        (name, key)
        for name, resource in TEMPLATE.resources.items()
        for key in PHYSICAL_NAMES & set(resource.get("Properties", {}))
        # These say which endpoint, model or log to use, they do not name one.
        if (resource["Type"], key)
        not in {
            ("AWS::SageMaker::Endpoint", "EndpointConfigName"),
            ("AWS::Logs::MetricFilter", "LogGroupName"),
            ("AWS::Logs::QueryDefinition", "Name"),  # must be given, need not be unique
            ("Custom::Publication", "ModelName"),
        }
    ]
    # Named after the archive's content, so that a new model is a new endpoint beside the old one.
    assert named == [("ModelEndpoint", "EndpointName"), ("ModelEndpointLogGroup", "LogGroupName")]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_named_after_its_folder(name: str) -> None:
    folder = TEMPLATE.function(name).folders[0]
    assert name == "".join(part.title() for part in folder.name.split("_")) + "Function"
    assert (folder / "Makefile").is_file()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_on_python_3_13_built_by_its_makefile(name: str) -> None:
    assert properties(name)["Runtime"] == "python3.13"
    assert TEMPLATE.resources[name]["Metadata"]["BuildMethod"] == "makefile"


@pytest.mark.parametrize("path", ["template.yaml", ".checkov.yaml"])
def test_a_linters_exemption_has_its_reason(path: str) -> None:
    lines = (ROOT / path).read_text("utf-8").splitlines()
    exempt = [
        (rule, before + line)
        for before, line in pairwise(lines)
        for rule in re.findall(r"- (CKV_\w+)|ignore_checks: \[(\w+)\]", line)
    ]
    assert exempt
    for _, text in exempt:
        assert len(text.split("# ", 1)[1]) > 30


# --- the request path -----------------------------------------------------------------------------


def test_the_api_has_the_routes_of_the_contract() -> None:
    assert {route.key for route in TEMPLATE.routes} == ROUTES
    assert len(TEMPLATE.routes) == len(ROUTES)


def test_the_inner_time_out_strikes_first() -> None:
    """The SDK's < the handler's deadline, which is in its own test < the function's < …"""
    function = TEMPLATE.function("SentimentFunction").timeout
    events = properties("SentimentFunction")["Events"].values()
    [api] = {event["Properties"]["TimeoutInMillis"] / 1000 for event in events}
    cdn = origin("api")["CustomOriginConfig"]["OriginReadTimeout"]
    assert (function, api, cdn) == (29, 30, 35)
    assert api == API_TIMEOUT


UPLOADS = {n: r for n, r in TEMPLATE.resources.items() if n.startswith("Upload")}


def test_without_its_parameter_nothing_of_the_upload_bucket_is_made() -> None:
    assert UPLOADS
    assert {resource.get("Condition") for resource in UPLOADS.values()} == {"HasUploads"}


def test_a_file_stays_in_the_queue_for_as_long_as_it_may_be_worked_on() -> None:
    function, queue = properties("UploadsFunction"), properties("UploadQueue")
    assert queue["VisibilityTimeout"] > function["Timeout"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] == "UploadDeadLetterQueue"
    kept = properties("UploadDeadLetterQueue")["MessageRetentionPeriod"]
    assert kept > queue["MessageRetentionPeriod"]
    [source] = function["Events"].values()
    assert source["Properties"]["BatchSize"] == 1


def test_the_functions_own_results_are_no_new_files() -> None:
    detail = properties("UploadRule")["EventPattern"]["detail"]
    [key] = detail["object"]["key"]
    assert tuple(key["anything-but"]["suffix"]) == uploads.OURS
    written = [t.rpartition("*")[2] for t in WILDCARDS["UploadsFunctionRole", "s3:PutObject"]]
    assert (*written, f"{written[-1]}.out") == uploads.OURS


def test_the_stacks_own_jobs_and_no_others_are_heard_of() -> None:
    detail = properties("UploadTransformRule")["EventPattern"]["detail"]
    [name] = detail["TransformJobName"]
    prefix, stack = name["prefix"]["Fn::Sub"]
    assert prefix == "reeltone-${Stack}-upload-"
    assert (
        stack == properties("SiteAccessControl")["OriginAccessControlConfig"]["Name"]["Fn::Sub"][1]
    )
    # A stack's id gives 8 characters; a file and a model 16; and 63 is what a name may have.
    assert len(prefix.replace("${Stack}", "x" * 8)) + 16 + len("-999") <= 63
    variables = properties("UploadsFunction")["Environment"]["Variables"]
    assert variables["STACK_ID"] == {"Ref": "AWS::StackId"}
    assert variables["TRANSFORM_MODEL"] == {"Fn::GetAtt": ["Model", "ModelName"]}
    [statement] = properties("UploadQueuePolicy")["PolicyDocument"]["Statement"]
    rules = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert [rule["Fn::GetAtt"][0] for rule in rules] == ["UploadRule", "UploadTransformRule"]


def test_uploads_are_read_with_the_settings_of_the_api() -> None:
    theirs = properties("SentimentFunction")["Environment"]["Variables"]
    ours = properties("UploadsFunction")["Environment"]["Variables"]
    for name in ("ENDPOINT_NAME", "MODEL_NAME", "VOCABULARIES_DIR"):
        assert ours[name] == theirs[name]


def test_the_publisher_is_told_its_own_stack_and_buckets() -> None:
    variables = properties("PublisherFunction")["Environment"]["Variables"]
    assert variables == {
        "STACK_ID": {"Ref": "AWS::StackId"},
        "SITE_BUCKET": {"Ref": "SiteBucket"},
        "MODEL_BUCKET": {"Ref": "ModelBucket"},
    }


def test_a_service_assumes_a_role_for_this_account_alone() -> None:
    roles = {name for name, r in TEMPLATE.resources.items() if r["Type"] == "AWS::IAM::Role"}
    assert len(roles) >= 4
    for name in roles:
        for statement in properties(name)["AssumeRolePolicyDocument"]["Statement"]:
            condition = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
            assert statement["Condition"] == condition, name


def test_cloudformation_waits_longer_than_the_publisher_can_run() -> None:
    publisher = TEMPLATE.function("PublisherFunction").timeout
    assert publisher < properties("Publication")["ServiceTimeout"]


def test_the_function_gets_the_variables_that_it_reads() -> None:
    template = Template(ROOT / "template.yaml", {"SageMakerRuntimeUrl": "http://127.0.0.1:1"})
    environment = template.function("SentimentFunction").environment
    recording = RecordingEnvironment(environment | {"VOCABULARIES_DIR": "/nowhere"})
    with pytest.raises(SetUpError, match="/nowhere"):
        read_settings(recording)
    own = {name for name in environment if not name.startswith("POWERTOOLS_")}
    assert own == recording.asked


def test_the_libraries_variables_are_the_documented_ones() -> None:
    environment = TEMPLATE.function("SentimentFunction").environment
    assert {name for name in environment if name.startswith("POWERTOOLS_")} == {
        "POWERTOOLS_SERVICE_NAME",
        "POWERTOOLS_METRICS_NAMESPACE",
        "POWERTOOLS_LOG_LEVEL",
    }


def test_nothing_but_aws_is_asked_unless_somebody_says_so() -> None:
    environment = TEMPLATE.function("SentimentFunction").environment
    assert environment["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] == ""


def test_the_access_log_tells_nothing_about_the_caller() -> None:
    access_log = properties("SentimentApi")["AccessLogSettings"]["Format"]
    assert "$context.status" in access_log
    assert not re.search(r"identity|userAgent|sourceIp", access_log)


# --- the website ----------------------------------------------------------------------------------


def distribution() -> dict[str, Any]:
    found: dict[str, Any] = properties("SiteDistribution")["DistributionConfig"]
    return found


def origin(name: str) -> dict[str, Any]:
    [found] = [o for o in distribution()["Origins"] if o["Id"] == name]
    return dict(found)


def response_headers() -> dict[str, str]:
    """The headers that CloudFront adds, as a browser sees them."""
    policy = properties("SiteHeaders")["ResponseHeadersPolicyConfig"]
    security = policy["SecurityHeadersConfig"]
    assert all(header["Override"] for header in security.values())
    hsts = security["StrictTransportSecurity"]["AccessControlMaxAgeSec"]
    return {
        "content-security-policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "x-content-type-options": "nosniff",
        "x-frame-options": security["FrameOptions"]["FrameOption"],
        "referrer-policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "strict-transport-security": f"max-age={hsts}",
    } | {item["Header"]: item["Value"] for item in policy["CustomHeadersConfig"]["Items"]}


def test_cloudfront_shows_the_function_the_secret_that_it_asks_for() -> None:
    [api] = [
        origin
        for origin in properties("SiteDistribution")["DistributionConfig"]["Origins"]
        if origin["Id"] == "api"
    ]
    secret = {"Fn::GetAtt": ["Publication", "OriginSecret"]}
    assert api["OriginCustomHeaders"] == [{"HeaderName": HEADER, "HeaderValue": secret}]
    variables = properties("SentimentFunction")["Environment"]["Variables"]
    assert variables["ORIGIN_SECRET"] == {"Fn::If": ["AsksStandIn", "", secret]}
    # Another secret is another version, or the live one would refuse CloudFront.
    description = properties("SentimentFunction")["VersionDescription"]["Fn::Sub"][0]
    assert "${Publication.OriginVersion}" in description


def test_cloudfront_adds_the_headers_that_the_local_stack_adds() -> None:
    headers = response_headers()
    # Counts over HTTPS only, which one machine does not have.
    assert headers.pop("strict-transport-security") == "max-age=31536000"
    assert headers == SECURITY_HEADERS


def test_no_script_or_style_may_stand_in_the_page_itself() -> None:
    policy = response_headers()["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_every_path_has_the_headers() -> None:
    behaviours = [distribution()["DefaultCacheBehavior"], *distribution()["CacheBehaviors"]]
    assert [b["ResponseHeadersPolicyId"] for b in behaviours] == [{"Ref": "SiteHeaders"}] * 2


def test_every_route_of_the_api_is_behind_cloudfront_and_never_cached() -> None:
    [api] = distribution()["CacheBehaviors"]
    assert api["PathPattern"] == "/api/*"
    assert all(route.path.startswith("/api/") for route in TEMPLATE.routes)
    assert {route.method for route in TEMPLATE.routes} <= set(api["AllowedMethods"])
    assert api["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert api["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def test_cloudfront_keeps_no_error_and_rewrites_none() -> None:
    """Else a model that woke up would seem asleep for 10 s, with somebody else's request id."""
    responses = distribution()["CustomErrorResponses"]
    kept = {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}
    assert {response["ErrorCode"] for response in responses} == kept
    for response in responses:
        assert response == {"ErrorCode": response["ErrorCode"], "ErrorCachingMinTTL": 0}


def test_a_name_that_must_be_given_is_short_however_long_the_stacks_is() -> None:
    for policy in (
        properties("SiteAccessControl")["OriginAccessControlConfig"],
        properties("SiteHeaders")["ResponseHeadersPolicyConfig"],
    ):
        name, values = policy["Name"]["Fn::Sub"]
        assert set(values) == {"Stack"}
        name = name.replace("${Stack}", "51af3dc0").replace("${AWS::Region}", "ap-northeast-1")
        assert len(name) <= 64
        assert "$" not in name


BUCKETS = sorted(n for n, r in TEMPLATE.resources.items() if r["Type"] == "AWS::S3::Bucket")


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_private_encrypted_versioned_and_tidies_up(name: str) -> None:
    bucket = properties(name)
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert any("NoncurrentVersionExpiration" in rule for rule in rules)
    # What is current is kept, for a rollback needs the former model; but somebody's files are not.
    expires = [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule]
    assert expires == ([30, 7] if name == "UploadBucket" else [])


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_refuses_requests_without_tls(name: str) -> None:
    denials = [s for n, s in statements("Deny") if n == f"{name}Policy"]
    [denial] = denials
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (denial["Principal"], denial["Action"]) == ("*", "s3:*")
    assert len(denial["Resource"]) == 2


def test_only_cloudfront_reads_the_website_and_only_for_this_distribution() -> None:
    allowed = [s for n, s in statements("Allow") if n == "SiteBucketPolicy"]
    for statement in allowed:
        assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        [source] = statement["Condition"]["StringEquals"].values()
        assert source["Fn::Sub"].endswith(":distribution/${SiteDistribution}")
    assert [s for n, s in statements("Allow") if n == "ModelBucketPolicy"] == []


# --- the endpoint ---------------------------------------------------------------------------------


def test_all_that_an_endpoint_is_started_with_is_in_its_version() -> None:
    container = dict(properties("Model")["PrimaryContainer"])
    serving = properties("Publication")["Serving"]
    assert container.pop("ModelDataUrl") == {"Fn::GetAtt": ["Publication", "ModelDataUrl"]}
    assert container.items() <= serving.items()
    variant = properties("ModelEndpointConfig")["ProductionVariants"]
    in_place = {"ServerlessConcurrency", "MinInstances"}
    started_with = referenced_names(variant) - in_place - {"IsServerless"}
    assert started_with <= referenced_names(serving)


def test_no_instance_type_is_burstable() -> None:
    """Their number cannot be registered for scaling."""
    assert not any(kind.startswith("ml.t") for kind in PARAMETERS["InstanceType"]["AllowedValues"])


def test_instances_that_scaling_added_survive_an_update() -> None:
    retained = properties("ModelEndpoint")["RetainAllVariantProperties"]
    assert retained == {"Fn::If": ["IsOnInstances", True, {"Ref": "AWS::NoValue"}]}


def test_what_the_function_is_made_of_stands_in_its_versions_description() -> None:
    """SAM sees no change of these; a version is replaced when its description changes."""
    function = properties("SentimentFunction")
    parts = {key: function[key] for key in ("Architectures", "Layers", "Environment", "SnapStart")}
    made_of = referenced_names(parts) - {"AWS::StackName"}
    description = function["VersionDescription"]
    assert made_of <= referenced_names(description)
    longest = {"${Endpoint}": 63, "${VocabularyLayer}": 100}
    longest["${Publication.OriginVersion}"] = 8
    text = description["Fn::Sub"][0]
    for name, length in longest.items():
        text = text.replace(name, "x" * length)
    for name, parameter in PARAMETERS.items():
        values = map(str, parameter.get("AllowedValues", [""]))
        text = text.replace(f"${{{name}}}", max(values, key=len))
    assert "$" not in text
    assert len(text) <= 256


# --- alarms, dashboard ----------------------------------------------------------------------------

ALARMS = sorted(n for n, r in TEMPLATE.resources.items() if r["Type"] == "AWS::CloudWatch::Alarm")


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_is_wrong_and_tells_the_reader(name: str) -> None:
    alarm = properties(name)
    assert len(alarm["AlarmDescription"]) > 20
    assert alarm["TreatMissingData"] == "notBreaching", "no requests are no trouble"
    tell = ["HasReader", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]
    assert alarm["AlarmActions"] == {"Fn::If": tell}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_hears_of_metrics_that_come_late(name: str) -> None:
    """FILL would put zero in a late one's place, and one of one minute has no second look."""
    alarm = properties(name)
    assert "Metrics" not in alarm
    assert alarm["Period"] >= 300 or alarm["DatapointsToAlarm"] < alarm["EvaluationPeriods"]


def test_a_default_stack_costs_at_most_a_dollar_while_nobody_asks() -> None:
    always = [name for name in ALARMS if "Condition" not in TEMPLATE.resources[name]]
    serverless = [n for n in ALARMS if TEMPLATE.resources[n].get("Condition") == "IsServerless"]
    assert set(ALARMS) - {*always, *serverless} == {"UploadFailureAlarm"}
    assert TEMPLATE.resources["UploadFailureAlarm"]["Condition"] == "HasUploads"
    assert PARAMETERS["ScoreUploads"]["Default"] == "no"
    assert TEMPLATE.resources["Dashboard"]["Condition"] == "HasDashboard"
    assert PARAMETERS["ShowDashboard"]["Default"] == "no"
    given = Assumptions(text_ms=0, model_ms=0, distilbert_ms=0)  # nobody asks
    assert (given.alarm_metrics, given.dashboards) == (len(always) + len(serverless), 0)
    assert standing(given) <= 1


def test_a_limit_for_each_address_refuses_as_the_throttle_does_and_takes_no_samples() -> None:
    acl = Template(ROOT / "account.yaml").resources["WebAcl"]["Properties"]
    [rule] = acl["Rules"]
    refusal = rule["Action"]["Block"]["CustomResponse"]
    assert refusal["ResponseCode"] == 429
    [wait] = refusal["ResponseHeaders"]
    limit = rule["Statement"]["RateBasedStatement"]
    assert wait == {"Name": "retry-after", "Value": str(limit["EvaluationWindowSec"])}
    assert limit["AggregateKeyType"] == "IP"
    assert limit["ScopeDownStatement"]["ByteMatchStatement"]["SearchString"] == "/api/"
    seen = [acl["VisibilityConfig"], rule["VisibilityConfig"]]
    assert not any(each["SampledRequestsEnabled"] for each in seen)


def test_alarms_and_dashboard_look_at_metrics_that_the_function_counts() -> None:
    telemetry = (ROOT / "functions" / "sentiment" / "telemetry.py").read_text(encoding="utf-8")
    environment = properties("SentimentFunction")["Environment"]["Variables"]
    namespace = environment["POWERTOOLS_METRICS_NAMESPACE"]["Fn::Sub"]
    metric = properties("FailureAlarm")
    assert metric["Namespace"] == {"Fn::Sub": namespace}
    dimension = {"Name": "service", "Value": environment["POWERTOOLS_SERVICE_NAME"]}
    assert metric["Dimensions"] == [dimension]
    assert f'"{metric["MetricName"]}"' in telemetry
    own = [m for m in dashboard_metrics() if m[0] == namespace]
    assert {m[1] for m in own} >= {"Answered", "Refused", "Unavailable", "Failed"}
    assert [m for m in own if f'"{m[1]}"' not in telemetry] == []


def dashboard_metrics() -> Iterator[list[str]]:
    """Metrics of all widgets, with the abbreviations written out."""
    for widget in json.loads(DASHBOARD["DashboardBody"]["Fn::Sub"])["widgets"]:
        former: list[str] = []
        for line in widget["properties"].get("metrics", []):
            metric = [part for part in line if isinstance(part, str)]
            if metric == ["..."]:
                metric = former
            former = [former[i] if part == "." else part for i, part in enumerate(metric)]
            yield former


def test_the_dashboard_shows_resources_of_the_template() -> None:
    known = {*TEMPLATE.resources, "AWS::Region", "AWS::StackName"}
    names = {name.split(".")[0] for name in referenced_names(DASHBOARD)}
    assert names <= known
    assert {"SentimentApi", "SentimentFunction", "ModelEndpoint"} <= names
    included = properties("Dashboard")["Fn::Transform"]
    assert included == {"Name": "AWS::Include", "Parameters": {"Location": "dashboard.yaml"}}


QUERIES = sorted(
    n for n, r in TEMPLATE.resources.items() if r["Type"] == "AWS::Logs::QueryDefinition"
)


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_reads_fields_that_the_function_logs(name: str) -> None:
    query = properties(name)
    assert query["LogGroupNames"] == [{"Ref": "SentimentFunctionLogGroup"}]
    telemetry = (ROOT / "functions" / "sentiment" / "telemetry.py").read_text(encoding="utf-8")
    text = re.sub(r" as \w+", "", query["QueryString"])
    fields = set(re.findall(r"[a-z]+(?!\w|\()", text)) - {"filter", "stats", "by", "d"}
    assert {"answered", "unknown", "tokens", "truncated", "unclear", "mixed"} <= fields
    assert [field for field in fields if not re.search(rf'\b{field}[="]', telemetry)] == []


def test_the_dashboard_shows_drift_as_the_saved_query_does() -> None:
    widgets = json.loads(DASHBOARD["DashboardBody"]["Fn::Sub"])["widgets"]
    [shown] = [w["properties"]["query"] for w in widgets if w["type"] == "log"]
    saved = properties("DriftQuery")["QueryString"]
    assert shown == f"SOURCE '${{SentimentFunctionLogGroup}}' | {saved}"
    other = properties("DriftByModelQuery")["QueryString"]
    assert saved.removesuffix("by bin(1d)") == other.removesuffix("by model")


def test_the_dashboards_widgets_do_not_overlap() -> None:
    widgets = json.loads(DASHBOARD["DashboardBody"]["Fn::Sub"])["widgets"]
    cells = [
        (x, y)
        for w in widgets
        for x in range(w["x"], w["x"] + w["width"])
        for y in range(w["y"], w["y"] + w["height"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


# --- samconfig.toml -------------------------------------------------------------------------------


def test_plain_sam_build_builds_in_source() -> None:
    samconfig = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert samconfig["default"]["build"]["parameters"]["build_in_source"] is True


@pytest.mark.parametrize("environment", ["default", "dev", "prod"])
def test_a_deployment_sets_parameters_that_exist(environment: str) -> None:
    samconfig = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    deploy = samconfig[environment]["deploy"]["parameters"]
    overrides = dict(entry.split("=") for entry in deploy.get("parameter_overrides", []))
    for name, value in overrides.items():
        allowed = map(str, PARAMETERS[name].get("AllowedValues", [value]))
        assert value in allowed
    # Without it, sam delete leaves the packages of earlier deployments in the bucket.
    assert deploy["s3_prefix"] == deploy["stack_name"]


def test_a_deployment_asks_aws_and_not_the_stand_in() -> None:
    samconfig = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert "RuntimeUrl" not in str([samconfig["dev"], samconfig["prod"]])
    local = {"local_invoke", "local_start_api"}
    naming = {
        name for name, section in samconfig["default"].items() if "RuntimeUrl" in str(section)
    }
    assert naming == local
