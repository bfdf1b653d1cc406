"""The test split through an endpoint: with the real model, and with an endpoint's moods."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError

from model_training.corpus.cache import prepare_corpus
from model_training.corpus.reviews import Encoded
from model_training.evaluation import answers
from model_training.jobs.__main__ import main
from model_training.jobs.cloud import Cloud, JobError
from model_training.jobs.evaluation import describe_endpoint, score_split
from model_training.paths import MODELS
from model_training.serving import functions
from model_training.serving.scorer import Model, load_model
from review_text import Vocabulary
from tests.jobs.conftest import ROLE, Aws, sagemaker_job
from tests.small_corpus import write_archive

Sleep = Callable[[float], None]


class Endpoint:
    """The runtime client in front of the real model; first it raises each of ``moods``."""

    def __init__(self, model: Model, moods: Iterable[Exception] = ()) -> None:
        self.model = model
        self.moods: Iterator[Exception] = iter(moods)
        self.sizes: list[int] = []

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        mood = next(self.moods, None)
        if mood is not None:
            raise mood
        read = functions.input_fn(request["Body"], request["ContentType"])
        answer = functions.output_fn(functions.predict_fn(read, self.model), "")
        if isinstance(answer, functions.Refusal):
            raise refusal("ModelError", answer.body)
        self.sizes.append(len(json.loads(request["Body"])["lengths"]))
        return {"Body": io.BytesIO(answer[0].encode())}


def refusal(code: str, message: str = "later") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "InvokeEndpoint")


@pytest.fixture(scope="session")
def model() -> Model:
    return load_model(MODELS / "classic")


@pytest.fixture
def split() -> Encoded:
    """250 reviews of 0 to 9 ids."""
    lengths = np.arange(250) % 10
    random = np.random.default_rng(0)
    ids = random.integers(2, 5_000, lengths.sum()).astype(np.uint16)
    labels = (np.arange(250) % 2).astype(np.int8)
    return Encoded(ids, np.concatenate([[0], np.cumsum(lengths)]), labels)


@pytest.fixture
def pauses() -> list[float]:
    return []


def test_the_endpoint_gives_the_bundles_own_logits(
    model: Model, split: Encoded, pauses: list[float]
) -> None:
    endpoint = Endpoint(model)
    logits = score_split(endpoint, "e", model.vocabulary, split, pauses.append)
    np.testing.assert_allclose(logits, answers.score_split(model, split), atol=1e-5)
    assert logits[0] == 0.0  # a review without tokens
    assert sum(endpoint.sizes) == 225
    assert max(endpoint.sizes) <= 100
    assert pauses == []


@pytest.mark.parametrize(
    "mood",
    [
        refusal("ModelNotReadyException"),
        refusal("ThrottlingException"),
        refusal("ServiceUnavailable"),
        ReadTimeoutError(endpoint_url="https://runtime"),
    ],
    ids=lambda mood: type(mood).__name__ if not isinstance(mood, ClientError) else str(mood),
)
def test_what_passes_is_waited_for(
    model: Model, split: Encoded, pauses: list[float], mood: Exception
) -> None:
    endpoint = Endpoint(model, [mood] * 7)
    logits = score_split(endpoint, "e", model.vocabulary, split, pauses.append)
    assert pauses == [1, 2, 4, 8, 15, 15, 15]
    assert np.count_nonzero(logits) == 225


def test_waiting_has_an_end(model: Model, split: Encoded, pauses: list[float]) -> None:
    endpoint = Endpoint(model, iter(lambda: refusal("ModelNotReadyException"), None))
    with pytest.raises(JobError, match=r"e did not answer for 300 s \(ModelNotReadyException\)"):
        score_split(endpoint, "e", model.vocabulary, split, pauses.append)
    assert sum(pauses) == 300


@pytest.mark.parametrize(
    ("mood", "message"),
    [
        (refusal("ModelError", "status 500"), r"fails: status 500 \(ModelError\)"),
        (refusal("ValidationError", "Endpoint e not found."), "fails: Endpoint e not found"),
        (NoCredentialsError(), "cannot be asked: Unable to locate credentials"),
    ],
)
def test_what_does_not_pass_ends_at_once(
    model: Model, split: Encoded, pauses: list[float], mood: Exception, message: str
) -> None:
    with pytest.raises(JobError, match=message):
        score_split(Endpoint(model, [mood]), "e", model.vocabulary, split, pauses.append)
    assert pauses == []


def test_another_models_endpoint_is_told_apart(
    model: Model, split: Encoded, pauses: list[float]
) -> None:
    with pytest.raises(JobError, match="vocabulary_mismatch"):
        other = Vocabulary(model.vocabulary.settings, ["other"])
        score_split(Endpoint(model), "e", other, split, pauses.append)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>", "something not JSON"),
        (b"[]", "no usable results"),
        (b'{"vocabulary": "v", "results": [{}]}', "no usable results"),
        (b'{"vocabulary": "v", "results": []}', "0 results for 75 reviews"),
        (b'{"vocabulary": "other", "results": []}', "vocabulary other, the bundle "),
    ],
)
def test_nonsense_is_not_scored(
    model: Model, split: Encoded, pauses: list[float], answer: bytes, message: str
) -> None:
    answer = answer.replace(b'"v"', json.dumps(model.vocabulary.fingerprint).encode())

    class Babbling:
        def invoke_endpoint(self, **_: Any) -> dict[str, Any]:
            return {"Body": io.BytesIO(answer)}

    with pytest.raises(JobError, match=message):
        score_split(Babbling(), "e", model.vocabulary, split, pauses.append)


def make_endpoint(aws: Aws, variant: dict[str, Any]) -> None:
    sagemaker = aws.client("sagemaker")
    image = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"}
    sagemaker.create_model(ModelName="m", PrimaryContainer=image, ExecutionRoleArn=ROLE)
    sagemaker.create_endpoint_config(
        EndpointConfigName="c",
        ProductionVariants=[{"VariantName": "all", "ModelName": "m", **variant}],
    )
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")


SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}


def test_the_cost_is_that_of_the_endpoints_kind(aws: Aws, cloud: Cloud) -> None:
    make_endpoint(aws, SERVERLESS)
    assert describe_endpoint(cloud, "e") == (
        "cost: e is serverless, 2 GB: $0.14 an hour while it answers"
    )


def test_an_endpoint_on_instances_costs_nothing_more(aws: Aws, cloud: Cloud) -> None:
    make_endpoint(aws, {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2})
    assert describe_endpoint(cloud, "e") == (
        "cost: e runs on 2 x ml.m5.large anyway, $0.23 an hour; nothing is added"
    )


def test_an_endpoint_that_is_not_in_service_is_not_asked(aws: Aws, cloud: Cloud) -> None:
    make_endpoint(aws, SERVERLESS)
    endpoint = sagemaker_job("endpoints", "e")
    endpoint.endpoint_status = "Creating"
    with pytest.raises(JobError, match="the endpoint e is Creating: it must be InService"):
        describe_endpoint(cloud, "e")
    endpoint.endpoint_status, endpoint.failure_reason = "Failed", "no such image"
    with pytest.raises(JobError, match="the endpoint e is Failed: no such image"):
        describe_endpoint(cloud, "e")


def test_a_dry_run_asks_the_endpoint_nothing(
    aws: Aws, small_expected: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_endpoint(aws, SERVERLESS)
    archive = write_archive(tmp_path / "archive.tar.gz")
    arguments = ["--endpoint", "e", "--archive", str(archive), "--data-dir", str(tmp_path)]
    main(["evaluate", str(MODELS / "classic"), "--dry-run", *arguments])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "sagemaker-runtime.invoke_endpoint e: 80 reviews, 100 a request"
    assert "InvokeEndpoint" not in [operation for operation, _ in aws.sent]


def test_evaluate_prints_the_metrics_that_the_bundle_itself_has(
    aws: Aws,
    model: Model,
    small_expected: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_endpoint(aws, SERVERLESS)
    endpoint = Endpoint(model)
    client = aws.session.client
    monkeypatch.setattr(
        aws.session,
        "client",
        lambda name, **more: endpoint if name == "sagemaker-runtime" else client(name, **more),
    )
    archive = write_archive(tmp_path / "archive.tar.gz")
    arguments = ["--endpoint", "e", "--archive", str(archive), "--data-dir", str(tmp_path)]
    main(["evaluate", str(MODELS / "classic"), "--yes", *arguments])
    printed = capsys.readouterr().out
    metrics = json.loads(printed[printed.index("\n{") :])
    corpus = prepare_corpus(tmp_path)
    expected = answers.review_metrics(answers.score_test_split(model, corpus), model.temperature)
    assert metrics.pop("version") == model.version
    assert metrics.pop("endpoint") == "e"
    assert metrics == pytest.approx(expected, abs=1e-5)
    assert metrics["reviews"] == 80
