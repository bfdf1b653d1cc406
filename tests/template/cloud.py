"""CloudFormation for tests: SAM's own transform, then moto for what moto knows of the template.

What moto does not do is done here: it calls the publisher's handler for the custom resource, and it
gives a resource that AWS would replace another logical id, for moto changes everything in place.
"""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.request import Request, urlopen

import boto3
from moto.cloudformation.models import cloudformation_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from samtranslator.translator.transform import transform

from local_stack.template import Template
from tests.servers import Quiet, handled

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"
STACK = "reeltone-test"
ADDRESS = (
    "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/answer"
)
PACKAGES = "packages"
"""The bucket that `sam deploy` would upload packages to."""

KNOWN = {
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SageMaker::Endpoint",
    "AWS::SageMaker::EndpointConfig",
    "AWS::SageMaker::Model",
}
# In the order of dependence. Source: "Update requires: Replacement" in CloudFormation's reference,
# for what changes here: everything of the first two, the others' names.
REPLACED = ("Model", "ModelEndpointConfig", "ModelEndpointLogGroup", "ModelEndpoint")

Resources = dict[str, dict[str, Any]]


def transform_template(code: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, Any]:
    """template.yaml as CloudFormation sees it.

    Args:
        code: the S3 key of each function's and layer's package, as `sam deploy` fills it in.
        parameters: values other than the defaults.
    """
    template = Template(ROOT / "template.yaml", parameters)
    document = copy.deepcopy(template.document)
    for name, key in code.items():
        properties = document["Resources"][name]["Properties"]
        place = "ContentUri" if "ContentUri" in properties else "CodeUri"
        properties[place] = f"s3://{PACKAGES}/{key}"
    transformed: dict[str, Any] = transform(document, dict(template.parameters), None)
    return transformed


def find_one(resources: Resources, kind: str, prefix: str = "") -> str:
    """The logical id of the one resource of that type whose id begins so."""
    [name] = [n for n, r in resources.items() if r["Type"] == kind and n.startswith(prefix)]
    return name


def mentions(value: Any, names: set[str]) -> bool:
    """Whether Ref, GetAtt or Sub in the value names one of these resources."""
    return any(re.search(rf'["{{]{name}["}}.]', json.dumps(value)) for name in names)


def fill(value: Any, found: Mapping[str, str]) -> Any:
    """The value with the names of leaves replaced by what was found for them."""
    if isinstance(value, dict):
        return {key: fill(inner, found) for key, inner in value.items()}
    return found.get(value, value)


@dataclass
class Cloud:
    """One stack in moto's account."""

    package: Path
    """The publisher's package, unpacked: its code, site/ and models/."""
    answers: list[dict[str, Any]] = field(default_factory=list)
    """What the publisher told CloudFormation."""
    parameters: dict[str, str] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    """What the publisher was asked last."""
    resources: Resources = field(default_factory=dict)
    url: str = ""

    @property
    def client(self) -> Any:
        """boto3's, for CloudFormation."""
        return boto3.client("cloudformation")

    def deploy(self, code: Mapping[str, str], **parameters: str) -> dict[str, str]:
        """`sam deploy`; gives the outputs that the resources known here are enough for."""
        template = transform_template(code, parameters)
        ours = Template(ROOT / "template.yaml", parameters)
        self.parameters = ours.parameters
        known = {
            name: resource
            for name, resource in template["Resources"].items()
            # moto looks for what a resource names, even where neither is to be made.
            if resource["Type"] in KNOWN
            and ("Condition" not in resource or ours.holds(resource["Condition"]))
        }
        for resource in known.values():
            # moto gives a layer no ARN in CloudFormation.
            resource["Properties"].pop("Layers", None)
        later = self._find_dependents(known)
        first = {n: r for n, r in known.items() if n not in later}
        kept = {n: r for n, r in self.resources.items() if n not in first}
        # The release is a version, which moto does not know; anything new each time will do.
        release = {"Release": str(len(self.answers))}
        leaves: dict[str, Any] = {}
        asked = self._choose(template["Resources"]["Publication"]["Properties"] | release, leaves)
        found = self._apply(template, first | kept, leaves)
        self.properties = fill(asked, found)
        attributes = self._publish("Update" if self.resources else "Create")
        text = json.dumps([known, template["Resources"]])
        for name, value in attributes.items():
            get = json.dumps({"Fn::GetAtt": ["Publication", name]})
            text = text.replace(get, json.dumps(value))
            text = text.replace(f"${{Publication.{name}}}", value)
        text, ids = self._rename_replaced(text)
        final, everything = json.loads(text)
        version = everything[find_one(everything, "AWS::Lambda::Version", "SentimentFunction")]
        layer = find_one(everything, "AWS::Lambda::LayerVersion")
        said, names = version["Properties"]["Description"]["Fn::Sub"]
        description = [said.replace(f"${{{layer}}}", layer), names]
        outputs = {
            "Endpoint": {"Fn::GetAtt": [ids["ModelEndpoint"], "EndpointName"]},
            "EndpointLogGroup": {"Ref": ids["ModelEndpointLogGroup"]},
            "NameOfEndpoint": everything[ids["ModelEndpoint"]]["Properties"]["EndpointName"],
            "Model": {"Fn::GetAtt": [ids["Model"], "ModelName"]},
            "Function": {"Ref": "SentimentFunction"},
            "Version": {"Fn::Sub": description},
            "SiteBucket": {"Ref": "SiteBucket"},
            "ModelBucket": {"Ref": "ModelBucket"},
        }
        made = self._apply(template, final, outputs)
        self.resources = final
        return made

    def delete(self) -> None:
        """`sam delete`: what was made last goes first."""
        self._publish("Delete")
        self.client.delete_stack(StackName=STACK)

    def _find_dependents(self, known: Resources) -> set[str]:
        found: set[str] = {"Publication"}
        while more := {n for n, r in known.items() if n not in found and mentions(r, found)}:
            found |= more
        return found

    def _rename_replaced(self, text: str) -> tuple[str, dict[str, str]]:
        """Give what AWS would replace an id of its content; gives the new ids, too."""
        ids = {}
        for name in REPLACED:
            content = json.dumps(json.loads(text)[0][name])
            values = {k: v for k, v in self.parameters.items() if re.search(rf"\b{k}\b", content)}
            digest = hashlib.sha256((content + json.dumps(values)).encode()).hexdigest()
            base = f"{name}X{digest[:8]}N"
            # moto makes nothing again under an id that it once deleted, so a number follows.
            there = (known for known in self.resources if known.startswith(base))
            ids[name] = next(there, f"{base}{len(self.answers)}")
            text = re.sub(rf'(?<=["{{]){name}(?=["}}.])', ids[name], text)
        return text, ids

    def _choose(self, value: Any, leaves: dict[str, Any]) -> Any:
        """A property with conditions decided; ``leaves`` get what moto is to resolve, by name."""
        match value:
            case {"Fn::If": [str(condition), yes, no]}:
                template = Template(ROOT / "template.yaml", self.parameters)
                return self._choose(yes if template.holds(condition) else no, leaves)
            case {"Ref": "AWS::NoValue"}:
                return None
            case dict() if any(key == "Ref" or key.startswith("Fn::") for key in value):
                name = f"Leaf{len(leaves)}"
                leaves[name] = value
                return name
            case dict():
                chosen = {key: self._choose(inner, leaves) for key, inner in value.items()}
                return {key: inner for key, inner in chosen.items() if inner is not None}
            case _:
                return str(value)

    def _apply(
        self, template: dict[str, Any], resources: Resources, outputs: Any
    ) -> dict[str, str]:
        """Make the stack have these resources; gives its outputs."""
        body = {
            "Parameters": template["Parameters"],
            "Conditions": template["Conditions"],
            "Mappings": template["Mappings"],
            "Resources": resources,
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
        existing = self.client.list_stacks(StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])
        act = self.client.update_stack if existing["StackSummaries"] else self.client.create_stack
        values = [{"ParameterKey": k, "ParameterValue": v} for k, v in self.parameters.items()]
        act(StackName=STACK, TemplateBody=json.dumps(body), Parameters=values)
        [stack] = self.client.describe_stacks(StackName=STACK)["Stacks"]
        return {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}

    def _publish(self, request_type: str) -> dict[str, str]:
        [stack] = self.client.describe_stacks(StackName=STACK)["Stacks"]
        event = {
            "RequestType": request_type,
            "ResponseURL": ADDRESS,
            "StackId": stack["StackId"],
            "RequestId": f"request-{len(self.answers)}",
            "LogicalResourceId": "Publication",
            "ResourceType": "Custom::Publication",
            "ResourceProperties": self.properties,
        }
        with self._at(stack["StackId"], f"{request_type.upper()}_IN_PROGRESS"):
            load_handler(self.package)(event, Context())
        answer = self.answers[-1]
        assert answer["Status"] == "SUCCESS", answer["Reason"]
        attributes: dict[str, str] = answer["Data"]
        return attributes

    @contextmanager
    def _at(self, stack_id: str, status: str) -> Iterator[None]:
        """CloudFormation calls a custom resource in the middle of its work, with the function's own
        environment; moto is never in the middle, and calls none."""
        known = {
            "STACK_ID": stack_id,
            "SITE_BUCKET": self.properties["SiteBucket"],
            "MODEL_BUCKET": self.properties["ModelBucket"],
        }
        stack = cloudformation_backends[DEFAULT_ACCOUNT_ID][REGION].get_stack(stack_id)
        settled = stack.status
        stack.status = status
        with (
            patch.dict(os.environ, known),
            patch("answer.urlopen", lambda request, timeout: urlopen(self._redirect(request))),
        ):
            yield
        stack.status = settled

    def _redirect(self, request: Request) -> Request:
        """What is meant for CloudFormation's bucket, to where answers are taken here."""
        assert request.full_url == ADDRESS
        headers = dict(request.header_items())
        return Request(self.url, request.data, headers, method=request.method)


class Context:
    """Lambda's, at the start of the publisher's five minutes."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds."""
        return 300_000


def load_handler(package: Path) -> Any:
    """The handler of an unpacked package, loaded by its path as its name is common."""
    spec = importlib.util.spec_from_file_location("publisher_app", package / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


@contextmanager
def taking_answers(answers: list[dict[str, Any]]) -> Iterator[str]:
    """The URL that CloudFormation would take answers at."""

    class Handler(Quiet):
        def do_PUT(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with handled(Handler) as url:
        yield url
