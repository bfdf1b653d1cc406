"""Our own rules on template.yaml, which no linter knows."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from errors import SetUpError
from local_stack.template import Template
from settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = Template(ROOT / "template.yaml")
DOCUMENT = TEMPLATE.document
PARAMETERS: dict[str, dict[str, Any]] = DOCUMENT["Parameters"]
FUNCTIONS = sorted(
    name for name, r in TEMPLATE.resources.items() if r["Type"] == "AWS::Serverless::Function"
)

ROUTES = {
    "POST /api/sentiment",
    "POST /api/sentiments",
    "GET /api/model",
    "GET /api/health",
}

PHYSICAL_NAMES = {
    "BucketName",
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
    used = referenced_names([DOCUMENT.get("Conditions"), TEMPLATE.resources, DOCUMENT["Outputs"]])
    assert set(PARAMETERS) <= used


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


def test_no_policy_has_a_wildcard() -> None:
    granted = [
        text
        for key, value in walk(TEMPLATE.resources)
        if key in ("Action", "Resource")
        for entry in as_list(value)
        for text in (entry if isinstance(entry, str) else entry.get("Fn::Sub", ""),)
    ]
    assert "sagemaker:InvokeEndpoint" in granted
    assert [text for text in granted if "*" in text] == []


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
        # These two say which endpoint and model to use, they do not name one.
        if (resource["Type"], key)
        not in {
            ("AWS::SageMaker::Endpoint", "EndpointConfigName"),
            ("AWS::SageMaker::EndpointConfig", "ModelName"),
        }
    ]
    assert named == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_named_after_its_folder(name: str) -> None:
    folder = TEMPLATE.function(name).folders[0]
    assert name == "".join(part.title() for part in folder.name.split("_")) + "Function"
    assert (folder / "Makefile").is_file()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_on_python_3_13_built_by_its_makefile(name: str) -> None:
    assert properties(name)["Runtime"] == "python3.13"
    assert TEMPLATE.resources[name]["Metadata"]["BuildMethod"] == "makefile"


# --- the request path -----------------------------------------------------------------------------


def test_the_api_has_the_routes_of_the_contract() -> None:
    assert {route.key for route in TEMPLATE.routes} == ROUTES
    assert len(TEMPLATE.routes) == len(ROUTES)


def test_the_inner_time_out_strikes_first() -> None:
    endpoint = (ROOT / "functions" / "sentiment" / "endpoint.py").read_text(encoding="utf-8")
    [sdk] = map(int, re.findall(r"\bread_timeout=(\d+)", endpoint))
    function = TEMPLATE.function("SentimentFunction").timeout
    events = properties("SentimentFunction")["Events"].values()
    [api] = {event["Properties"]["TimeoutInMillis"] / 1000 for event in events}
    assert (sdk, function, api) == (24, 29, 30)
    assert sdk < function < api


def test_the_function_gets_the_variables_that_it_reads() -> None:
    environment = TEMPLATE.function("SentimentFunction").environment
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


# --- samconfig.toml -------------------------------------------------------------------------------


def test_plain_sam_build_builds_in_source() -> None:
    samconfig = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert samconfig["default"]["build"]["parameters"]["build_in_source"] is True


def test_a_deployment_asks_aws_and_not_the_stand_in() -> None:
    samconfig = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    local = {"local_invoke", "local_start_api"}
    naming = {
        name for name, section in samconfig["default"].items() if "RuntimeUrl" in str(section)
    }
    assert naming == local
