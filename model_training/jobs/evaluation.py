"""The test split through a deployed endpoint: what its users get, in the metrics of evaluation."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from botocore import exceptions as aws
from botocore.config import Config
from tqdm import tqdm

from model_training.corpus.reviews import Encoded
from model_training.jobs.cloud import Cloud, JobError
from model_training.jobs.prices import SERVERLESS, hourly
from review_text import Vocabulary

BATCH = 100
"""Reviews a request; as many as the endpoint takes."""
_PATIENCE = 300.0
"""Seconds for which one request is repeated."""
_PAUSES = (1, 2, 4, 8, 15)
"""Seconds before each repetition; the last one goes on."""
_PASSING = {
    "InternalDependencyException",
    "InternalFailure",
    "ModelNotReadyException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "ThrottlingException",
}
CLIENT = Config(connect_timeout=5, read_timeout=65, retries={"total_max_attempts": 1})
"""An invocation may take 60 s; what can pass is repeated here, where it is bounded in time."""


def describe_endpoint(cloud: Cloud, name: str, price: float | None = None) -> str:
    """Describe what asking the endpoint costs, in a line for people.

    Raises:
        JobError: there is no such endpoint, or it is not in service.
    """
    endpoint = cloud.read("sagemaker", "describe_endpoint", EndpointName=name)
    if endpoint["EndpointStatus"] not in ("InService", "Updating"):
        raise JobError(
            f"the endpoint {name} is {endpoint['EndpointStatus']}: "
            f"{endpoint.get('FailureReason', 'it must be InService')}"
        )
    config = cloud.read(
        "sagemaker", "describe_endpoint_config", EndpointConfigName=endpoint["EndpointConfigName"]
    )
    variant = config["ProductionVariants"][0]
    serverless = variant.get("ServerlessConfig")
    if serverless:
        memory = serverless["MemorySizeInMB"] / 1024
        dollars = SERVERLESS * memory * 3600 if price is None else price
        return f"cost: {name} is serverless, {memory:g} GB: ${dollars:.2f} an hour while it answers"
    instances = variant.get("InitialInstanceCount", 1)
    dollars = hourly(variant["InstanceType"], price) * instances
    return (
        f"cost: {name} runs on {instances} x {variant['InstanceType']} anyway, ${dollars:.2f} "
        f"an hour; nothing is added"
    )


def score_split(
    runtime: Any,
    endpoint: str,
    vocabulary: Vocabulary,
    split: Encoded,
    sleep: Callable[[float], None] = time.sleep,
) -> npt.NDArray[np.float64]:
    """Give [reviews] logits from the endpoint; 0 for a review without tokens, as evaluation has it.

    ``runtime``: boto3's sagemaker-runtime client; ``vocabulary``: the one of the split's ids.

    Raises:
        JobError: the endpoint fails, refuses or does not wake up; the message says how.
    """
    logits = np.zeros(len(split), np.float64)
    rows = np.flatnonzero(split.lengths > 0)
    batches = np.array_split(rows, max(1, -(-len(rows) // BATCH)))
    for part in tqdm(batches, endpoint, unit=" requests"):
        reviews = [split[row].tolist() for row in part]
        body = json.dumps(vocabulary.make_request(reviews), separators=(",", ":"))
        answer = _invoke(runtime, endpoint, body.encode(), sleep)
        logits[part] = _read_logits(answer, vocabulary.fingerprint, len(part))
    return logits


def _invoke(runtime: Any, endpoint: str, body: bytes, sleep: Callable[[float], None]) -> Any:
    waited, pauses = 0.0, _pauses()
    while True:
        try:
            response = runtime.invoke_endpoint(
                EndpointName=endpoint,
                ContentType="application/json",
                Accept="application/json",
                Body=body,
            )
            return json.loads(response["Body"].read())
        except aws.ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if code not in _PASSING:
                raise JobError(f"the endpoint {endpoint} fails: {message} ({code})") from error
        except (aws.HTTPClientError, aws.ResponseStreamingError) as error:
            code = type(error).__name__
        except aws.BotoCoreError as error:
            raise JobError(f"the endpoint {endpoint} cannot be asked: {error}") from error
        except ValueError as error:
            raise JobError(f"the endpoint {endpoint} answers with something not JSON") from error
        if waited >= _PATIENCE:
            raise JobError(f"the endpoint {endpoint} did not answer for {waited:.0f} s ({code})")
        pause = next(pauses)
        sleep(pause)
        waited += pause


def _pauses() -> Iterator[float]:
    yield from _PAUSES
    while True:
        yield _PAUSES[-1]


def _read_logits(answer: Any, vocabulary: str, count: int) -> Sequence[float]:
    try:
        if answer["vocabulary"] != vocabulary:
            raise JobError(
                f"the endpoint has vocabulary {answer['vocabulary'][:12]}, the bundle "
                f"{vocabulary[:12]}: name the bundle that is deployed"
            )
        logits = [float(result["logit"]) for result in answer["results"]]
    except (KeyError, TypeError, ValueError) as error:
        raise JobError(f"the endpoint's answer has no usable results: {error!r}") from error
    if len(logits) != count:
        raise JobError(f"the endpoint gave {len(logits)} results for {count} reviews")
    return logits
