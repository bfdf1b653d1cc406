"""Hyperparameter search: the exact request, and ranges that cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from model_training.jobs.__main__ import main
from model_training.jobs.tuning import DEFAULT_RANGES, read_ranges
from model_training.recipes.recipe import load_recipe
from tests.jobs.conftest import BUCKET, ROLE, TRAINED, Aws

SEARCH = {
    "Strategy": "Bayesian",
    "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "dev_accuracy"},
    "ResourceLimits": {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 3},
    "TrainingJobEarlyStoppingType": "Off",
    "ParameterRanges": {
        "ContinuousParameterRanges": [
            {
                "Name": "learning_rate",
                "MinValue": "1e-4",
                "MaxValue": "1e-2",
                "ScalingType": "Logarithmic",
            }
        ],
        "IntegerParameterRanges": [
            {
                "Name": "hidden_size",
                "MinValue": "64",
                "MaxValue": "256",
                "ScalingType": "Linear",
            }
        ],
        "CategoricalParameterRanges": [
            {"Name": "pooling", "Values": ['"last"', '"max+mean"']},
            {"Name": "short_texts", "Values": ['"true"', '"false"']},
        ],
    },
}
"""What the search below asks SageMaker for."""


def test_a_search_is_asked_for_exactly_like_this(
    aws: Aws, data: None, capsys: pytest.CaptureFixture[str]
) -> None:
    main(
        [
            *("tune", *TRAINED, "classic", "--epochs", "2", "--jobs", "6", "--parallel", "3"),
            *("--range", "learning_rate=1e-4:1e-2:log", "--range", "hidden_size=64:256"),
            *("--range", "pooling=last,max+mean", "--range", "short_texts=true,false"),
            *("--spot", "--max-hours", "0.5"),
        ]
    )
    (request,) = aws.requests("CreateHyperParameterTuningJob")
    assert len(request["HyperParameterTuningJobName"]) <= 32
    assert request["HyperParameterTuningJobConfig"] == SEARCH
    definition = request["TrainingJobDefinition"]
    (source,) = aws.requests("PutObject")
    assert definition["StaticHyperParameters"] == {
        "recipe": '"classic"',
        "archive": '"/opt/ml/input/data/training/aclImdb_v1.tar.gz"',
        "data-dir": '"/tmp/data"',
        "epochs": '"2"',
        "sagemaker_program": '"train_job.py"',
        "sagemaker_submit_directory": f'"s3://{BUCKET}/{source["Key"]}"',
    }
    assert definition["RoleArn"] == ROLE
    assert definition["EnableManagedSpotTraining"] is True
    assert definition["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 1_800,
        "MaxWaitTimeInSeconds": 3_600,
    }
    assert "CheckpointConfig" not in definition
    metrics = definition["AlgorithmSpecification"]["MetricDefinitions"]
    assert "dev_accuracy" in [metric["Name"] for metric in metrics]
    cost = capsys.readouterr().out.splitlines()[0]
    assert "3 x ml.g5.xlarge, $4.22 an hour" in cost
    assert "for each of 6 jobs, $4.22; spot costs less" in cost


def test_the_usual_ranges_are_ones_that_the_settings_can_have() -> None:
    ranges = read_ranges(DEFAULT_RANGES, "classic", {})
    names = [entry["Name"] for entry in ranges["ContinuousParameterRanges"]]
    assert names == ["learning_rate", "embedding_dropout", "word_dropout", "dropout"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speed=1:2", "no stage of classic has the setting 'speed'; there are"),
        ("dropout", "--range 'dropout'; use SETTING=LEAST:MOST[:log] or SETTING=VALUE,VALUE"),
        ("dropout=0.1", "use dropout=LEAST:MOST or dropout=LEAST:MOST:log"),
        ("dropout=0.1:0.2:square", "use dropout=LEAST:MOST or dropout=LEAST:MOST:log"),
        ("hidden_size=1.5:2", "use hidden_size=LEAST:MOST or hidden_size=LEAST:MOST:log"),
        ("dropout=0.3:0.2", "the least must be below the most"),
        ("dropout=0:0.2:log", "above 0 for log"),
        ("dropout=0.5:2", "dropout = 2.0; use 0 to 0.95"),
        ("pooling=last,first", "pooling = 'first'"),
        ("short_texts=yes,no", "'yes'; use a switch: true or false"),
        ("pooling=last", "use pooling=VALUE,VALUE, all of them different"),
        ("pooling=last,last", "use pooling=VALUE,VALUE, all of them different"),
    ],
)
def test_a_range_that_cannot_be_is_refused_before_anything_is_sent(
    aws: Aws, data: None, error_of: Callable[..., str], text: str, message: str
) -> None:
    assert message in error_of("tune", *TRAINED, "--range", text)
    assert aws.changes() == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--dropout=0.1"], "dropout is fixed by --dropout"),
        (["--range=dropout=0:0.1"], "dropout has a range already"),
        (["--classic.dropout=0.1"], "'dropout' has no effect: all stages that have it are told"),
        (["--range=classic.dropout=0:0.1"], "'dropout' has no effect: all stages that have it are"),
    ],
)
def test_a_search_without_effect_starts_nothing(
    aws: Aws, data: None, error_of: Callable[..., str], more: list[str], message: str
) -> None:
    assert message in error_of("tune", *TRAINED, "--range", "dropout=0:0.5", *more)
    assert aws.changes() == []


def test_a_search_needs_reviews_to_compare_by(
    aws: Aws, data: None, error_of: Callable[..., str]
) -> None:
    assert error_of("tune", *TRAINED, "--dev-reviews", "0").startswith("dev_reviews = 0")


def test_the_default_search_varies_what_the_recipe_has(aws: Aws, data: None) -> None:
    main(["tune", *TRAINED])
    [request] = aws.requests("CreateHyperParameterTuningJob")
    fixed = request["TrainingJobDefinition"]["StaticHyperParameters"]
    recipe = load_recipe(str(json.loads(fixed["recipe"])))
    ranges = request["HyperParameterTuningJobConfig"]["ParameterRanges"]
    for entry in ranges["ContinuousParameterRanges"]:
        least, most = (
            load_recipe(recipe.name, {entry["Name"]: entry[end]}).stages[-1].settings
            for end in ("MinValue", "MaxValue")
        )
        assert least != most and getattr(least, "epochs", 0) > 0
