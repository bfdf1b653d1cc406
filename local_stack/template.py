"""What template.yaml says about the functions, their environment and their routes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from local_stack import StackError


class TemplateError(StackError):
    """template.yaml lacks what the local stack needs, or says it in a way that it cannot read."""


@dataclass(frozen=True)
class Route:
    """An event of type HttpApi: requests with this method and path go to that function."""

    method: str
    path: str
    function: str

    @property
    def key(self) -> str:
        """The route's name in API Gateway, such as ``GET /api/model``."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Throttle:
    """What API Gateway lets through of a route: a bucket of tokens, one for each request."""

    rate: float
    """Tokens a second."""
    burst: float
    """Tokens that the bucket holds."""


@dataclass(frozen=True)
class FunctionDefinition:
    """An AWS::Serverless::Function, with its intrinsic functions resolved."""

    name: str
    handler: str
    folders: tuple[Path, ...]
    """The code's folder, then those of the layers."""
    environment: dict[str, str]
    timeout: int
    """Seconds."""
    memory: int
    """MB."""


class CloudFormationLoader(yaml.SafeLoader):
    """Reads ``!Ref Name`` as ``{"Ref": "Name"}`` and ``!Sub text`` as ``{"Fn::Sub": "text"}``."""


def _construct_intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


CloudFormationLoader.add_multi_constructor("!", _construct_intrinsic)


class Template:
    """template.yaml with values for its parameters.

    Raises:
        TemplateError: the file is no template, or a parameter is unknown or lacks a value.
    """

    def __init__(self, path: Path, overrides: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.document = _load(path)
        self.parameters = self._fill_parameters(overrides or {})

    def _fill_parameters(self, overrides: Mapping[str, str]) -> dict[str, str]:
        declared: dict[str, dict[str, Any]] = self.document.get("Parameters", {})
        if unknown := sorted(set(overrides) - set(declared)):
            raise TemplateError(f"{self.path.name} has no parameter {', '.join(unknown)}")
        values = {name: p.get("Default") for name, p in declared.items()} | dict(overrides)
        if missing := sorted(name for name, value in values.items() if value is None):
            raise TemplateError(f"{self.path.name}: {', '.join(missing)} has no default value")
        return {name: str(value) for name, value in values.items()}

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The template's resources by logical id."""
        resources: dict[str, dict[str, Any]] = self.document["Resources"]
        return resources

    @cached_property
    def routes(self) -> list[Route]:
        """The HTTP API's routes, in the template's order."""
        return [
            self._read_route(name, event["Properties"])
            for name, properties in self._resources_of("AWS::Serverless::Function").items()
            for event in properties.get("Events", {}).values()
            if event["Type"] == "HttpApi"
        ]

    def _read_route(self, function: str, properties: dict[str, Any]) -> Route:
        method, path = properties["Method"].upper(), properties["Path"]
        if method == "ANY" or "{" in path or path == "$default":
            raise TemplateError(
                f"{self.path.name}: the local gateway knows routes with one method and a fixed "
                f"path only, not {method} {path}"
            )
        return Route(method, path, function)

    def throttle(self, route: Route) -> Throttle:
        """Give what the HTTP API's settings say of a route: its own, or those of all."""
        [api] = self._resources_of("AWS::Serverless::HttpApi").values()
        settings = api["RouteSettings"].get(route.key, api["DefaultRouteSettings"])
        rate, burst = (settings[f"Throttling{name}Limit"] for name in ("Rate", "Burst"))
        return Throttle(float(self.resolve(rate)), float(self.resolve(burst)))

    def function(self, name: str) -> FunctionDefinition:
        """Give what the template says of the function with this logical id."""
        properties = self._resources_of("AWS::Serverless::Function")[name]
        variables = properties.get("Environment", {}).get("Variables", {})
        return FunctionDefinition(
            name=name,
            handler=properties["Handler"],
            folders=(
                self._folder(properties["CodeUri"]),
                *(self._layer_folder(layer) for layer in properties.get("Layers", [])),
            ),
            environment={key: str(self.resolve(value)) for key, value in variables.items()},
            timeout=int(self.resolve(properties["Timeout"])),
            memory=int(self.resolve(properties["MemorySize"])),
        )

    def resolve(self, value: Any) -> Any:
        """Fill parameters into a value; a resource stands for itself under its logical id.

        Raises:
            TemplateError: the value needs an intrinsic function other than Ref, Sub, GetAtt and If.
        """
        match value:
            case {"Ref": str(name)}:
                return self.parameters.get(name, name)
            case {"Fn::GetAtt": [str(logical_id), _]}:
                return logical_id
            case {"Fn::Sub": str(text)}:
                return re.sub(
                    r"\$\{([^!}][^}]*)\}", lambda m: self.parameters.get(m[1], m[1]), text
                )
            case {"Fn::If": [str(condition), yes, no]}:
                return self.resolve(yes if self.holds(condition) else no)
            case dict() if any(key.startswith("Fn::") for key in value):
                raise TemplateError(f"{self.path.name}: cannot resolve {next(iter(value))} locally")
            case _:
                return value

    def holds(self, condition: str | dict[str, Any]) -> bool:
        """Say whether a condition, given by its name or in full, holds for the parameters.

        Raises:
            TemplateError: the condition needs more than Not and Equals.
        """
        match condition:
            case str(name):
                return self.holds(self.document["Conditions"][name])
            case {"Condition": str(name)}:
                return self.holds(name)
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
            case {"Fn::Equals": [one, other]}:
                return str(self.resolve(one)) == str(self.resolve(other))
            case _:
                kind = next(iter(condition))
                raise TemplateError(f"{self.path.name}: cannot decide {kind} locally")

    def _layer_folder(self, layer: dict[str, str]) -> Path:
        content: str = self.resources[layer["Ref"]]["Properties"]["ContentUri"]
        return self._folder(content)

    def _folder(self, uri: str) -> Path:
        return (self.path.parent / uri).resolve()

    def _resources_of(self, kind: str) -> dict[str, dict[str, Any]]:
        return {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }


def _load(path: Path) -> dict[str, Any]:
    try:
        # A SafeLoader that also knows the intrinsic functions.
        text = path.read_text(encoding="utf-8")
        document = yaml.load(text, CloudFormationLoader)  # nosec B506
    except (OSError, yaml.YAMLError) as error:
        raise TemplateError(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict) or "Resources" not in document:
        raise TemplateError(f"{path} is no CloudFormation template: it has no Resources")
    return document
