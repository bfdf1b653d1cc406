"""What the function is told by its environment, read once at cold start."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from errors import SetUpError
from review_text import (
    VerdictRule,
    VerdictRuleError,
    Vocabulary,
    VocabularyError,
    load_vocabulary,
)

_ENDPOINT_NAME = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,62}")
_MODEL_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ORIGIN_SECRET = re.compile(r"[!-~]*")
_ENDPOINT_URL = re.compile(r"(https?://[^\s/]+\S*)?")


@dataclass(frozen=True)
class Settings:
    """The endpoint to ask, and the model that is expected to answer there."""

    endpoint_name: str
    origin_secret: str
    """What CloudFront shows with each request; empty: nothing is asked for."""
    model_name: str
    model_version: str
    architecture: str
    metrics: Mapping[str, Any]
    """The model's measured quality, as its evaluation wrote it."""
    vocabulary: Vocabulary
    rule: VerdictRule | None
    """When a review is mixed or unclear; a model without a rule calls none so."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read and check the environment and the model's files.

    Raises:
        SetUpError: a variable or a file cannot be used; the message names it and its value.
    """
    endpoint_name = _read(environment, "ENDPOINT_NAME", _ENDPOINT_NAME, "a SageMaker endpoint name")
    model_name = _read(environment, "MODEL_NAME", _MODEL_NAME, "a model such as modern", "modern")
    origin_secret = _read(environment, "ORIGIN_SECRET", _ORIGIN_SECRET, "ASCII or nothing")
    # The SDK reads this one itself, and would complain without naming it.
    _read(environment, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", _ENDPOINT_URL, "a URL or nothing")
    folder = Path(environment.get("VOCABULARIES_DIR") or "/opt/vocabularies", model_name)
    manifest = _read_json(folder / "manifest.json")
    return Settings(
        endpoint_name=endpoint_name,
        origin_secret=origin_secret,
        model_name=model_name,
        model_version=_member(manifest, "version", folder),
        architecture=_member(manifest, "architecture", folder),
        metrics=_read_json(folder / "metrics.json"),
        vocabulary=_read_vocabulary(folder, _member(manifest, "vocabulary", folder)),
        rule=_read_rule(folder, manifest),
    )


@cache
def load_settings() -> Settings:
    """Read the settings of this process, once."""
    return read_settings(os.environ)


def _read(
    environment: Mapping[str, str], key: str, pattern: re.Pattern[str], use: str, default: str = ""
) -> str:
    value = environment.get(key) or default
    if not pattern.fullmatch(value):
        raise SetUpError(f"{key} = {value!r}; use {use}")
    return value


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        keys = "VOCABULARIES_DIR and MODEL_NAME"
        raise SetUpError(f"{path}: {error.strerror}; check {keys}") from error
    except ValueError as error:
        raise SetUpError(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise SetUpError(f"{path}: not a JSON object")
    return content


def _member(manifest: dict[str, Any], name: str, folder: Path) -> str:
    value = manifest.get(name)
    if not isinstance(value, str):
        raise SetUpError(f"{folder / 'manifest.json'}: {name} = {value!r}; use a string")
    return value


def _read_rule(folder: Path, manifest: dict[str, Any]) -> VerdictRule | None:
    try:
        return VerdictRule.from_manifest(manifest)
    except VerdictRuleError as error:
        raise SetUpError(f"{folder / 'manifest.json'}: verdict: {error}") from error


def _read_vocabulary(folder: Path, fingerprint: str) -> Vocabulary:
    try:
        vocabulary = load_vocabulary(folder / "vocabulary.json")
    except VocabularyError as error:
        raise SetUpError(str(error)) from error
    if vocabulary.fingerprint != fingerprint:
        raise SetUpError(
            f"{folder / 'manifest.json'}: vocabulary = {fingerprint!r}; "
            f"vocabulary.json beside it is {vocabulary.fingerprint!r}"
        )
    return vocabulary
