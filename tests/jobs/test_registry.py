"""The model registry, and the log that --wait shows."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from model_training.jobs import registry, status
from model_training.jobs.__main__ import main
from model_training.jobs.cloud import Cloud, JobError
from model_training.jobs.status import GROUP, JobLog
from tests.jobs.conftest import TRAINED, Aws, sagemaker_job


@pytest.fixture
def finished(aws: Aws, data: None) -> str:
    """The name of a training job that is done, with its metrics."""
    main(["train", *TRAINED])
    [request] = aws.requests("CreateTrainingJob")
    name: str = request["TrainingJobName"]
    job = sagemaker_job("training_jobs", name)
    job.training_job_status, job.secondary_status = "Completed", "Completed"
    job.final_metric_data_list = [{"MetricName": "dev_accuracy", "Value": 0.9312}]
    return name


def approve(aws: Aws, arn: str) -> None:
    sagemaker = aws.client("sagemaker")
    # moto forgets what is not named again.
    kept = sagemaker.describe_model_package(ModelPackageName=arn)["CustomerMetadataProperties"]
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", CustomerMetadataProperties=kept
    )


def test_a_finished_model_is_registered_with_its_metrics_and_waits_for_approval(
    aws: Aws, cloud: Cloud, finished: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["register", finished])
    arn = capsys.readouterr().out.splitlines()[-1]
    about = aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
    assert about["ModelApprovalStatus"] == "PendingManualApproval"
    assert about["CustomerMetadataProperties"] == {"job": finished, "dev_accuracy": "0.931200"}
    [container] = about["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"].endswith(f"/{finished}/output/model.tar.gz")
    with pytest.raises(JobError, match="no approved model in the group 'reeltone'"):
        registry.find_approved(cloud, "reeltone")
    approve(aws, arn)
    found = registry.find_approved(cloud, "reeltone")
    assert (found.arn, found.job, found.address) == (arn, finished, container["ModelDataUrl"])


def test_the_latest_approved_model_is_deployed_and_the_group_is_made_once(
    aws: Aws, cloud: Cloud, finished: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["register", finished, "--approve"])
    main(["register", finished, "--approve"])
    first, second = (line for line in capsys.readouterr().out.splitlines() if "arn:" in line)
    assert first != second
    assert len(aws.requests("CreateModelPackageGroup")) == 1
    assert registry.find_approved(cloud, "reeltone").arn == second
    main(["deploy-model", "--group", "reeltone", "--dry-run"])
    assert f"/{finished}/output/model.tar.gz" in capsys.readouterr().out


def test_what_to_deploy_must_be_one_thing(aws: Aws, error_of: Callable[..., str]) -> None:
    assert "--group" in error_of("deploy-model")
    assert "--group" in error_of("deploy-model", "job", "--group", "reeltone")
    assert error_of("deploy-model", "--group", "nobodys").startswith("no approved model")


def test_a_job_that_is_not_done_is_not_registered(
    aws: Aws, finished: str, error_of: Callable[..., str]
) -> None:
    sagemaker_job("training_jobs", finished).training_job_status = "Failed"
    assert "Failed" in error_of("register", finished)
    assert "CreateModelPackage" not in aws.changes()


def test_a_dry_run_registers_nothing(
    aws: Aws, finished: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["register", finished, "--dry-run"])
    assert "sagemaker.create_model_package {" in capsys.readouterr().out
    assert "CreateModelPackage" not in aws.changes()


def write_log(aws: Aws, stream: str, *lines: tuple[int, str]) -> None:
    logs = aws.client("logs")
    events = [{"timestamp": time, "message": text} for time, text in lines]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


def test_waiting_shows_each_line_once_of_all_machines_and_of_no_other_job(
    aws: Aws, finished: str
) -> None:
    job = sagemaker_job("training_jobs", finished)
    job.training_job_status, job.secondary_status = "InProgress", "Training"
    logs = aws.client("logs")
    shown: list[str] = []
    now = int(time.time() * 1000) - 10_000

    def pass_time(_: float) -> None:
        if not logs.describe_log_groups()["logGroups"]:
            logs.create_log_group(logGroupName=GROUP)
            for stream in (f"{finished}/algo-1", f"{finished}/algo-2"):
                logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
            write_log(aws, f"{finished}/algo-1", (now + 9_000, "epoch 1\n"))
            return
        # Older than what was shown, but it arrives later.
        write_log(aws, f"{finished}/algo-2", (now + 5_000, "epoch 1, too"))
        job.training_job_status = job.secondary_status = "Completed"

    status.wait_for(Cloud(aws.session, show=shown.append), finished, sleep=pass_time)
    assert shown == [
        f"{finished}: InProgress Training",
        "epoch 1",
        f"{finished}: Completed Completed",
        "epoch 1, too",
    ]
    prefixes = {request["logStreamNamePrefix"] for request in aws.requests("FilterLogEvents")}
    assert prefixes == {f"{finished}/"}


def test_a_log_that_may_not_be_read_is_said_once(aws: Aws, cloud: Cloud) -> None:
    aws.refusals["FilterLogEvents"] = ("AccessDeniedException", "you may not")
    log = JobLog(cloud, "job")
    assert list(log.new_lines()) == ["no log lines: not allowed: filter_log_events: you may not"]
    assert list(log.new_lines()) == []
