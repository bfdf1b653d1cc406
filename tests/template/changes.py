"""What CloudFormation would do to the stack's resources when parameters change.

The template as SAM makes it, its functions resolved, and AWS's own resource schemas (those of
cfn-lint), which say what properties make a resource anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.template.cloud import transform_template

CODE = {
    "SentimentFunction": "sentiment-1",
    "PublisherFunction": "publisher-1",
    "UploadsFunction": "uploads-1",
    "VocabularyLayer": "layer-1",
}
PSEUDO = {
    "AWS::Region": "eu-west-1",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "reeltone",
    "AWS::StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/reeltone/51af3dc0-0-0-0-0",
}
NOTHING: Any = object()
"""AWS::NoValue."""


def find_schema(kind: str, region: str = "us-east-1") -> dict[str, Any]:
    """AWS's schema of a type of resource; of a custom one, nothing."""
    if kind.startswith("Custom::"):
        return {}
    schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind).schema
    return schema


@dataclass
class Stack:
    """The stack with these values for its parameters, as CloudFormation would make it."""

    parameters: Mapping[str, str]
    code: Mapping[str, str] = field(default_factory=lambda: CODE)

    @cached_property
    def document(self) -> dict[str, Any]:
        """What SAM makes of template.yaml."""
        return transform_template(self.code, self.parameters)

    @cached_property
    def values(self) -> dict[str, str]:
        """Of parameters and pseudo parameters."""
        declared = self.document["Parameters"].items()
        defaults = {name: str(parameter["Default"]) for name, parameter in declared}
        return PSEUDO | defaults | dict(self.parameters)

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources whose conditions hold, with their properties resolved."""
        return {
            name: {"Type": body["Type"], "Properties": self.resolve(body.get("Properties", {}))}
            for name, body in self.document["Resources"].items()
            if "Condition" not in body or self.holds(body["Condition"])
        }

    def holds(self, condition: Any) -> bool:
        """Whether a condition holds, given by its name or in full."""
        match condition:
            case str(name):
                return self.holds(self.document["Conditions"][name])
            case {"Condition": name}:
                return self.holds(name)
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
            case {"Fn::Equals": [one, other]}:
                return str(self.resolve(one)) == str(self.resolve(other))
        raise AssertionError(condition)

    def identity(self, name: str) -> str:
        """What a resource is known by: it changes when CloudFormation makes it anew."""
        body = self.document["Resources"][name]
        paths = find_schema(body["Type"]).get("createOnlyProperties", [])
        fixed = {path.split("/")[2] for path in paths}
        properties = {k: v for k, v in body.get("Properties", {}).items() if k in fixed}
        return f"{name}-{digest(self.resolve(properties))}"

    def resolve(self, value: Any) -> Any:
        """The value with its functions carried out; what only AWS knows gets a name."""
        match value:
            case {"Ref": "AWS::NoValue"}:
                return NOTHING
            case {"Ref": name}:
                return self._refer(name)
            case {"Fn::GetAtt": [name, attribute]}:
                return self._attribute(name, attribute)
            case {"Fn::GetAtt": str(text)}:
                return self._attribute(*text.split(".", 1))
            case {"Fn::If": [condition, yes, no]}:
                return self.resolve(yes if self.holds(condition) else no)
            case {"Fn::Sub": [text, names]}:
                return self._substitute(text, {k: self.resolve(v) for k, v in names.items()})
            case {"Fn::Sub": text}:
                return self._substitute(text, {})
            case {"Fn::Join": [separator, parts]}:
                return separator.join(map(str, self.resolve(parts)))
            case {"Fn::Split": [separator, text]}:
                return str(self.resolve(text)).split(separator)
            case {"Fn::Select": [index, parts]}:
                return self.resolve(parts)[int(index)]
            case {"Fn::FindInMap": [name, key, attribute]}:
                return self.document["Mappings"][name][self.resolve(key)][attribute]
            case dict():
                resolved = {key: self.resolve(inner) for key, inner in value.items()}
                return {key: inner for key, inner in resolved.items() if inner is not NOTHING}
            case list():
                resolved_parts = [self.resolve(inner) for inner in value]
                return [inner for inner in resolved_parts if inner is not NOTHING]
        return value

    def _refer(self, name: str) -> str:
        if name in self.values:
            return self.values[name]
        body = self.document["Resources"][name]
        if "LogGroupName" in body.get("Properties", {}) and body["Type"].endswith("LogGroup"):
            return str(self.resolve(body["Properties"]["LogGroupName"]))
        return self.identity(name)

    def _attribute(self, name: str, attribute: str) -> str:
        """What the publisher answers depends on what it is asked; of the others, on who it is."""
        body = self.document["Resources"][name]
        if attribute == "ServingVersion":
            asked = body["Properties"]
            return digest(self.resolve([asked["ModelName"], asked["Serving"]]))
        if attribute == "ModelDataUrl":
            return f"archive of {self.values['ModelName']}"
        return f"{self.identity(name)}.{attribute}"

    def _substitute(self, text: str, names: Mapping[str, Any]) -> str:
        def find(match: re.Match[str]) -> str:
            name = match[1]
            if name in names:
                return str(names[name])
            return self._attribute(*name.split(".", 1)) if "." in name else self._refer(name)

        return re.sub(r"\$\{([^!}]+)\}", find, text)


@dataclass(frozen=True)
class Changes:
    """What a deployment does, by logical id."""

    made: frozenset[str]
    replaced: frozenset[str]
    changed: Mapping[str, frozenset[str]]
    """In place, with the properties that change."""
    deleted: frozenset[str]


def compare(before: Stack, after: Stack) -> Changes:
    """What CloudFormation would do to get from one to the other."""
    old, new = before.resources, after.resources
    common = old.keys() & new.keys()
    replaced = {name for name in common if before.identity(name) != after.identity(name)}
    changed = {}
    for name in common - replaced:
        was, becomes = old[name]["Properties"], new[name]["Properties"]
        differing = {k for k in was.keys() | becomes.keys() if was.get(k) != becomes.get(k)}
        if differing:
            changed[name] = frozenset(differing)
    return Changes(
        frozenset(new.keys() - old.keys()),
        frozenset(replaced),
        changed,
        frozenset(old.keys() - new.keys()),
    )


def digest(value: Any) -> str:
    """16 hex digits that are equal for equal values."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
