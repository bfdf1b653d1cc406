"""The policy in the operations guide allows what the jobs' commands ask AWS for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import botocore.session

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
