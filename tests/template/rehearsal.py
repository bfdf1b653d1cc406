"""What a rehearsal of the deployment really exercises, and what it only checks.

python -m tests.template.rehearsal
"""

from __future__ import annotations

import os
from argparse import ArgumentParser

from .changes import Stack
from .cloud import KNOWN, REGION

RAN, CHECKED = "ran", "checked"
FULL = {
    "ServingMode": "instances",
    "DomainName": "film.example.com",
    "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/0",
    "HostedZoneId": "Z0123456789",
    "AlarmEmail": "you@example.com",
    "JobsBucket": "our-bucket",
    "ScoreUploads": "yes",
    "ShowDashboard": "yes",
}
STEPS = [
    ("sam build, sam validate --lint", RAN, "the SAM CLI itself"),
    ("template.yaml's transform", RAN, "SAM's own translator"),
    ("the function", RAN, "in a container like Lambda's (sam local), and in processes"),
    ("the publisher", RAN, "its package against moto's S3, as CloudFormation calls it"),
    ("the endpoint, AWS's image", RAN, "AWS's own serve, read-only but /tmp, without any rights"),
    ("the endpoint, the image of one's own", RAN, "built and run by Docker, read-only"),
    ("a deployment, an update, going back, a deletion", RAN, "in moto's account"),
    ("a change of each parameter", CHECKED, "what is replaced, by AWS's schemas"),
    ("a bad canary", RAN, "two versions of the function, whose metrics an alarm's rule judges"),
    ("CodeDeploy's rollback", CHECKED, "its group names the alarms and stops on them"),
    ("27 regions", CHECKED, "types and properties by each region's schemas (cfn-lint)"),
    ("the deployment's role", CHECKED, "allows what the schemas' handlers ask for"),
    ("AWS itself", "never", "no account was used so far"),
]


def rows() -> list[tuple[str, str, str]]:
    """What, whether it ran or was only checked, and how."""
    kinds = sorted({body["Type"] for body in Stack(FULL).resources.values()})
    made = "made, changed and deleted in moto's account"
    schema = "properties and permissions by AWS's schema"
    ours = "by the publisher's own handler"
    return STEPS + [
        (kind, RAN, ours if kind.startswith("Custom::") else made)
        if kind in KNOWN or kind.startswith("Custom::")
        else (kind, CHECKED, schema)
        for kind in kinds
    ]


def main() -> None:
    """Print the table."""
    ArgumentParser(prog="make rehearse", description=__doc__).parse_args()
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    table = [("what", "", "how"), *rows()]
    widths = [max(len(row[column]) for row in table) for column in range(2)]
    for what, kind, how in table:
        print(f"{what:{widths[0]}}  {kind:{widths[1]}}  {how}")


if __name__ == "__main__":
    main()
