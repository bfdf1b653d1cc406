"""What stands in every job's way: no role, no bucket, no credentials, no region, no permission."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import botocore.session
import pytest

from model_training.jobs.__main__ import main, make_parser
from model_training.jobs.cloud import Place
from tests.jobs.conftest import BUCKET, ROLE, STORED, TRAINED, Aws, at_terminal, trust

COMMANDS = [
    *("upload", "train", "tune", "transform", "evaluate", "deploy-model", "status", "cost"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        make_parser().parse_args([command, "--help"])
    assert "--dry-run" in capsys.readouterr().out


def test_no_role(aws: Aws, data: None, error_of: Callable[..., str]) -> None:
    assert error_of("train", *STORED).startswith("no role: pass --role or set REELTONE_JOB_ROLE")
    assert error_of("train", *STORED, "--role", "nobody") == (
        "no role: this account has no IAM role 'nobody'"
    )
    assert aws.changes() == []


def test_a_role_that_sagemaker_may_not_use(
    aws: Aws, data: None, error_of: Callable[..., str]
) -> None:
    aws.client("iam").create_role(
        RoleName="function", AssumeRolePolicyDocument=json.dumps(trust("lambda"))
    )
    message = error_of("train", *STORED, "--role", "function")
    assert message == "no role: 'function' does not trust sagemaker.amazonaws.com"


def test_who_may_not_look_at_roles_names_it_by_its_arn(
    aws: Aws, data: None, error_of: Callable[..., str]
) -> None:
    aws.refusals["GetRole"] = ("AccessDenied", "User is not authorized to perform: iam:GetRole")
    assert error_of("train", *TRAINED).startswith("not allowed: get_role: User is not authorized")
    main(["train", *STORED, "--role", ROLE])
    assert aws.requests("CreateTrainingJob")[0]["RoleArn"] == ROLE


def test_role_and_bucket_may_come_from_the_environment(
    aws: Aws, data: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELTONE_BUCKET", f"s3://{BUCKET}/")
    monkeypatch.setenv("REELTONE_JOB_ROLE", ROLE)
    main(["train", "--yes"])
    request = aws.requests("CreateTrainingJob")[0]
    assert request["OutputDataConfig"]["S3OutputPath"] == f"s3://{BUCKET}/reeltone/models"


def test_no_bucket(aws: Aws, error_of: Callable[..., str]) -> None:
    assert error_of("train", "--yes") == "no bucket: pass --bucket or set REELTONE_BUCKET"
    assert error_of("train", "--yes", "--bucket", "missing") == (
        "no bucket: s3://missing does not exist; make it with aws s3 mb s3://missing"
    )


def test_a_bucket_of_somebody_else(aws: Aws, error_of: Callable[..., str]) -> None:
    aws.refusals["HeadBucket"] = ("403", "Forbidden")
    assert error_of("train", *TRAINED) == (f"no bucket: s3://{BUCKET} is not one that you may use")


def test_no_credentials(
    nowhere: None, monkeypatch: pytest.MonkeyPatch, error_of: Callable[..., str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert error_of("status").startswith("no credentials: sign in with aws sso login")


def test_credentials_that_have_run_out(aws: Aws, error_of: Callable[..., str]) -> None:
    aws.refusals["ListTrainingJobs"] = ("ExpiredTokenException", "The token has expired.")
    assert error_of("status") == (
        "AWS refuses the credentials: The token has expired. Sign in again."
    )


def test_no_region(
    nowhere: None, monkeypatch: pytest.MonkeyPatch, error_of: Callable[..., str]
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert error_of("status").startswith("no region: pass --region")


def test_an_unknown_profile(nowhere: None, error_of: Callable[..., str]) -> None:
    assert "studio" in error_of("status", "--profile", "studio")


def test_who_says_no_starts_nothing(
    aws: Aws, data: None, error_of: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_terminal(monkeypatch, "n")
    arguments = ["train", "--bucket", BUCKET, "--role", ROLE]
    assert error_of(*arguments) == "not started"
    assert aws.changes() == []
    at_terminal(monkeypatch, "y")
    main(arguments)
    assert aws.changes() == ["PutObject", "CreateTrainingJob"]


def test_keys_may_start_with_anything_or_nothing() -> None:
    assert Place("b", "a/b").uri("data", "x") == "s3://b/a/b/data/x"
    assert Place("b", "").uri("data", "") == "s3://b/data/"


ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
# Where S3 calls an action otherwise than the operation, by its service reference.
ACTIONS = {
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListObjectsV2": "ListBucket",
}


def called_actions() -> set[str]:
    """What the sources of model_training/jobs call, as IAM names it."""
    session = botocore.session.get_session()
    text = "".join(p.read_text("utf-8") for p in (ROOT / "model_training" / "jobs").glob("*.py"))
    calls = re.findall(r'cloud\.(?:read|change|pages)\(\s*"([\w-]+)",\s*"(\w+)"', text)
    # status.py has them in a table.
    calls += [("sagemaker", name) for name in re.findall(r'"((?:describe|list)_\w+_jobs?)"', text)]
    found = set()
    for service, operation in calls:
        names = session.get_service_model(service).operation_names
        [name] = [n for n in names if n.lower() == operation.replace("_", "")]
        found.add(f"{service}:{ACTIONS.get(name, name) if service == 's3' else name}")
    return found


def test_the_policy_allows_what_the_commands_call_and_no_more() -> None:
    [policy] = re.findall(
        r"```json\n(.+?)```", GUIDE.partition("## Who may run jobs")[2], re.DOTALL
    )
    statements = json.loads(policy)["Statement"]
    actions = [s["Action"] if isinstance(s["Action"], list) else [s["Action"]] for s in statements]
    allowed = {action for some in actions for action in some}
    # Each job has a tag and a role; a test split is scored through the runtime's own API; boto3's
    # upload_file and download_file put, get, and end what broke off.
    beside = {"sagemaker:AddTags", "sagemaker:InvokeEndpoint", "iam:PassRole"}
    beside |= {"s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"} - called_actions()
    assert called_actions() == allowed - beside
    [passing] = [s for s in statements if s["Action"] == "iam:PassRole"]
    assert passing["Condition"]["StringEquals"]["iam:PassedToService"] == "sagemaker.amazonaws.com"
