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
from model_training.jobs.source import training_image
from model_training.jobs.training import METRICS, Machines, hyperparameters, job_name
from model_training.recipes.settings import ClassifierSettings
from model_training.training.__main__ import parse
from tests.jobs.conftest import BUCKET, REGION, ROLE, TRAINED, Aws, TrainedModel, sagemaker_job

IMAGES = f"763104351884.dkr.ecr.{REGION}.amazonaws.com/pytorch"


def trained(aws: Aws, *arguments: str) -> Any:
    """Start a job and return its request."""
    main(["train", *TRAINED, *arguments])
    return aws.requests("CreateTrainingJob")[-1]


def test_names_of_the_same_second_are_not_the_same() -> None:
    assert len({job_name("score") for _ in range(10)}) == 10


def test_a_job_is_asked_for_exactly_like_this(aws: Aws, data: None) -> None:
    request = trained(aws, "modern", "--epochs", "3", "--teacher-1.seed=2")
    name = request["TrainingJobName"]
    assert re.fullmatch(r"reeltone-modern-\d{6}-\d{6}-[0-9a-f]{4}", name)
    (source,) = aws.requests("PutObject")
    assert re.fullmatch(r"reeltone/source/source-[0-9a-f]{16}\.tar\.gz", source["Key"])
    assert request == {
        "TrainingJobName": name,
        "HyperParameters": {
            "recipe": '"modern"',
            "archive": '"/opt/ml/input/data/training/aclImdb_v1.tar.gz"',
            "data-dir": '"/tmp/data"',
            "epochs": '"3"',
            "teacher-1.seed": '"2"',
            "sagemaker_program": '"train_job.py"',
            "sagemaker_submit_directory": f'"s3://{BUCKET}/{source["Key"]}"',
        },
        "AlgorithmSpecification": {
            "TrainingImage": f"{IMAGES}:2.13-cu133-amzn2023-sagemaker",
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "dev_accuracy", "Regex": "final dev_accuracy ([0-9.]+)"},
                {"Name": "dev_log_loss", "Regex": "final dev_log_loss ([0-9.]+)"},
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
        "OutputDataConfig": {
            "S3OutputPath": f"s3://{BUCKET}/reeltone/models",
            "CompressionType": "GZIP",
        },
        "ResourceConfig": {
            "InstanceType": "ml.g5.xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 14_400},
        "CheckpointConfig": {
            "S3Uri": f"s3://{BUCKET}/reeltone/checkpoints/{name}",
            "LocalPath": "/opt/ml/checkpoints",
        },
        "Environment": {"PYTHONUNBUFFERED": "1", "TQDM_DISABLE": "1"},
        "Tags": [{"Key": "project", "Value": "reeltone"}],
    }


def test_the_training_script_understands_the_jobs_options() -> None:
    machines = Machines("ml.g5.xlarge", 1, False, 4)
    overrides = {"short_texts": "true", "pooling": "last", "classic.learning_rate": "1e-5"}
    arguments: list[str] = []
    for name, value in hyperparameters("classic", overrides, machines).items():
        if not name.startswith("sagemaker_"):  # the toolkit keeps these to itself
            arguments += [f"--{name}", str(json.loads(value))]
    options, recipe = parse(arguments)
    [stage] = recipe.stages
    assert isinstance(stage.settings, ClassifierSettings)
    assert (stage.settings.short_texts, stage.settings.pooling) == (True, "last")
    assert stage.settings.learning_rate == 1e-5
    assert options.archive == Path("/opt/ml/input/data/training/aclImdb_v1.tar.gz")
    assert options.data_dir == Path("/tmp/data")


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


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "modern"],
        ["train", "--role", "trainer"],
        ["tune"],
        ["evaluate", "--data-dir", "data"],
    ],
)
def test_a_dry_run_needs_no_bucket_no_role_and_no_region_and_says_the_price(
    nowhere: None,
    corpus: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.chdir(tmp_path)
    main([*arguments, "--dry-run"])
    cost, *_ = capsys.readouterr().out.splitlines()
    assert re.match(r"cost: .*\$\d+\.\d\d", cost)


def test_a_dry_run_is_what_would_be_sent(
    aws: Aws, data: None, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = ["--bucket", BUCKET, "--role", ROLE]
    main(["train", *stored, "--dry-run", "--seed", "7"])
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


def test_several_machines_are_refused(aws: Aws, data: None, error_of: Callable[..., str]) -> None:
    message = error_of("train", *TRAINED, "--instances", "2")
    assert message.startswith("2 x ml.g5.xlarge: a job trains on one machine; for more GPUs")
    assert aws.changes() == []


def test_several_gpus_train_under_torchrun(aws: Aws, data: None) -> None:
    request = trained(aws, "--instance-type", "ml.g5.12xlarge")
    assert request["HyperParameters"]["sagemaker_torch_distributed_enabled"] == "true"
    assert request["HyperParameters"]["sagemaker_instance_type"] == '"ml.g5.12xlarge"'
    sagemaker_job("training_jobs", request["TrainingJobName"]).training_job_status = "Stopped"
    alone = trained(aws, "--resume", request["TrainingJobName"])
    assert "sagemaker_torch_distributed_enabled" not in alone["HyperParameters"]
    assert "sagemaker_instance_type" not in alone["HyperParameters"]


def test_the_metrics_are_those_of_the_model_and_no_stage_before_it(
    trained_model: TrainedModel,
) -> None:
    about = json.loads((trained_model.folder / "run.json").read_text())
    for name, figure in (("dev_accuracy", "accuracy"), ("dev_log_loss", "log_loss")):
        [found] = re.findall(METRICS[name], trained_model.output)
        assert float(found) == pytest.approx(about["dev"][figure], abs=5e-5)
    losses = [row["loss"] for row in about["parts"]["forward"]["history"]]
    found = [float(loss) for loss in re.findall(METRICS["loss"], trained_model.output)]
    assert found == pytest.approx(losses, abs=5e-5)


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
    assert message.endswith('make jobs ARGS="upload FILE"')
    assert aws.changes() == []


def test_a_setting_out_of_range_starts_nothing(
    aws: Aws, data: None, error_of: Callable[..., str]
) -> None:
    assert error_of("train", *TRAINED, "--dropout", "2").endswith("dropout = 2.0; use 0 to 0.95")
    assert aws.changes() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--processes", "4"], "--processes is of a job on this machine; add --local"),
        (["--local", "--spot"], "--spot is of a job on SageMaker; leave out --local"),
        (["--local", "--role", "other"], "--role is of a job on SageMaker; leave out --local"),
    ],
)
def test_an_option_of_the_other_kind_of_job_starts_none(
    aws: Aws, data: None, error_of: Callable[..., str], arguments: list[str], message: str
) -> None:
    assert error_of("train", "classic", "--yes", *arguments) == message
    assert error_of("status", "--wait") == "--wait: name the job to wait for"
    assert aws.changes() == []


@pytest.mark.parametrize("command", ["train", "tune"])
def test_a_setting_without_effect_starts_nothing(
    aws: Aws, data: None, error_of: Callable[..., str], command: str
) -> None:
    message = error_of(command, *TRAINED, "--epocs", "2")
    assert message.startswith("no stage of ") and "has the setting 'epocs'; there are" in message
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
