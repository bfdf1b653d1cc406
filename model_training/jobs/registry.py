"""Finished models in SageMaker's model registry, where somebody approves what is deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from model_training.jobs.artefact import find_artefact
from model_training.jobs.cloud import AbsentError, Cloud, JobError
from model_training.jobs.status import Job, find_job
from model_training.jobs.training import TAGS

PENDING, APPROVED = "PendingManualApproval", "Approved"


@dataclass(frozen=True)
class Registered:
    """A version in the registry."""

    arn: str
    job: str
    """The training job that made the model."""
    address: str
    """s3:// address of the job's model.tar.gz."""


def register_model(cloud: Cloud, job: Job, group: str, approved: bool = False) -> str:
    """Put a finished job's model into a group of the registry, with its metrics; gives its ARN.

    Raises:
        JobError: the job has no model, or the registry refuses it.
    """
    name, address = find_artefact(job)
    trained = job if job.kind.word == "training" else find_job(cloud, name)
    _make_group(cloud, group)
    answer = cloud.change(
        "sagemaker",
        "create_model_package",
        ModelPackageGroupName=group,
        ModelPackageDescription=f"made by the training job {name}",
        ModelApprovalStatus=APPROVED if approved else PENDING,
        # The run, as the job left it: deploy-model makes of it what an endpoint serves.
        InferenceSpecification={
            "Containers": [
                {
                    "Image": trained.about["AlgorithmSpecification"]["TrainingImage"],
                    "ModelDataUrl": address,
                }
            ],
            "SupportedContentTypes": ["application/json", "application/jsonlines"],
            "SupportedResponseMIMETypes": ["application/json", "application/jsonlines"],
        },
        CustomerMetadataProperties={"job": name, **_metrics(trained.about)},
    )
    return str(answer.get("ModelPackageArn", ""))


def find_approved(cloud: Cloud, group: str) -> Registered:
    """Find the latest approved version of a group.

    Raises:
        JobError: there is no such group, or nobody has approved anything in it.
    """
    try:
        found = cloud.read(
            "sagemaker",
            "list_model_packages",
            ModelPackageGroupName=group,
            ModelApprovalStatus=APPROVED,
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=1,
        )["ModelPackageSummaryList"]
    except AbsentError:
        found = []
    if not found:
        raise JobError(
            f"no approved model in the group {group!r}: approve one in the console, or with aws "
            f"sagemaker update-model-package --model-approval-status Approved"
        )
    arn = found[0]["ModelPackageArn"]
    about = cloud.read("sagemaker", "describe_model_package", ModelPackageName=arn)
    if about["ModelApprovalStatus"] != APPROVED:
        raise JobError(f"{arn} is not approved: {about['ModelApprovalStatus']}")
    job = about.get("CustomerMetadataProperties", {}).get("job")
    if not job:
        raise JobError(f"{arn} was not registered by this project: it names no job")
    [container] = about["InferenceSpecification"]["Containers"]
    return Registered(arn, job, container["ModelDataUrl"])


def _make_group(cloud: Cloud, group: str) -> None:
    try:
        cloud.read("sagemaker", "describe_model_package_group", ModelPackageGroupName=group)
    except AbsentError:
        cloud.change(
            "sagemaker",
            "create_model_package_group",
            ModelPackageGroupName=group,
            ModelPackageGroupDescription="Models of Reeltone, registered by its jobs",
            Tags=TAGS,
        )


def _metrics(about: dict[str, Any]) -> dict[str, str]:
    """What a job measured, as metadata holds it."""
    return {m["MetricName"]: f"{m['Value']:.6f}" for m in about.get("FinalMetricDataList", ())}
