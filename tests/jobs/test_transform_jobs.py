"""Files of reviews through batch transform, with the real model in SageMaker's place."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from model_training.jobs import status
from model_training.jobs.__main__ import main
from model_training.jobs.cloud import Cloud, JobError, Place, find_stack
from model_training.paths import MODELS
from model_training.serving.scorer import Model, load_model
from review_text.predict import MAX_CHARACTERS
from review_text.transform import pack_lines
from tests.jobs.conftest import BUCKET, STORED, Aws, sagemaker_job
from tests.transform import answer_lines, work_off

REVIEWS = [
    "A wonderful film, moving and beautifully acted.",
    "Dreadful.\nI want my two hours back.",
    '«Ça n\'est pas bon», she said, "so there"; 一般',
    "...",
    "good " * 5_000,
]


@pytest.fixture(scope="session")
def model() -> Model:
    return load_model(MODELS / "modern")


@pytest.fixture
def serving(aws: Aws, model: Model, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A transform job is worked off, as SageMaker would, when it is looked at; their names."""
    names: list[str] = []
    look = status.find_job

    def work(cloud: Cloud, name: str) -> status.Job:
        job = look(cloud, name)
        if name not in names:
            names.append(name)
            work_off(aws.client("s3"), job.about, partial(answer_lines, model))
        return look(cloud, name)

    monkeypatch.setattr(status, "find_job", work)
    yield names


@pytest.fixture
def reviews_csv(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(["ticket", "review", "cinema"])
        writer.writerows([f"T{n}", review, "Rex, “big” hall"] for n, review in enumerate(REVIEWS))
    return path


ARGUMENTS = [*STORED, "--model-name", "Model-Ab12"]


def test_a_job_is_asked_for_exactly_like_this(aws: Aws, reviews_csv: Path) -> None:
    main(["transform", *ARGUMENTS, str(reviews_csv), "--no-wait", "--instances", "2"])
    (request,) = aws.requests("CreateTransformJob")
    name = request["TransformJobName"]
    folder = f"s3://{BUCKET}/reeltone/transform/{name}"
    assert request == {
        "TransformJobName": name,
        "ModelName": "Model-Ab12",
        "MaxConcurrentTransforms": 4,
        "MaxPayloadInMB": 1,
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{folder}/in/"}},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"{folder}/out",
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
        },
        "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": "4"},
        "TransformResources": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 2},
        "Tags": [{"Key": "project", "Value": "reeltone"}],
    }
    (part,) = aws.requests("PutObject")
    lines = [json.loads(line) for line in part["Body"].splitlines()]
    assert [line["id"].partition(":")[0] for line in lines] == ["1", "2", "3", "4", "5"]
    assert [line["review"] for line in lines[:4]] == REVIEWS[:4]
    assert len(lines[4]["review"]) == MAX_CHARACTERS + 1


def test_a_csv_comes_back_with_its_columns_and_the_results(
    aws: Aws, serving: list[str], reviews_csv: Path, tmp_path: Path
) -> None:
    main(["transform", *ARGUMENTS, str(reviews_csv)])
    with (tmp_path / "reviews.scored.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["ticket"] for row in rows] == ["T0", "T1", "T2", "T3", "T4"]
    assert [row["review"] for row in rows] == REVIEWS
    assert rows[0]["cinema"] == "Rex, “big” hall"
    assert [row["sentiment"] for row in rows[:2]] == ["positive", "negative"]
    assert float(rows[0]["probability"]) > 0.9
    assert [row["verdict"] for row in rows[:2]] == ["positive", "negative"]
    assert rows[3]["error"] == "The review has no word in it; send at least one."
    assert rows[4]["error"].endswith("characters; the limit is 20,000.")
    assert rows[0]["error"] == ""


def test_json_lines_come_back_with_their_ids(
    aws: Aws, serving: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review_text.transform.PART", 100)  # bytes: an object for each line or two
    path = tmp_path / "reviews.jsonl"
    sent = [{"id": f"no. {n}", "review": text} for n, text in enumerate(REVIEWS[:4] * 4)]
    path.write_text("\n".join(map(json.dumps, sent)) + "\n\n")
    main(["transform", *ARGUMENTS, str(path), "--output", str(tmp_path / "out.jsonl")])
    assert len(aws.requests("PutObject")) > 10
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [row["id"] for row in sent]
    assert [row["review"] for row in rows] == [row["review"] for row in sent]
    assert {row.get("sentiment") for row in rows} == {"positive", "negative", None}


def test_the_results_of_an_earlier_job_can_be_fetched(
    aws: Aws, serving: list[str], reviews_csv: Path, tmp_path: Path
) -> None:
    main(["transform", *ARGUMENTS, str(reviews_csv), "--no-wait"])
    name = aws.requests("CreateTransformJob")[0]["TransformJobName"]
    aws.sent.clear()
    main(["transform", *STORED, str(reviews_csv), "--job", name])
    assert aws.requests("CreateTransformJob") == []
    assert (tmp_path / "reviews.scored.csv").exists()


def test_results_of_another_file_are_refused(
    aws: Aws, serving: list[str], reviews_csv: Path, tmp_path: Path, error_of: Callable[..., str]
) -> None:
    main(["transform", *ARGUMENTS, str(reviews_csv)])
    other = tmp_path / "other.csv"
    other.write_text("review\ngood\n")
    message = error_of("transform", *STORED, str(other), "--job", serving[0])
    assert message == f"the results of {serving[0]} do not belong to {other}, from row 1 on"
    assert not (tmp_path / "other.scored.csv").exists()
    shorter = tmp_path / "shorter.jsonl"
    rows = [{"review": review} for review in REVIEWS]
    shorter.write_text("\n".join(map(json.dumps, rows[:4])))
    message = error_of("transform", *STORED, str(shorter), "--job", serving[0])
    assert message.endswith("from row 5 on")
    longer = tmp_path / "longer.jsonl"
    longer.write_text("\n".join(map(json.dumps, [*rows, *rows])))
    message = error_of("transform", *STORED, str(longer), "--job", serving[0])
    assert message.endswith("from row 6 on")


def test_text_that_is_no_unicode_is_scored_too(
    aws: Aws, serving: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text('{"review": "good \\ud83d film\\u0000"}\n')
    main(["transform", *ARGUMENTS, str(path)])
    row = json.loads((tmp_path / "odd.scored.jsonl").read_text())
    assert row["review"] == "good \ud83d film\0"
    assert row["sentiment"] == "positive"
    main(["transform", *STORED, str(path), "--job", serving[0], "--output", f"{path}.csv"])
    assert "good ? film" in path.with_suffix(".jsonl.csv").read_text()


def test_a_failed_job_says_its_reason(
    aws: Aws, reviews_csv: Path, error_of: Callable[..., str]
) -> None:
    main(["transform", *ARGUMENTS, str(reviews_csv), "--no-wait"])
    name = aws.requests("CreateTransformJob")[0]["TransformJobName"]
    job = sagemaker_job("transform_jobs", name)
    job.transform_job_status = "Failed"
    job.failure_reason = "ClientError: see the logs"
    message = error_of("transform", *STORED, str(reviews_csv), "--job", name)
    assert message == f"{name} failed: ClientError: see the logs"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text\ngood\n", 'a.csv has no column "review" in its first line'),
        ("a.csv", b"", 'a.csv has no column "review" in its first line'),
        ("a.csv", b"id,review\n1\n", "a.csv, line 2: not as many columns"),
        ("a.csv", b"id,review\n1,good,3\n", "a.csv, line 2: not as many columns"),
        ("a.csv", b'review\n"good\n', "a.csv, after line 1: unexpected end of data"),
        ("a.csv", b"review\n\xff\n", "a.csv is not UTF-8 at byte"),
        ("a.csv", b"review\n", "a.csv has no reviews"),
        ("a.jsonl", b'{"review": "good"}\n{"text": 1}\n', "a.jsonl, line 2: not a JSON object"),
        ("a.csv", b"review,error\ngood,5\n", "a.csv: the result brings error: rename yours"),
        ("a.jsonl", b'{"review": "good", "sentiment": 1}\n', "the result brings sentiment"),
        ("a.jsonl", b"good\n", 'a.jsonl, line 1: not a JSON object with a string "review"'),
        ("a.jsonl", b'{"review": 5}\n', "a.jsonl, line 1: not a JSON object"),
    ],
)
def test_a_file_that_cannot_be_read_starts_no_job(
    aws: Aws,
    tmp_path: Path,
    error_of: Callable[..., str],
    name: str,
    content: bytes,
    message: str,
) -> None:
    (tmp_path / name).write_bytes(content)
    assert message in error_of("transform", *ARGUMENTS, str(tmp_path / name))
    assert "CreateTransformJob" not in aws.changes()


def test_a_missing_file_is_named(aws: Aws, error_of: Callable[..., str]) -> None:
    assert error_of("transform", *ARGUMENTS, "none.csv") == "none.csv: No such file or directory"


def test_a_large_file_is_never_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review_text.transform.PART", 10_000)
    lines = (b"good " * 10 for _ in range(100_000))
    first = next(pack_lines(lines))
    assert 10_000 <= len(first) < 10_050
    assert next(lines) == b"good " * 10  # the others have not been read


STACK = """
Parameters:
  JobsBucket: {Type: String, Default: ""}
  JobsPrefix: {Type: String, Default: reeltone}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}
  Model:
    Type: AWS::SageMaker::Model
    Properties:
      ExecutionRoleArn: !GetAtt Role.Arn
      PrimaryContainer: {Image: image, ModelDataUrl: "s3://our-bucket/model.tar.gz"}
Outputs:
  SageMakerModelName: {Value: !GetAtt Model.ModelName}
  EndpointName: {Value: reeltone-51af3dc0-serverless-0}
"""


def make_stack(aws: Aws, **parameters: str) -> None:
    values = [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()]
    aws.client("cloudformation").create_stack(
        StackName="reeltone", TemplateBody=STACK, Parameters=values
    )


def test_a_stacks_model_is_asked_for_by_its_name_and_not_its_arn(
    aws: Aws, reviews_csv: Path
) -> None:
    make_stack(aws, JobsBucket=BUCKET)
    main(["transform", *STORED, str(reviews_csv), "--no-wait"])
    [model] = aws.client("sagemaker").list_models()["Models"]
    [request] = aws.requests("CreateTransformJob")
    assert request["ModelName"] == model["ModelName"]
    assert re.fullmatch("[A-Za-z0-9](-*[A-Za-z0-9]){0,62}", request["ModelName"])


@pytest.mark.parametrize(
    ("parameters", "options", "wanted"),
    [
        ({}, [], f"JobsBucket={BUCKET} JobsPrefix=reeltone"),
        ({"JobsBucket": BUCKET}, ["--prefix", "film"], f"JobsBucket={BUCKET} JobsPrefix=film"),
        ({"JobsBucket": "another-bucket"}, [], f"JobsBucket={BUCKET} JobsPrefix=reeltone"),
    ],
)
def test_where_the_model_may_not_read_is_said_before_anything_is_sent(
    aws: Aws, reviews_csv: Path, parameters: dict[str, str], options: list[str], wanted: str
) -> None:
    make_stack(aws, **parameters)
    with pytest.raises(JobError, match=wanted):
        main(["transform", *STORED, *options, str(reviews_csv), "--no-wait"])
    assert "PutObject" not in aws.changes()


def test_a_stack_that_is_not_there_or_another_is_named(aws: Aws, cloud: Cloud) -> None:
    with pytest.raises(JobError, match="no stack 'reeltone' in us-east-1"):
        find_stack(cloud, "reeltone")
    make_stack(aws)
    assert find_stack(cloud, "reeltone").output("EndpointName").startswith("reeltone-")
    with pytest.raises(JobError, match="has no output WebsiteUrl"):
        find_stack(cloud, "reeltone").output("WebsiteUrl")


@pytest.mark.parametrize(
    ("kind", "cores"),
    [("ml.m5.large", 2), ("ml.c5.xlarge", 4), ("ml.c5.2xlarge", 8), ("ml.m5.24xlarge", 96)],
)
def test_every_core_scores(aws: Aws, reviews_csv: Path, kind: str, cores: int) -> None:
    options = ["--instance-type", kind, "--price", "1", "--no-wait"]
    main(["transform", *ARGUMENTS, str(reviews_csv), *options])
    [request] = aws.requests("CreateTransformJob")
    assert request["Environment"] == {"SAGEMAKER_MODEL_SERVER_WORKERS": str(cores)}
    assert request["MaxConcurrentTransforms"] == cores


def test_a_dry_run_shows_the_job(
    nowhere: None, reviews_csv: Path, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--bucket", BUCKET, "--model-name", "M", "--dry-run"]
    main(["transform", *arguments, str(reviews_csv)])
    out = capsys.readouterr().out
    assert "1 x ml.c5.xlarge, $0.20 an hour" in out
    request = json.loads(out.partition("sagemaker.create_transform_job ")[2])
    assert request["ModelName"] == "M"
