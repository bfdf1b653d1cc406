"""What jobs do and cost, in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from model_training.jobs import status
from model_training.jobs.__main__ import main
from model_training.jobs.cloud import Cloud, JobError
from model_training.jobs.prices import INSTANCES, gpus_of
from tests.jobs.conftest import TRAINED, Aws, sagemaker_job


@pytest.fixture
def name(aws: Aws, data: None, capsys: pytest.CaptureFixture[str]) -> str:
    """A training job."""
    main(["train", *TRAINED])
    capsys.readouterr()
    return str(aws.requests("CreateTrainingJob")[0]["TrainingJobName"])


def end_job(name: str, state: str, reason: str = "") -> Any:
    job = sagemaker_job("training_jobs", name)
    job.training_job_status = job.secondary_status = state
    job.failure_reason = reason
    job.billable_time_in_seconds = 1_800
    return job


def test_status_says_what_a_job_is_and_has_cost(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    end_job(name, "Completed")
    main(["status", name])
    out = capsys.readouterr().out
    assert out.startswith(f"training {name}: Completed\n")
    assert "  billed: 1,800 s, $0.70" in out
    assert f"model: s3://our-bucket/reeltone/models/{name}/output/model.tar.gz" in out


def test_status_says_why_a_job_failed(
    name: str, capsys: pytest.CaptureFixture[str], error_of: Callable[..., str]
) -> None:
    reason = 'AlgorithmError: ExecuteUserScriptError: ErrorMessage "error: SM_NUM_GPUS = 1"'
    end_job(name, "Failed", reason)
    main(["status", name])
    assert f"  reason: {reason}" in capsys.readouterr().out
    assert error_of("status", name, "--wait") == f"{name} failed: {reason}"


def test_waiting_shows_each_stage_once(name: str, cloud: Cloud) -> None:
    shown: list[str] = []
    cloud.show = shown.append
    job = end_job(name, "InProgress")
    job.secondary_status = "Starting"
    stages = iter(["Starting", "Downloading", "Training", "Training"])

    def pass_time(_: float) -> None:
        job.secondary_status = next(stages, "Completed")
        if job.secondary_status == "Completed":
            job.training_job_status = "Completed"

    assert status.wait_for(cloud, name, sleep=pass_time).status == "Completed"
    assert shown == [
        f"{name}: InProgress Starting",
        f"{name}: InProgress Downloading",
        f"{name}: InProgress Training",
        f"{name}: Completed Completed",
    ]


def test_status_lists_the_latest_jobs(
    name: str, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["tune", *TRAINED])
    capsys.readouterr()
    main(["status"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["training", "tuning"]
    assert name in lines[0]


def test_no_jobs(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    main(["status"])
    assert capsys.readouterr().out == "no jobs in us-east-1\n"


def test_an_unknown_job(aws: Aws, error_of: Callable[..., str]) -> None:
    assert error_of("status", "nothing") == "no job 'nothing' in us-east-1"


def test_a_search_shows_its_best_settings() -> None:
    about = {
        "HyperParameterTuningJobStatus": "Completed",
        "TrainingJobStatusCounters": {"Completed": 11, "Stopped": 1, "InProgress": 0},
        "BestTrainingJob": {
            "TrainingJobName": "reeltone-t-moder-7",
            "TunedHyperParameters": {"dropout": "0.41"},
            "FinalHyperParameterTuningJobObjectiveMetric": {
                "MetricName": "dev_accuracy",
                "Value": 0.91234,
            },
        },
    }
    job = status.Job(status.KINDS[1], "reeltone-t-moder", about)
    assert status.describe_job(job) == [
        "tuning reeltone-t-moder: Completed",
        "  jobs: 11 Completed, 1 Stopped",
        "  best: reeltone-t-moder-7, dev_accuracy 0.9123",
        "    dropout 0.41",
    ]


def test_a_transform_job_is_billed_from_start_to_end_on_each_machine() -> None:
    about = {
        "TransformJobStatus": "Completed",
        "TransformStartTime": datetime(2026, 11, 22, 3, 0, tzinfo=UTC),
        "TransformEndTime": datetime(2026, 11, 22, 3, 30, tzinfo=UTC),
        "TransformResources": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 2},
    }
    assert status.Job(status.KINDS[2], "reeltone-score", about).cost() == pytest.approx(0.204)


def test_cost_of_a_job(
    name: str, capsys: pytest.CaptureFixture[str], error_of: Callable[..., str]
) -> None:
    end_job(name, "Completed")
    main(["cost", name, "--price", "2"])
    assert capsys.readouterr().out == f"{name}: 1,800 s, $1.00\n"


def test_a_job_that_aws_bills_nothing_for_has_no_cost(
    name: str, error_of: Callable[..., str]
) -> None:
    sagemaker_job("training_jobs", name).billable_time_in_seconds = None
    sagemaker_job("training_jobs", name).training_job_status = "InProgress"
    expected = f"{name} is InProgress: AWS bills nothing for it yet, or pass --price"
    assert error_of("cost", name) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cost", "--price", "free"], "'free'; use US dollars an hour, such as 1.41"),
        (["cost", "--price", "-1"], "'-1'; use US dollars an hour, such as 1.41"),
        (["cost", "--price", "nan"], "'nan'; use US dollars an hour, such as 1.41"),
        (["train", "--instances", "0"], "'0'; use a whole number from 1 on"),
        (["train", "--instances", "two"], "'two'; use a whole number from 1 on"),
        (["tune", "--max-hours", "0"], "'0'; use hours, 0.01 to 120"),
        (["tune", "--max-hours", "121"], "'121'; use hours, 0.01 to 120"),
        (["tune", "--max-hours", "long"], "'long'; use hours, 0.01 to 120"),
    ],
)
def test_a_number_that_cannot_be_is_named_with_what_can(
    aws: Aws, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err
    assert aws.sent == []


def test_cost_of_everything(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    main(["cost"])
    out = capsys.readouterr().out
    assert out.startswith("US dollars an hour, us-east-1, on demand, July 2026:")
    assert all(name in out for name in INSTANCES)
    assert aws.sent == []


@pytest.mark.parametrize(
    ("name", "gpus"),
    [("ml.g5.12xlarge", 4), ("ml.p5.48xlarge", 1), ("ml.g7.xlarge", 1), ("ml.m9.large", 0)],
)
def test_gpus_of_instance_types(name: str, gpus: int) -> None:
    assert gpus_of(name) == gpus


def test_a_stopped_job_is_not_a_success(name: str, cloud: Cloud) -> None:
    end_job(name, "Stopped")
    with pytest.raises(JobError, match="stopped: no reason given"):
        status.wait_for(cloud, name)
