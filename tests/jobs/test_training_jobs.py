"""Training jobs: the exact request, what is refused, and going on after a failure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_stack.template import Template
from model_training.jobs.__main__ import main
from model_training.jobs.images import training_image
from model_training.jobs.training import (
    METRICS,
    Machines,
    hyperparameters,
    job_name,
    supports_several_processes,
)
from model_training.recipes.settings import overrides_of
from model_training.training import classifier
from tests.jobs.conftest import (
    BUCKET,
    REGION,
    ROLE,
    TRAINED,
    Aws,
    TrainedModel,
    sagemaker_job,
)

IMAGES = f"763104351884.dkr.ecr.{REGION}.amazonaws.com/pytorch"


def trained(aws: Aws, *arguments: str) -> Any:
    """Start a job and return its request."""
    main(["train", *TRAINED, *arguments])
    return aws.requests("CreateTrainingJob")[-1]


def test_names_of_the_same_second_are_not_the_same() -> None:
    assert len({job_name("score") for _ in range(10)}) == 10


def test_a_job_is_asked_for_exactly_like_this(aws: Aws, data: None) -> None:
    request = trained(aws, "modern", "--epochs", "3", "--bidirectional", "false")
    name = request["TrainingJobName"]
    assert re.fullmatch(r"reeltone-modern-\d{6}-\d{6}-[0-9a-f]{4}", name)
    (source,) = aws.requests("PutObject")
    assert re.fullmatch(r"reeltone/source/source-[0-9a-f]{16}\.tar\.gz", source["Key"])
    assert request == {
        "TrainingJobName": name,
        "HyperParameters": {
            "config": '"modern"',
            "archive": '"/opt/ml/input/data/training/aclImdb_v1.tar.gz"',
            "data-dir": '"/tmp/data"',
            "epochs": "3",
            "bidirectional": "false",
            "sagemaker_program": '"train_job.py"',
            "sagemaker_submit_directory": f'"s3://{BUCKET}/{source["Key"]}"',
        },
        "AlgorithmSpecification": {
            "TrainingImage": f"{IMAGES}:2.13-cu133-amzn2023-sagemaker",
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "dev_accuracy", "Regex": "dev_accuracy ([0-9.]+)"},
                {"Name": "dev_log_loss", "Regex": "dev_log_loss ([0-9.]+)"},
                {"Name": "loss", "Regex": r"\sloss ([0-9.]+)"},
            ],
        },
        "RoleArn": ROLE,
        "InputDataConfig": [
            {
                "ChannelName": "training",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{BUCKET}/reeltone/data/aclImdb_v1.tar.gz",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/reeltone/models"},
        "ResourceConfig": {
            "InstanceType": "ml.g5.xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 14_400},
        "EnableManagedSpotTraining": False,
        "CheckpointConfig": {
            "S3Uri": f"s3://{BUCKET}/reeltone/checkpoints/{name}",
            "LocalPath": "/opt/ml/checkpoints",
        },
        "Environment": {"PYTHONUNBUFFERED": "1", "TQDM_DISABLE": "1"},
        "Tags": [{"Key": "project", "Value": "reeltone"}],
    }


def test_the_training_script_understands_the_jobs_options() -> None:
    machines = Machines("ml.g5.xlarge", 1, False, 4)
    overrides = {"bidirectional": False, "pooling": "last", "learning_rate": 1e-5, "epochs": 2}
    arguments: list[str] = []
    for name, value in hyperparameters("classic", overrides, machines).items():
        if not name.startswith("sagemaker_"):  # the toolkit keeps these to itself
            arguments += [f"--{name}", str(json.loads(value))]
    options = classifier._parse(arguments)
    assert options.config == "classic"
    assert options.archive == Path("/opt/ml/input/data/training/aclImdb_v1.tar.gz")
    assert options.data_dir == Path("/tmp/data")
    assert overrides_of(options) == overrides


def test_a_spot_job_may_wait_for_machines(aws: Aws, data: None) -> None:
    request = trained(aws, "--spot", "--max-hours", "2")
    assert request["EnableManagedSpotTraining"] is True
    assert request["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 7_200,
        "MaxWaitTimeInSeconds": 14_400,
    }


def test_a_machine_without_gpu_gets_the_image_without_cuda(aws: Aws, data: None) -> None:
    request = trained(aws, "classic", "--instance-type", "ml.c5.2xlarge")
    assert request["AlgorithmSpecification"]["TrainingImage"].endswith(
        "pytorch:2.13-cpu-amzn2023-sagemaker"
    )
    own = trained(aws, "--image", "1.dkr.ecr.us-east-1.amazonaws.com/own:1")
    assert own["AlgorithmSpecification"]["TrainingImage"].endswith("/own:1")


def test_the_same_source_has_the_same_name(aws: Aws, data: None) -> None:
    trained(aws)
    trained(aws, "classic")
    first, second = aws.requests("PutObject")
    assert first["Key"] == second["Key"]
    assert first["Body"] == second["Body"]


def test_a_dry_run_shows_the_request_and_needs_no_aws_at_all(
    nowhere: None, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", "--dry-run", "--bucket", BUCKET, "--role", ROLE, "--price", "1.5"])
    cost, *shown = capsys.readouterr().out.splitlines()
    assert cost == "cost: 1 x ml.g5.xlarge, $1.50 an hour (as given); at most 4 h, $6.00"
    text = "\n".join(shown)
    request = json.loads(text.partition("sagemaker.create_training_job ")[2])
    assert request["RoleArn"] == ROLE
    assert request["CheckpointConfig"]["S3Uri"].endswith(request["TrainingJobName"])


def test_a_dry_run_is_what_would_be_sent(
    aws: Aws, data: None, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", *TRAINED, "--dry-run", "--seed", "7"])
    shown = capsys.readouterr().out.partition("sagemaker.create_training_job ")[2]
    assert aws.changes() == []
    sent = trained(aws, "--seed", "7")
    name, shown_name = sent["TrainingJobName"], json.loads(shown)["TrainingJobName"]
    assert json.loads(shown.replace(shown_name, name)) == sent


def test_the_cost_is_said_before_anything_is_sent(
    aws: Aws, data: None, error_of: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "--bucket", BUCKET, "--role", ROLE]
    assert error_of(*arguments) == "nobody is there to ask; pass --yes to start without asking"
    assert "$1.41 an hour (us-east-1, July 2026); at most 4 h, $5.63" in capsys.readouterr().out
    assert aws.changes() == []


def test_several_machines_are_refused_while_training_uses_one_process(
    aws: Aws, data: None, error_of: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_training.jobs.training.supports_several_processes", lambda: False)
    message = error_of("train", *TRAINED, "--instances", "2")
    assert message.startswith("2 x ml.g5.xlarge would run 2 processes")
    message = error_of("train", *TRAINED, "--instance-type", "ml.g5.12xlarge")
    assert message.startswith("1 x ml.g5.12xlarge would run 4 processes")
    assert aws.changes() == []


def test_several_machines_train_under_torchrun_once_training_can(
    aws: Aws, data: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_training.jobs.training.supports_several_processes", lambda: True)
    request = trained(aws, "--instances", "2")
    assert request["HyperParameters"]["sagemaker_torch_distributed_enabled"] == "true"
    assert request["HyperParameters"]["sagemaker_instance_type"] == '"ml.g5.xlarge"'
    assert request["ResourceConfig"]["InstanceCount"] == 2
    sagemaker_job("training_jobs", request["TrainingJobName"]).training_job_status = "Stopped"
    alone = trained(aws, "--resume", request["TrainingJobName"])
    assert "sagemaker_torch_distributed_enabled" not in alone["HyperParameters"]
    assert "sagemaker_instance_type" not in alone["HyperParameters"]


def test_several_machines_without_gpu_are_refused(
    aws: Aws, data: None, error_of: Callable[..., str]
) -> None:
    message = error_of("train", *TRAINED, "--instance-type", "ml.c5.xlarge", "--instances", "2")
    assert message.startswith("2 x ml.c5.xlarge: several machines train on GPUs only")


@pytest.mark.parametrize(
    ("script", "supported"),
    [
        ("DISTRIBUTED = True", True),
        ("DISTRIBUTED: bool = True", True),
        ("DISTRIBUTED = False", False),
        ("x = 1\n\ndef main():\n    DISTRIBUTED = True", False),
        ("", False),
    ],
)
def test_the_training_script_says_whether_it_can_use_several_processes(
    tmp_path: Path, script: str, supported: bool
) -> None:
    (tmp_path / "train.py").write_text(script)
    assert supports_several_processes(tmp_path / "train.py") is supported
    assert supports_several_processes() is (getattr(classifier, "DISTRIBUTED", False) is True)


def test_the_metrics_are_those_of_an_epochs_line(trained_model: TrainedModel) -> None:
    about = json.loads((trained_model.folder / "run.json").read_text())
    assert len(about["history"]) == 2
    for name, pattern in METRICS.items():
        found = [float(value) for value in re.findall(pattern, trained_model.output)]
        assert found == pytest.approx([row[name] for row in about["history"]], abs=5e-5)


def test_a_failed_job_goes_on_from_its_checkpoints_with_its_settings(aws: Aws, data: None) -> None:
    first = trained(aws, "classic", "--epochs", "4")
    job = sagemaker_job("training_jobs", first["TrainingJobName"])
    job.training_job_status = "Failed"
    second = trained(aws, "--resume", first["TrainingJobName"], "--instance-type", "ml.g6.xlarge")
    assert second["CheckpointConfig"] == first["CheckpointConfig"]
    assert second["HyperParameters"] == first["HyperParameters"]
    assert second["ResourceConfig"]["InstanceType"] == "ml.g6.xlarge"
    assert second["TrainingJobName"].startswith("reeltone-classic-")


def test_only_a_job_that_broke_off_can_resume(
    aws: Aws, data: None, error_of: Callable[..., str]
) -> None:
    name = trained(aws)["TrainingJobName"]
    sagemaker_job("training_jobs", name).training_job_status = "InProgress"
    message = error_of("train", *TRAINED, "--resume", name)
    assert message == f"{name} is InProgress; only a job that failed or was stopped can resume"
    assert "keeps the earlier job's settings" in error_of(
        "train", *TRAINED, "--resume", name, "--epochs", "9"
    )
    assert "describe_training_job" in error_of("train", *TRAINED, "--resume", "no-such-job")


def test_a_job_without_quota_says_where_to_get_one(
    aws: Aws, data: None, error_of: Callable[..., str]
) -> None:
    aws.refusals["CreateTrainingJob"] = (
        "ResourceLimitExceeded",
        "The account-level service limit 'ml.g5.xlarge for training job usage' is 0 Instances.",
    )
    message = error_of("train", *TRAINED)
    assert message.startswith("no quota: The account-level service limit 'ml.g5.xlarge for")
    assert "Service Quotas" in message


def test_a_job_without_data_says_how_to_bring_it(aws: Aws, error_of: Callable[..., str]) -> None:
    message = error_of("train", *TRAINED)
    assert message.startswith(f"no data: s3://{BUCKET}/reeltone/data/aclImdb_v1.tar.gz")
    assert message.endswith("python -m model_training.jobs upload FILE")
    assert aws.changes() == []


def test_a_setting_out_of_range_starts_nothing(
    aws: Aws, data: None, error_of: Callable[..., str]
) -> None:
    assert error_of("train", *TRAINED, "--dropout", "2") == "dropout = 2.0; use 0 to 0.95"
    assert aws.changes() == []


def test_an_unknown_instance_type_needs_a_price(
    aws: Aws, data: None, error_of: Callable[..., str]
) -> None:
    message = error_of("train", *TRAINED, "--instance-type", "ml.p9.xlarge")
    assert message.startswith("no price known for 'ml.p9.xlarge': pass --price")
    request = trained(aws, "--instance-type", "ml.p9.xlarge", "--price", "3")
    assert request["AlgorithmSpecification"]["TrainingImage"].endswith("cu133-amzn2023-sagemaker")


def test_a_region_without_an_image_needs_one_named(
    nowhere: None, error_of: Callable[..., str]
) -> None:
    message = error_of(
        *("train", "--dry-run", "--bucket", BUCKET, "--role", ROLE, "--region", "xx-south-1")
    )
    assert "'xx-south-1'" in message
    assert "--image" in message


@pytest.mark.parametrize(
    ("region", "has_gpu", "image"),
    [
        ("us-east-1", True, "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch:2.13-cu133"),
        ("eu-south-2", False, "503227376785.dkr.ecr.eu-south-2.amazonaws.com/pytorch:2.13-cpu"),
        ("cn-north-1", True, "727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/pytorch:2.13-cu133"),
    ],
)
def test_each_region_has_its_image(region: str, has_gpu: bool, image: str) -> None:
    assert training_image(region, has_gpu) == f"{image}-amzn2023-sagemaker"


def test_every_region_of_the_template_can_train() -> None:
    root = Path(__file__).resolve().parents[2]
    regions = Template(root / "template.yaml").document["Mappings"]["ScikitLearnImage"]
    images = {training_image(region, True) for region in regions}
    assert len(images) == len(regions) == 27
