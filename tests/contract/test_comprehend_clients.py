"""Clients of Amazon Comprehend, as AWS ships them, with the gateway as their endpoint."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import awscli
import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests import in_process
from tests.commands import split_script

EXAMPLES = Path(awscli.__file__).parent / "examples" / "comprehend"
OPERATIONS = ["detect-sentiment", "batch-detect-sentiment"]
AWS = Path(sys.executable).with_name("aws")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """What clients are given as their endpoint."""
    with in_process.serving_gateway("modern") as gateway:
        yield f"{gateway}/api/comprehend"


@pytest.fixture(scope="module")
def client(url: str) -> Any:
    """boto3's client, unsigned."""
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    return boto3.client("comprehend", endpoint_url=url, region_name="us-east-1", config=config)


def run_aws(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the AWS CLI as somebody without an account."""
    options = ["--endpoint-url", url, "--no-sign-request", "--region", "us-east-1"]
    command = [sys.executable, str(AWS), *words, *options, "--output", "json"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def read_example(operation: str) -> tuple[list[str], Any]:
    """An operation's example in the CLI's own documentation: its words, and Comprehend's answer."""
    text = (EXAMPLES / f"{operation}.rst").read_text(encoding="utf-8")
    script, answer = re.split(r"Output::", text, maxsplit=1)
    [command] = split_script(script[script.index("aws comprehend") :].strip(), operation)
    return list(command.words[1:]), json.JSONDecoder().raw_decode(answer.strip())[0]


def shape_of(value: Any) -> Any:
    """Names and types, without what stands there."""
    if isinstance(value, dict):
        return {name: shape_of(member) for name, member in value.items()}
    return [shape_of(item) for item in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_examples_of_its_documentation_are_answered_as_it_says(
    url: str, operation: str
) -> None:
    words, documented = read_example(operation)
    ran = run_aws(url, *words)
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert shape_of(answer) == shape_of(documented)
    results = answer.get("ResultList", [answer])
    for result, theirs in zip(results, documented.get("ResultList", [documented]), strict=True):
        assert sum(result["SentimentScore"].values()) == pytest.approx(1)
        # What is mixed is a rule's business here, and a model's there.
        assert theirs["Sentiment"] in (result["Sentiment"], "MIXED")


def test_the_cli_shows_a_typed_error(url: str) -> None:
    words = ["comprehend", "detect-sentiment", "--text", "bonjour", "--language-code", "fr"]
    ran = run_aws(url, *words)
    assert ran.returncode != 0
    assert "(UnsupportedLanguageException)" in ran.stderr
    assert 'The language is "fr"; the model reads "en" alone.' in ran.stderr


def test_boto3_reads_every_verdict(client: Any, url: str) -> None:
    texts = [
        "A warm, clever film that I would see again tomorrow.",
        "A dull, clumsy mess. Avoid it.",
        "The cast is wonderful and the songs are lovely. The plot makes no sense, and the ending "
        "is dreadful.",
        "It begins at eight.",
        "Το έργο αρχίζει στις οκτώ.",
    ]
    ours = httpx.post(url.replace("comprehend", "sentiments"), json={"reviews": texts}).json()
    verdicts = [result["verdict"] for result in ours["results"]]
    assert {"positive", "negative", "unclear"} <= set(verdicts)
    answer = client.batch_detect_sentiment(TextList=texts, LanguageCode="en")
    sentiments = [result["Sentiment"] for result in answer["ResultList"]]
    assert sentiments == [{"unclear": "NEUTRAL"}.get(word, word.upper()) for word in verdicts]
    for text, result in zip(texts, answer["ResultList"], strict=True):
        alone = client.detect_sentiment(Text=text, LanguageCode="en")
        assert alone["SentimentScore"] == result["SentimentScore"]
        assert alone["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize(
    ("operation", "arguments", "error"),
    [
        ("detect_sentiment", {"Text": "x" * 5_001}, "TextSizeLimitExceededException"),
        ("detect_sentiment", {"Text": "?!"}, "InvalidRequestException"),
        ("batch_detect_sentiment", {"TextList": ["x"] * 26}, "BatchSizeLimitExceededException"),
    ],
)
def test_boto3_raises_the_typed_error(
    client: Any, operation: str, arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises(getattr(client.exceptions, error)):
        getattr(client, operation)(LanguageCode="en", **arguments)


def test_boto3_is_told_that_there_is_no_such_operation(client: Any) -> None:
    with pytest.raises(ClientError) as raised:
        client.detect_entities(Text="film", LanguageCode="en")
    assert raised.value.response["Error"]["Code"] == "UnknownOperationException"


def test_a_signed_call_is_answered_too(url: str) -> None:
    keys = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nothing"}
    signing = boto3.client("comprehend", endpoint_url=url, region_name="us-east-1", **keys)
    answer = signing.detect_sentiment(Text="I loved every minute of it.", LanguageCode="en")
    assert answer["Sentiment"] == "POSITIVE"
