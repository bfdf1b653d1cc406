"""The settings: what is read, and what is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from errors import SetUpError
from review_text import MODERN, Vocabulary, build_vocabulary
from settings import read_settings


def test_are_read_from_the_environment_and_the_models_files(
    environment: dict[str, str], vocabulary: Vocabulary
) -> None:
    settings = read_settings(environment)
    assert settings.endpoint_name == "reeltone"
    assert (settings.model_name, settings.model_version) == ("modern", "modern-0123456789ab")
    assert settings.architecture == "A very small model."
    assert settings.metrics["accuracy"] == 0.9177
    assert settings.vocabulary.fingerprint == vocabulary.fingerprint


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ENDPOINT_NAME", ""),
        ("ENDPOINT_NAME", "with space"),
        ("ENDPOINT_NAME", "x" * 64),
        ("MODEL_NAME", "../modern"),
        ("MODEL_NAME", "Modern"),
        ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "127.0.0.1:8001"),
        ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://"),
    ],
)
def test_name_the_key_and_the_value_that_they_refuse(
    environment: dict[str, str], key: str, value: str
) -> None:
    with pytest.raises(SetUpError) as caught:
        read_settings(environment | {key: value})
    assert str(caught.value).startswith(f"{key} = {value!r}; use ")


@pytest.mark.parametrize("value", ["", "http://127.0.0.1:8001", "https://host/path"])
def test_take_an_address_or_none(environment: dict[str, str], value: str) -> None:
    read_settings(environment | {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": value})


@pytest.mark.parametrize("name", ["vocabulary.json", "manifest.json", "metrics.json"])
def test_name_a_file_that_is_missing_or_broken(
    environment: dict[str, str], bundle: Path, name: str
) -> None:
    for content in ("{", "[]"):
        (bundle / name).write_text(content)
        with pytest.raises(SetUpError, match=name):
            read_settings(environment)
    (bundle / name).unlink()
    with pytest.raises(SetUpError, match=f"{name}: No such file"):
        read_settings(environment)


def test_name_a_model_that_is_not_there(environment: dict[str, str]) -> None:
    with pytest.raises(SetUpError, match=r"classic/manifest\.json.*MODEL_NAME"):
        read_settings(environment | {"MODEL_NAME": "classic"})


@pytest.mark.parametrize("member", ["version", "architecture", "vocabulary"])
def test_name_a_member_of_the_manifest_that_is_missing(
    environment: dict[str, str], bundle: Path, member: str
) -> None:
    manifest: dict[str, Any] = json.loads((bundle / "manifest.json").read_text())
    del manifest[member]
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SetUpError, match=rf"manifest\.json: {member} = None"):
        read_settings(environment)


def test_refuse_a_vocabulary_that_is_not_the_models(
    environment: dict[str, str], bundle: Path, vocabulary: Vocabulary
) -> None:
    other = build_vocabulary(["another film"], MODERN)
    other.save(bundle / "vocabulary.json")
    with pytest.raises(SetUpError, match=rf"{vocabulary.fingerprint}.*{other.fingerprint}"):
        read_settings(environment)
