"""Hyperparameter search: many training jobs, each with other settings, compared by the dev accuracy
of their models. Each job trains all stages of the recipe.

They keep no checkpoints, as SageMaker would give all of them the same: a spot machine that is taken
away costs what its job had done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from model_training.jobs.cloud import Cloud, JobError, Place
from model_training.jobs.training import (
    TAGS,
    Machines,
    check_data,
    hyperparameters,
    job_body,
    job_name,
    send_source,
)
from model_training.recipes.recipe import Recipe, load_recipe

OBJECTIVE = "dev_accuracy"
DEFAULT_RANGES = (
    "learning_rate=3e-4:3e-3:log",
    "embedding_dropout=0.3:0.6",
    "word_dropout=0:0.2",
    "dropout=0.3:0.6",
)
_RANGE_KINDS = {int: "IntegerParameterRanges", float: "ContinuousParameterRanges"}
_SCALES = {"linear": "Linear", "log": "Logarithmic"}


def read_ranges(
    texts: Sequence[str], recipe: str, overrides: Mapping[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """Read ranges of settings as a request has them: ``dropout=0.3:0.6``,
    ``teacher-1.epochs=3:8:log`` or, for a choice, ``pooling=last,max+mean``.

    Raises:
        JobError: not one of these forms, or one that is also fixed.
        ConfigError: no such setting, it cannot have one of the values, or it has no effect beside
            what is fixed and searched for single stages.
    """
    ranges: dict[str, list[dict[str, Any]]] = {}
    known, job = load_recipe(recipe, overrides), dict(overrides)
    for text in texts:
        name, _, values = text.partition("=")
        if not name or not values:
            raise JobError(f"--range {text!r}; use SETTING=LEAST:MOST[:log] or SETTING=VALUE,VALUE")
        if name in overrides:
            raise JobError(f"--range {text!r}: {name} is fixed by --{name.replace('_', '-')}")
        if name in job:
            raise JobError(f"--range {text!r}: {name} has a range already")
        kind, entry = _read_range(known, name, values, text)
        for value in entry.pop("values"):
            job[name] = value
            load_recipe(recipe, job)
        ranges.setdefault(kind, []).append(entry)
    return ranges


def tuning_request(
    cloud: Cloud,
    place: Place,
    role: str,
    machines: Machines,
    recipe: str,
    overrides: Mapping[str, str],
    ranges: Sequence[str],
    jobs: int,
    parallel: int,
) -> dict[str, Any]:
    """Bring the source to S3, and make the request for a search of ``jobs`` training jobs,
    ``parallel`` at a time, with a new name.

    Raises:
        ConfigError: no such recipe or setting.
        JobError: a range cannot be, there is no data or nothing to compare by.
    """
    fixed = hyperparameters(recipe, overrides, machines)
    searched = read_ranges(ranges, recipe, overrides)
    if not load_recipe(recipe, overrides).stages[-1].settings.dev_reviews:
        raise JobError("dev_reviews = 0: a search needs reviews to compare by; pass --dev-reviews")
    check_data(cloud, place)
    fixed["sagemaker_submit_directory"] = json.dumps(send_source(cloud, place))
    return {
        # SageMaker allows 32 characters here, and appends its own to name each training job.
        "HyperParameterTuningJobName": job_name("tune"),
        "HyperParameterTuningJobConfig": _search(searched, jobs, parallel),
        "TrainingJobDefinition": {
            "StaticHyperParameters": fixed,
            "ResourceConfig": machines.resources(),
            **job_body(cloud, place, role, machines),
        },
        "Tags": TAGS,
    }


def start_tuning(cloud: Cloud, request: dict[str, Any]) -> str:
    """Start a search; returns its name.

    Raises:
        JobError: it cannot be started.
    """
    cloud.change("sagemaker", "create_hyper_parameter_tuning_job", **request)
    return str(request["HyperParameterTuningJobName"])


def _search(ranges: dict[str, Any], jobs: int, parallel: int) -> dict[str, Any]:
    return {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": OBJECTIVE},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel},
        "ParameterRanges": ranges,
        "TrainingJobEarlyStoppingType": "Off",
    }


def _read_range(recipe: Recipe, name: str, values: str, text: str) -> tuple[str, dict[str, Any]]:
    """The kind of range, and the range with the values at its ends."""
    number = recipe.type_of(name)
    if number not in _RANGE_KINDS:
        choices = values.split(",")
        if len(set(choices)) < max(2, len(choices)):
            raise JobError(f"--range {text!r}; use {name}=VALUE,VALUE, all of them different")
        entry = {"Name": name, "Values": [json.dumps(choice) for choice in choices]}
        return "CategoricalParameterRanges", entry | {"values": choices}
    try:
        least, most, *rest = values.split(":")
        ends = [number(least), number(most)]
        (scale,) = rest or ["linear"]
        entry = {"Name": name, "MinValue": least, "MaxValue": most, "ScalingType": _SCALES[scale]}
    except (ValueError, KeyError):
        raise JobError(
            f"--range {text!r}; use {name}=LEAST:MOST or {name}=LEAST:MOST:log"
        ) from None
    if not ends[0] < ends[1] or (scale == "log" and ends[0] <= 0):
        raise JobError(f"--range {text!r}: the least must be below the most, and above 0 for log")
    return _RANGE_KINDS[number], entry | {"values": ends}
