"""What AWS's SDK sends for each kind of job, printed as JSON: python ask.py BUNDLE REVIEW ...

Runs in the SDK's own environment, which has no pytest: AWS is moto here too.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
from moto import mock_aws

from model_training.jobs.notebook import LINES, predictor, trainer, transformer, tuner
from model_training.jobs.training import Machines

BUCKET, ROLE, DATA = "our-bucket", "trainer", "reeltone/data/aclImdb_v1.tar.gz"
MACHINES = (
    Machines("ml.g5.xlarge", 1, spot=False, hours=4),
    Machines("ml.g5.xlarge", 1, spot=True, hours=2),
    Machines("ml.g5.12xlarge", 1, spot=False, hours=4),
)
TRUST = {"Statement": [{"Principal": {"Service": "sagemaker.amazonaws.com"}}]}


def start_jobs(session: Any) -> None:
    """Start one of each."""
    for machines in MACHINES:
        job = trainer(BUCKET, ROLE, "modern", {"epochs": "3"}, machines, session=session)
        job.train(wait=False, logs=False)
    ranges = ["learning_rate=3e-4:3e-3:log", "epochs=3:8", "pooling=last,max+mean"]
    tuner(BUCKET, ROLE, ranges=ranges, jobs=4, session=session).tune(wait=False)
    job = transformer(BUCKET, "score-1", "model", session=session)
    data = f"s3://{BUCKET}/reeltone/transform/score-1/in/"
    job.transform(data, job_name="score-1", wait=False, logs=False, **LINES)


def answer_for(session: Any, bundle: Path, count: int) -> None:
    """Let endpoints answer that many reviews with something made up: moto has no model."""
    vocabulary = json.loads((bundle / "manifest.json").read_text())["vocabulary"]
    result = {"logit": 2.0, "probability": 0.88, "contributions": []}
    body = json.dumps({"vocabulary": vocabulary, "results": [result] * count}).encode()

    def answer(**_: Any) -> tuple[Any, dict[str, Any]]:
        response = SimpleNamespace(status_code=200)
        return response, {"Body": io.BytesIO(body), "ContentType": "application/json"}

    session.events.register("before-call.sagemaker-runtime.InvokeEndpoint", answer)


def main(bundle: Path, reviews: list[str]) -> None:
    """Print what was sent, and what the predictor made of the answer."""
    sent: list[tuple[str, Any]] = []
    with mock_aws():
        session = boto3.Session(region_name="us-east-1")
        session.client("s3").create_bucket(Bucket=BUCKET)
        session.client("s3").put_object(Bucket=BUCKET, Key=DATA, Body=b"reviews")
        role = {"RoleName": ROLE, "AssumeRolePolicyDocument": json.dumps(TRUST)}
        arn = session.client("iam").create_role(**role)["Role"]["Arn"]
        image = {"Image": "image", "ModelDataUrl": "s3://our-bucket/model.tar.gz"}
        session.client("sagemaker").create_model(
            ModelName="model", ExecutionRoleArn=arn, PrimaryContainer=image
        )
        session.events.register(
            "provide-client-params.*.*",
            lambda params, model, **_: sent.append((model.name, dict(params))),
        )
        answer_for(session, bundle, len(reviews))
        start_jobs(session)
        answers = predictor("endpoint", bundle, session).predict(reviews)
        buckets = [each["Name"] for each in session.client("s3").list_buckets()["Buckets"]]
    print(json.dumps({"sent": sent, "answers": answers, "buckets": buckets}, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
