"""What the local stack reads in template.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_stack.template import Route, Template, TemplateError, Throttle

ROOT = Path(__file__).resolve().parents[2]

SMALL = """
Parameters:
  Town: {Type: String, Default: Paris}
Conditions:
  IsHome: !Equals [!Ref Town, Paris]
  IsAbroad: !Not [!Condition IsHome]
  IsOdd: !Or [!Condition IsHome, !Condition IsAbroad]
Resources:
  GreetFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/greet/
      Handler: app.handler
      Timeout: 3
      MemorySize: 128
      Layers: [!Ref WordsLayer]
      Environment:
        Variables:
          TOWN: !Ref Town
          SENTENCE: !Sub "${Town} greets ${AWS::Region}"
          TABLE: !GetAtt GuestTable.Arn
          TICKET: !If [IsAbroad, !Ref Town, none]
      Events:
        Greet:
          Type: HttpApi
          Properties: {Method: get, Path: /api/greeting}
        Nightly:
          Type: Schedule
          Properties: {Schedule: rate(1 day)}
  WordsLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/words/}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_routes_are_the_events_of_type_http_api(path: Path) -> None:
    assert Template(path).routes == [Route("GET", "/api/greeting", "GreetFunction")]


def test_a_function_has_its_code_and_its_layers(path: Path) -> None:
    function = Template(path).function("GreetFunction")
    assert function.folders == (path.parent / "functions/greet", path.parent / "layers/words")
    assert (function.handler, function.timeout, function.memory) == ("app.handler", 3, 128)


def test_environment_variables_are_resolved(path: Path) -> None:
    assert Template(path, {"Town": "Oslo"}).function("GreetFunction").environment == {
        "TOWN": "Oslo",
        "SENTENCE": "Oslo greets AWS::Region",
        "TABLE": "GuestTable",
        "TICKET": "Oslo",
    }
    assert Template(path).function("GreetFunction").environment["TICKET"] == "none"


def test_a_route_has_the_throttle_of_its_own_or_that_of_all() -> None:
    values = {"RequestsPerSecond": "7", "BatchesPerSecond": "0.25", "RequestBurst": "9"}
    template = Template(ROOT / "template.yaml", values)
    throttles = {route.key: template.throttle(route) for route in template.routes}
    assert throttles["POST /api/sentiment"] == throttles["GET /api/model"] == Throttle(7, 9)
    assert throttles["POST /api/sentiments"] == Throttle(0.25, 9)


def test_a_parameter_has_its_default(path: Path) -> None:
    assert Template(path).parameters == {"Town": "Paris"}


def test_an_unknown_parameter_is_named(path: Path) -> None:
    with pytest.raises(TemplateError, match="has no parameter Village"):
        Template(path, {"Village": "X"})


def test_a_parameter_without_a_value_is_named(path: Path) -> None:
    path.write_text(SMALL.replace(", Default: Paris", ""), encoding="utf-8")
    with pytest.raises(TemplateError, match="Town has no default value"):
        Template(path)


def test_an_intrinsic_function_that_is_not_known_is_named(path: Path) -> None:
    path.write_text(SMALL.replace("!Ref Town", "!ImportValue Town"), encoding="utf-8")
    with pytest.raises(TemplateError, match="cannot resolve Fn::ImportValue locally"):
        Template(path).function("GreetFunction")


def test_a_condition_that_cannot_be_decided_is_named(path: Path) -> None:
    path.write_text(SMALL.replace("!If [IsAbroad", "!If [IsOdd"), encoding="utf-8")
    with pytest.raises(TemplateError, match="cannot decide Fn::Or locally"):
        Template(path).function("GreetFunction")


@pytest.mark.parametrize("route", ["{Method: ANY, Path: /api/x}", "{Method: GET, Path: '/{id}'}"])
def test_a_route_that_the_gateway_cannot_match_is_refused(path: Path, route: str) -> None:
    path.write_text(SMALL.replace("{Method: get, Path: /api/greeting}", route), encoding="utf-8")
    with pytest.raises(TemplateError, match="one method and a fixed path only"):
        _ = Template(path).routes


@pytest.mark.parametrize("content", ["- a list", "Parameters: {}", "{unclosed"])
def test_a_file_that_is_no_template_is_refused(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TemplateError, match=str(path)):
        Template(path)


def test_the_projects_own_template_can_be_read() -> None:
    template = Template(ROOT / "template.yaml", {"ModelName": "classic"})
    function = template.function("SentimentFunction")
    assert function.environment["MODEL_NAME"] == "classic"
    assert {folder.relative_to(ROOT).as_posix() for folder in function.folders} == {
        "functions/sentiment",
        "layers/vocabulary",
    }
