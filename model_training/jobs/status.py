"""What jobs do and write, whether they worked, and what they cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from model_training.jobs.cloud import AbsentError, Cloud, JobError, NotAllowedError
from model_training.jobs.prices import INSTANCES

GROUP = "/aws/sagemaker/TrainingJobs"
_LATE = 60_000
"""Milliseconds that a line may come after ones that are younger."""


class JobLog:
    """The log of one training job, all its machines together."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self._cloud = cloud
        self._prefix = f"{name}/"
        self._latest = 0
        self._seen: set[str] = set()
        self._is_readable = True

    def new_lines(self) -> Iterator[str]:
        """Give the lines since the last look; none where there is no log yet.

        Who may start jobs need not be allowed to read logs: that is said, once.
        """
        if not self._is_readable:
            return
        try:
            yield from self._read()
        except AbsentError:
            return  # nothing has been written yet
        except NotAllowedError as error:
            self._is_readable = False
            yield f"no log lines: {error}"

    def _read(self) -> Iterator[str]:
        events = self._cloud.pages(
            "logs",
            "filter_log_events",
            "events",
            logGroupName=GROUP,
            logStreamNamePrefix=self._prefix,
            startTime=max(0, self._latest - _LATE),
        )
        for event in events:
            if event["eventId"] not in self._seen:
                self._seen.add(event["eventId"])
                self._latest = max(self._latest, event["timestamp"])
                yield event["message"].rstrip("\n")


@dataclass(frozen=True)
class Kind:
    """How SageMaker calls a kind of job."""

    word: str
    name: str
    """The member that holds a job's name."""
    describe: str
    listing: str
    summaries: str


KINDS = (
    Kind(
        "training",
        "TrainingJobName",
        "describe_training_job",
        "list_training_jobs",
        "TrainingJobSummaries",
    ),
    Kind(
        "tuning",
        "HyperParameterTuningJobName",
        "describe_hyper_parameter_tuning_job",
        "list_hyper_parameter_tuning_jobs",
        "HyperParameterTuningJobSummaries",
    ),
    Kind(
        "transform",
        "TransformJobName",
        "describe_transform_job",
        "list_transform_jobs",
        "TransformJobSummaries",
    ),
)
_RUNNING = ("InProgress", "Stopping")


@dataclass(frozen=True)
class Job:
    """A job as SageMaker describes it."""

    kind: Kind
    name: str
    about: dict[str, Any]

    @property
    def status(self) -> str:
        """InProgress, Completed, Failed, Stopping or Stopped."""
        return str(self.about[self.kind.name.replace("Name", "Status")])

    @property
    def seconds(self) -> float:
        """Seconds that are billed, of one instance, as far as they are known."""
        if "BillableTimeInSeconds" in self.about:
            return float(self.about["BillableTimeInSeconds"])
        start = self.about.get("TrainingStartTime") or self.about.get("TransformStartTime")
        end = self.about.get("TrainingEndTime") or self.about.get("TransformEndTime")
        return float((end - start).total_seconds()) if start and end else 0.0

    def cost(self, price: float | None = None) -> float | None:
        """Give US dollars so far; None where price or time are not known."""
        machines = self.about.get("ResourceConfig") or self.about.get("TransformResources") or {}
        instance = INSTANCES.get(machines.get("InstanceType", ""))
        dollars = instance.dollars if price is None and instance is not None else price
        if dollars is None or not self.seconds:
            return None
        return dollars * float(machines.get("InstanceCount", 1)) * self.seconds / 3600


def find_job(cloud: Cloud, name: str) -> Job:
    """Find the job of that name, of whichever kind.

    Raises:
        JobError: there is none.
    """
    for kind in KINDS:
        try:
            about = cloud.read("sagemaker", kind.describe, **{kind.name: name})
        except AbsentError:
            continue
        return Job(kind, name, about)
    raise JobError(f"no job {name!r} in {cloud.region}")


def list_jobs(cloud: Cloud, most: int = 10) -> list[str]:
    """Give a line for each of our latest jobs, newest first within its kind."""
    lines = []
    for kind in KINDS:
        found = cloud.read(
            "sagemaker",
            kind.listing,
            NameContains="reeltone",
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=most,
        )[kind.summaries]
        for job in found:
            status = job[kind.name.replace("Name", "Status")]
            created = f"{job['CreationTime']:%Y-%m-%d %H:%M}"
            lines.append(f"{kind.word:10} {job[kind.name]:44} {status:12} {created}")
    return lines


def describe_job(job: Job, price: float | None = None) -> list[str]:
    """Describe what there is to know about a job, for people."""
    lines = [f"{job.kind.word} {job.name}: {job.status}"]
    about = job.about
    if about.get("FailureReason"):
        lines.append(f"  reason: {about['FailureReason']}")
    if about.get("SecondaryStatus"):
        lines.append(f"  stage: {about['SecondaryStatus']}")
    for metric in about.get("FinalMetricDataList", ()):
        lines.append(f"  {metric['MetricName']}: {metric['Value']:.4f}")
    counters = about.get("TrainingJobStatusCounters")
    if counters:
        lines.append("  jobs: " + ", ".join(f"{n} {word}" for word, n in counters.items() if n))
    best = about.get("BestTrainingJob")
    if best and best.get("TrainingJobName"):
        metric = best.get("FinalHyperParameterTuningJobObjectiveMetric", {})
        found = f", {metric['MetricName']} {metric['Value']:.4f}" if metric else ""
        lines.append(f"  best: {best['TrainingJobName']}{found}")
        lines += [f"    {key} {value}" for key, value in best["TunedHyperParameters"].items()]
    if about.get("ModelArtifacts", {}).get("S3ModelArtifacts"):
        lines.append(f"  model: {about['ModelArtifacts']['S3ModelArtifacts']}")
    dollars = job.cost(price)
    if dollars is not None:
        lines.append(f"  billed: {job.seconds:,.0f} s, ${dollars:.2f}")
    return lines


def wait_for(
    cloud: Cloud, name: str, every: float = 30.0, sleep: Callable[[float], None] = time.sleep
) -> Job:
    """Give the job, when it is completed; ``every``: seconds between looks. What a training job
    writes meanwhile is shown.

    Raises:
        JobError: there is no such job, it failed or it was stopped; with its reason.
    """
    shown = ""
    log = JobLog(cloud, name)
    while True:
        job = find_job(cloud, name)
        stage = f"{job.status} {job.about.get('SecondaryStatus', '')}".strip()
        if stage != shown:
            cloud.show(f"{name}: {stage}")
            shown = stage
        for line in log.new_lines() if job.kind.word == "training" else ():
            cloud.show(line)
        if job.status not in _RUNNING:
            break
        sleep(every)
    if job.status != "Completed":
        reason = job.about.get("FailureReason") or "no reason given"
        raise JobError(f"{name} {job.status.lower()}: {reason}")
    return job
