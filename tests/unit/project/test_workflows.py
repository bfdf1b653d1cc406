"""The workflows on GitHub: linted, and made of what the project has."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_stack.template import Template
from tests.needs import need

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in WORKFLOWS}
ACCOUNT = Template(ROOT / "account.yaml").resources


def lint(*paths: Path) -> subprocess.CompletedProcess[str]:
    beside = Path(sys.executable).with_name("actionlint")
    program = str(beside) if beside.exists() else shutil.which("actionlint")
    need(program is not None, "there is no actionlint")
    return subprocess.run([str(program), *map(str, paths)], capture_output=True, text=True)


def test_actionlint_finds_nothing() -> None:
    result = lint(*WORKFLOWS)
    assert result.returncode == 0, result.stdout + result.stderr


def test_actionlint_would_find_a_misspelt_input(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(TEXTS["deploy-stack"].replace("inputs.environment", "inputs.enviroment"))
    result = lint(broken)
    assert result.returncode != 0
    assert "enviroment" in result.stdout


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_make_target_exists(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    called = set(re.findall(r"\bmake ([a-z-]+)", TEXTS[name]))
    assert called <= targets


def test_no_key_is_kept() -> None:
    for text in TEXTS.values():
        assert not re.search(r"secrets\.|access-key|ACCESS_KEY", text)
    assert "id-token: write" in TEXTS["deploy"]


def jobs(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(TEXTS[name])["jobs"]
    return found


def environments() -> list[str]:
    """Those that are deployed to, in their order."""
    calls = [job for job in jobs("deploy").values() if "environment" in job.get("with", {})]
    return [call["with"]["environment"] for call in calls]


def test_prod_waits_for_dev_and_dev_for_the_tests() -> None:
    assert environments() == ["dev", "prod"]
    assert jobs("deploy")["dev"]["needs"] == "test"
    assert jobs("deploy")["prod"]["needs"] == "dev"
    # The environment's own rule asks somebody.
    assert jobs("deploy-stack")["deploy"]["environment"] == "${{ inputs.environment }}"


def test_an_environment_is_one_of_samconfig_with_the_stack_that_the_roles_are_for() -> None:
    samconfig = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    trust = ACCOUNT["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    subjects = trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
    for environment in environments():
        stack = samconfig[environment]["deploy"]["parameters"]["stack_name"]
        assert stack == f"reeltone-{environment}"
        assert {"Fn::Sub": f"repo:${{GitHubRepository}}:environment:{environment}"} in subjects
        named = stack.replace("reeltone", "${StackPrefix}")
        assert f":stack/{named}/*" in str(ACCOUNT["DeployRole"])
        assert f":role/{named}-*" in str(ACCOUNT["StackRole"])
    assert len(subjects) == len(environments())
    assert Template(ROOT / "account.yaml").parameters["StackPrefix"] == "reeltone"
    named = jobs("deploy-stack")["deploy"]["env"]["STACK"]
    assert named == "${{ vars.STACK_PREFIX || 'reeltone' }}-${{ inputs.environment }}"


def test_only_that_repositorys_environments_may_take_the_role() -> None:
    [trust] = ACCOUNT["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert set(trust["Condition"]) == {"StringEquals"}, "no pattern that a fork could match"
    equal = trust["Condition"]["StringEquals"]
    assert equal["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    assert "*" not in str(equal)


def test_what_was_deployed_comes_back_with_its_own_parameters(tmp_path: Path) -> None:
    need(shutil.which("jq") is not None, "there is no jq")
    [program] = re.findall(r"jq -r '(.+?)' former", TEXTS["deploy-stack"], re.DOTALL)
    former = (
        '{"Stacks": [{"Parameters": ['
        '{"ParameterKey": "Rollout", "ParameterValue": "Canary10Percent15Minutes"},'
        '{"ParameterKey": "ServingImage", "ParameterValue": ""},'
        '{"ParameterKey": "AlarmEmail", "ParameterValue": "you+film@example.com"}]}]}'
    )
    made = subprocess.run(
        ["jq", "-r", program], input=former, capture_output=True, text=True, check=True
    )
    assert made.stdout.splitlines() == [
        'Rollout="AllAtOnce"',
        'ServingImage=""',
        'AlarmEmail="you+film@example.com"',
    ]
