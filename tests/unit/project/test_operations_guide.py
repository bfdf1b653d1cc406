"""docs/operations.md speaks of the template as it is."""

from __future__ import annotations

import re
from pathlib import Path

from local_stack.template import Template

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = Template(ROOT / "template.yaml").document
ACCOUNT = Template(ROOT / "account.yaml").document
GUIDE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def test_the_guide_says_what_to_do_at_each_alarm() -> None:
    kind = "AWS::CloudWatch::Alarm"
    alarms = {name for name, body in TEMPLATE["Resources"].items() if body["Type"] == kind}
    assert set(re.findall(r"^\| `(\w+Alarm)` \|", GUIDE, re.M)) == alarms


def test_every_name_in_the_guide_is_one_of_the_template() -> None:
    parts = ("Parameters", "Resources", "Outputs")
    known = {name for part in parts for name in (*TEMPLATE[part], *ACCOUNT.get(part, {}))}
    # Names in PascalCase, alone or as Name=value.
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)(?:=[^`]*)?`", GUIDE))
    assert {"ServingMode", "WebsiteUrl", "ModelBucket"} <= named <= known


def test_the_names_in_the_guides_commands_are_of_the_template() -> None:
    for command in re.findall(r"--parameter-overrides (.+)", GUIDE):
        for name in re.findall(r"\b([A-Z]\w+)=", command):
            assert name in TEMPLATE["Parameters"] | ACCOUNT["Parameters"]
    for output in re.findall(r"\$\(output (\w+)\)", GUIDE):
        assert output in TEMPLATE["Outputs"]
