"""Jobs from a notebook, through AWS's own SDK; they send what the command line sends.

    from model_training.jobs.notebook import trainer

    job = trainer("my-bucket", "my-role", recipe="modern", overrides={"epochs": "3"})
    job.train(wait=False)

``make sagemaker`` installs the SDK, version 3, beside this module. The objects that these functions
give are the SDK's own. No script is handed to it (``source_code``): the image's toolkit gets our
source archive, as from the command line, so the SDK makes no bucket and adds no channels. Its
telemetry, on by default, is off. ``train(wait=True)`` shows no log lines with ``logs=False``, which
reads another region's where the session is not the default one;
``.venv/bin/python -m model_training.jobs status JOB --wait`` shows them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import (
    CategoricalParameter,
    ContinuousParameter,
    IntegerParameter,
    ParameterRange,
)
from sagemaker.core.resources import Endpoint
from sagemaker.core.shapes import MetricDefinition
from sagemaker.core.transformer import Transformer
from sagemaker.core.utils.code_injection.codec import pascal_to_snake
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import (
    Channel,
    CheckpointConfig,
    Compute,
    OutputDataConfig,
    StoppingCondition,
    Tag,
)
from sagemaker.train.tuner import HyperparameterTuner

from model_training.jobs.cloud import Cloud, JobError, Place, check_bucket, find_role
from model_training.jobs.evaluation import BATCH
from model_training.jobs.training import Machines, training_request
from model_training.jobs.transform import transform_request
from model_training.jobs.tuning import DEFAULT_RANGES, tuning_request
from model_training.paths import MODELS
from review_text import load_vocabulary
from review_text.transform import Transform

MACHINES = Machines("ml.g5.xlarge", 1, spot=False, hours=4)
"""What a job runs on where nothing else is said; as from the command line."""
LINES = {"content_type": "application/jsonlines", "split_type": "Line"}
"""How a batch transform reads its files."""
_QUIET = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
}
_RANGES = {
    "ContinuousParameterRanges": ContinuousParameter,
    "IntegerParameterRanges": IntegerParameter,
}


def trainer(
    bucket: str,
    role: str,
    recipe: str = "modern",
    overrides: Mapping[str, str] | None = None,
    machines: Machines = MACHINES,
    prefix: str = "reeltone",
    session: Any = None,
) -> ModelTrainer:
    """Make a training job that ``train(wait=False)`` starts.

    Args:
        bucket: on S3, where ``make jobs ARGS=upload`` has brought the reviews.
        role: name or ARN of the role that the job runs as.
        recipe: of model_training/recipes, by name.
        overrides: settings that differ from it, as text.
        machines: type, spot, hours, image.
        prefix: of all keys in the bucket.
        session: a boto3 session; without one, the usual credentials and region.

    Raises:
        ReeltoneError: the job cannot be; the message says why.
    """
    cloud, place = _find_place(bucket, prefix, session)
    request = training_request(
        cloud, place, find_role(cloud, role), machines, recipe, overrides or {}
    )
    return _make_trainer(cloud, request, request["HyperParameters"], request["TrainingJobName"])


def tuner(
    bucket: str,
    role: str,
    recipe: str = "classic",
    overrides: Mapping[str, str] | None = None,
    ranges: Sequence[str] = DEFAULT_RANGES,
    jobs: int = 12,
    parallel: int = 2,
    machines: Machines = MACHINES,
    prefix: str = "reeltone",
    session: Any = None,
) -> HyperparameterTuner:
    """Make a search of ``jobs`` training jobs that ``tune(wait=False)`` starts.

    Args:
        ranges: as the command line has them, ``learning_rate=3e-4:3e-3:log``; the other arguments
            are those of ``trainer``.

    Raises:
        ReeltoneError: the search cannot be; the message says why.
    """
    cloud, place = _find_place(bucket, prefix, session)
    role = find_role(cloud, role)
    request = tuning_request(
        cloud, place, role, machines, recipe, overrides or {}, ranges, jobs, parallel
    )
    search, each = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    name, objective = (
        request["HyperParameterTuningJobName"],
        search["HyperParameterTuningJobObjective"],
    )
    return HyperparameterTuner(
        _make_trainer(cloud, each, each["StaticHyperParameters"], name),
        objective["MetricName"],
        _make_ranges(search["ParameterRanges"]),
        each["AlgorithmSpecification"]["MetricDefinitions"],
        strategy=search["Strategy"],
        objective_type=objective["Type"],
        max_jobs=jobs,
        max_parallel_jobs=parallel,
        tags=request["Tags"],
        # The SDK appends the minute, and two searches may start in one.
        base_tuning_job_name=f"reeltone-tune-{name.rpartition('-')[2]}",
    )


def transformer(
    bucket: str,
    name: str,
    model: str,
    instance_type: str = "ml.c5.xlarge",
    instances: int = 1,
    prefix: str = "reeltone",
    session: Any = None,
) -> Transformer:
    """Make a batch transform job that ``transform(data, job_name=name, **LINES)`` starts, where
    ``data`` is ``s3://BUCKET/PREFIX/transform/NAME/in/``.

    Args:
        name: of the job. Each line of its files is ``{"id": …, "review": "…"}``; the answers are
            written to ``out`` beside ``in``.
        model: a SageMaker Model's name, such as the stack's output SageMakerModelName.

    Raises:
        JobError: no such bucket, or an instance type without a known number of cores.
    """
    cloud, place = _find_place(bucket, prefix, session)
    request = transform_request(place, name, Transform(model, instance_type, instances))
    output, machines = request["TransformOutput"], request["TransformResources"]
    return Transformer(
        request["ModelName"],
        machines["InstanceCount"],
        machines["InstanceType"],
        strategy=request["BatchStrategy"],
        assemble_with=output["AssembleWith"],
        output_path=output["S3OutputPath"],
        accept=output["Accept"],
        max_concurrent_transforms=request["MaxConcurrentTransforms"],
        max_payload=request["MaxPayloadInMB"],
        tags=request["Tags"],
        env=request["Environment"],
        sagemaker_session=_sdk_session(cloud),
    )


class Predictor:
    """An endpoint that is asked with text. Text is made numbers here, as the function does it."""

    def __init__(self, endpoint: Endpoint, bundle: Path, session: Any) -> None:
        """``bundle``: the folder of the model that the endpoint serves."""
        self.endpoint = endpoint
        self._vocabulary = load_vocabulary(bundle / "vocabulary.json")
        self._session = session

    def predict(self, reviews: Sequence[str]) -> list[dict[str, Any]]:
        """Give each review's ``logit`` and ``probability`` of being positive, in order.

        Raises:
            JobError: a review has no word, or the endpoint serves another vocabulary.
        """
        encoded = [self._vocabulary.encode(review) for review in reviews]
        for number, review in enumerate(encoded):
            if not review.has_words:
                raise JobError(f"reviews[{number}] has no word in it")
        results: list[dict[str, Any]] = []
        for start in range(0, len(encoded), BATCH):
            results += self._ask([review.ids for review in encoded[start : start + BATCH]])
        return results

    def _ask(self, reviews: list[list[int]]) -> list[dict[str, Any]]:
        request = self._vocabulary.make_request(reviews)
        answer = self.endpoint.invoke(
            json.dumps(request, separators=(",", ":")),
            content_type="application/json",
            accept="application/json",
            session=self._session,
            region=self._session.region_name,
        )
        content = json.loads(answer.body.read())
        if content["vocabulary"] != request["vocabulary"]:
            raise JobError(
                f"{self.endpoint.endpoint_name} serves another vocabulary than the bundle"
            )
        return [{key: each[key] for key in ("logit", "probability")} for each in content["results"]]


def predictor(endpoint: str, bundle: Path = MODELS / "modern", session: Any = None) -> Predictor:
    """Make what asks an endpoint; ``endpoint`` is its name, the stack's output EndpointName."""
    session = session or boto3.Session()
    return Predictor(Endpoint(endpoint_name=endpoint), bundle, session)


def _find_place(bucket: str, prefix: str, session: Any) -> tuple[Cloud, Place]:
    cloud = Cloud(session or boto3.Session())
    check_bucket(cloud, bucket)
    return cloud, Place(bucket, prefix)


def _sdk_session(cloud: Cloud) -> Session:
    return Session(boto_session=cloud.session, sagemaker_config=_QUIET)


def _make_trainer(
    cloud: Cloud, body: Mapping[str, Any], parameters: Mapping[str, str], name: str
) -> ModelTrainer:
    """The SDK's object that sends ``body``, a request's or a search's part of one."""
    algorithm = _snake(body["AlgorithmSpecification"])
    checkpoints = body.get("CheckpointConfig")
    made = ModelTrainer(
        sagemaker_session=_sdk_session(cloud),
        role=body["RoleArn"],
        base_job_name=name.rsplit("-", 3)[0],
        training_image=algorithm["training_image"],
        training_input_mode=algorithm["training_input_mode"],
        compute=Compute(
            **_snake(body["ResourceConfig"]),
            enable_managed_spot_training=body.get("EnableManagedSpotTraining"),
        ),
        stopping_condition=StoppingCondition(**_snake(body["StoppingCondition"])),
        input_data_config=[Channel(**_snake(channel)) for channel in body["InputDataConfig"]],
        output_data_config=OutputDataConfig(**_snake(body["OutputDataConfig"])),
        checkpoint_config=checkpoints and CheckpointConfig(**_snake(checkpoints)),
        environment=dict(body["Environment"]),
        hyperparameters=dict(parameters),
        tags=[Tag(**_snake(tag)) for tag in body.get("Tags", ())] or None,
    )
    metrics = [MetricDefinition(**metric) for metric in algorithm["metric_definitions"]]
    return made.with_metric_definitions(metrics)


def _make_ranges(ranges: Mapping[str, list[dict[str, Any]]]) -> dict[str, ParameterRange]:
    """The ranges of a request, as they were written: the SDK sends text as it is."""
    made: dict[str, ParameterRange] = {
        each["Name"]: kind(each["MinValue"], each["MaxValue"], each["ScalingType"])
        for key, kind in _RANGES.items()
        for each in ranges.get(key, ())
    }
    choices = ranges.get("CategoricalParameterRanges", ())
    return made | {each["Name"]: CategoricalParameter(each["Values"]) for each in choices}


def _snake(value: Any) -> Any:
    """A part of a request, with its names as the SDK has them: S3Uri is s3_uri."""
    if isinstance(value, Mapping):
        return {pascal_to_snake(key): _snake(each) for key, each in value.items()}
    return [_snake(each) for each in value] if isinstance(value, list) else value
