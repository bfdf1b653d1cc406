"""Training jobs: AWS's PyTorch image, our source archive, the data set's archive, checkpoints.

The image's training toolkit unpacks the source (sagemaker_submit_directory), installs its
requirements.txt and runs its script (sagemaker_program) with the other hyperparameters as options.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from model_training.corpus.acl_imdb import ARCHIVE_NAME
from model_training.jobs.cloud import AbsentError, Cloud, JobError, Place
from model_training.jobs.prices import gpus_of
from model_training.jobs.source import ENTRY, pack_source, training_image
from model_training.recipes.recipe import load_recipe

_DATA = "/opt/ml/input/data/training"
# On the job's own machine, which it shares with nobody.
_DATA_DIR = "/tmp/data"  # nosec B108
_CHECKPOINTS = "/opt/ml/checkpoints"
_LAUNCHER_OPTIONS = ("sagemaker_torch_distributed_enabled", "sagemaker_instance_type")
# Bars would fill the log; lines must reach it while the job runs.
ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "TQDM_DISABLE": "1"}
TAGS = [{"Key": "project", "Value": "reeltone"}]
METRICS = {
    # As training prints them: those of the model once at its very end, for a stage before it must
    # not be taken for it, and the loss after each epoch.
    "dev_accuracy": r"final dev_accuracy ([0-9.]+)",
    "dev_log_loss": r"final dev_log_loss ([0-9.]+)",
    "loss": r"\sloss ([0-9.]+)",
}


@dataclass(frozen=True)
class Machines:
    """What a training job runs on."""

    instance_type: str
    instances: int
    spot: bool
    hours: float
    """The most that it may run."""
    image: str | None = None
    """Instead of AWS's own."""

    def resources(self) -> dict[str, Any]:
        """As a request says it."""
        return {
            "InstanceType": self.instance_type,
            "InstanceCount": self.instances,
            "VolumeSizeInGB": 30,
        }

    def limits(self) -> dict[str, Any]:
        """As a request says it; a spot job may wait for machines as long as it may run."""
        seconds = round(self.hours * 3600)
        stop = {"MaxRuntimeInSeconds": seconds}
        if not self.spot:
            return {"StoppingCondition": stop}
        stop["MaxWaitTimeInSeconds"] = 2 * seconds
        return {"StoppingCondition": stop, "EnableManagedSpotTraining": True}


def job_name(kind: str) -> str:
    """Give a new name: reeltone-modern-261122-033000-9f3c.

    Two commands of the same second must not write to the same place: SageMaker refuses a name that
    is taken, but only after the reviews or the source were sent there.
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "-", kind)
    return f"reeltone-{plain}-{datetime.now(UTC):%y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def check_machines(machines: Machines) -> int:
    """Say how many processes the job has: one a GPU, or one without any.

    Raises:
        JobError: there are several machines, which cannot share the stages' results.
    """
    if machines.instances > 1:
        raise JobError(
            f"{machines.instances} x {machines.instance_type}: a job trains on one machine; for "
            f"more GPUs, take for example --instance-type ml.g5.12xlarge"
        )
    return max(1, gpus_of(machines.instance_type))


def hyperparameters(
    recipe: str, overrides: Mapping[str, str], machines: Machines
) -> dict[str, str]:
    """Give options of training and of the toolkit, each as JSON, as the toolkit reads them.

    Raises:
        ConfigError: no such recipe, or no setting that can have that value.
        JobError: the recipe is a file of its own, which a job would not have, or there are several
            machines.
    """
    if recipe.endswith(".toml"):
        raise JobError(f"{recipe}: a job knows the files of model_training/recipes, by name")
    load_recipe(recipe, overrides)
    values: dict[str, Any] = {
        "recipe": recipe,
        "archive": f"{_DATA}/{ARCHIVE_NAME}",
        "data-dir": _DATA_DIR,
        **overrides,
        "sagemaker_program": ENTRY,
    }
    return {name: json.dumps(value) for name, value in values.items()} | _launcher(machines)


def job_body(cloud: Cloud, place: Place, role: str, machines: Machines) -> dict[str, Any]:
    """Give what training and tuning jobs have in common."""
    return {
        "RoleArn": role,
        "AlgorithmSpecification": {
            "TrainingImage": machines.image
            or training_image(cloud.region, gpus_of(machines.instance_type) > 0),
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": key, "Regex": METRICS[key]} for key in METRICS],
        },
        "InputDataConfig": [
            {
                "ChannelName": "training",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": place.uri("data", ARCHIVE_NAME),
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": place.uri("models"), "CompressionType": "GZIP"},
        "Environment": ENVIRONMENT,
        **machines.limits(),
    }


def send_source(cloud: Cloud, place: Place) -> str:
    """Bring the source archive to S3; returns its address."""
    name, content = pack_source()
    cloud.change(
        "s3",
        "put_object",
        Bucket=place.bucket,
        Key=place.key("source", name),
        Body=content,
        ServerSideEncryption="AES256",
    )
    return place.uri("source", name)


def check_data(cloud: Cloud, place: Place) -> None:
    """Make sure that the archive is where jobs read it; a dry run takes it for granted.

    Raises:
        JobError: it is not there.
    """
    if cloud.dry_run:
        return
    try:
        cloud.read("s3", "head_object", Bucket=place.bucket, Key=place.key("data", ARCHIVE_NAME))
    except AbsentError:
        raise JobError(
            f"no data: {place.uri('data', ARCHIVE_NAME)} does not exist; bring it there with "
            'make jobs ARGS="upload FILE"'
        ) from None


def training_request(
    cloud: Cloud,
    place: Place,
    role: str,
    machines: Machines,
    recipe: str,
    overrides: Mapping[str, str],
) -> dict[str, Any]:
    """Bring the source to S3, and make the request for a training job with a new name.

    Raises:
        ConfigError: no such recipe or setting.
        JobError: there is no data, or the job cannot run on such machines.
    """
    parameters = hyperparameters(recipe, overrides, machines)
    check_data(cloud, place)
    name = job_name(recipe)
    parameters["sagemaker_submit_directory"] = json.dumps(send_source(cloud, place))
    checkpoints = {"S3Uri": place.uri("checkpoints", name), "LocalPath": _CHECKPOINTS}
    return _request(cloud, place, role, machines, name, parameters, checkpoints)


def resuming_request(
    cloud: Cloud, place: Place, role: str, machines: Machines, earlier: str
) -> dict[str, Any]:
    """Make the request for a job that goes on from the checkpoints of one that failed or was
    stopped.

    It has the same settings, or its checkpoint could not be used, and today's source.

    Raises:
        JobError: there is no such job, it still runs or it is done.
    """
    launcher = _launcher(machines)
    before = cloud.read("sagemaker", "describe_training_job", TrainingJobName=earlier)
    status = before["TrainingJobStatus"]
    if status not in ("Failed", "Stopped"):
        raise JobError(f"{earlier} is {status}; only a job that failed or was stopped can resume")
    checkpoints = before.get("CheckpointConfig")
    if not checkpoints:
        raise JobError(f"{earlier} kept no checkpoints")
    check_data(cloud, place)
    parameters = {
        name: value
        for name, value in before["HyperParameters"].items()
        if name not in _LAUNCHER_OPTIONS
    } | launcher
    parameters["sagemaker_submit_directory"] = json.dumps(send_source(cloud, place))
    name = job_name(str(json.loads(parameters["recipe"])))
    return _request(cloud, place, role, machines, name, parameters, checkpoints)


def launcher(instance_type: str) -> dict[str, str]:
    """Give the options with which the toolkit starts torchrun, a process for each GPU."""
    values = (True, instance_type)
    return {name: json.dumps(value) for name, value in zip(_LAUNCHER_OPTIONS, values, strict=True)}


def _launcher(machines: Machines) -> dict[str, str]:
    """The same, where there are several processes."""
    return launcher(machines.instance_type) if check_machines(machines) > 1 else {}


def _request(
    cloud: Cloud,
    place: Place,
    role: str,
    machines: Machines,
    name: str,
    parameters: dict[str, str],
    checkpoints: dict[str, str],
) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "HyperParameters": parameters,
        "ResourceConfig": machines.resources(),
        "Tags": TAGS,
        "CheckpointConfig": checkpoints,
        **job_body(cloud, place, role, machines),
    }


def start_training(cloud: Cloud, request: dict[str, Any]) -> str:
    """Start a training job; returns its name.

    Raises:
        JobError: it cannot be started.
    """
    cloud.change("sagemaker", "create_training_job", **request)
    return str(request["TrainingJobName"])
