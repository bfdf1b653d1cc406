"""A bundle: the trained model as it ships, read from its folder.

Needs the standard library and review_text alone, so that builds can check a bundle without the
libraries that run it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_training.errors import BundleError
from review_text import (
    VerdictRule,
    VerdictRuleError,
    Vocabulary,
    VocabularyError,
    load_vocabulary,
)


def read_json(text: str | bytes) -> Any:
    """Read a JSON text; NaN and Infinity, which Python reads too, are none.

    Raises:
        ValueError: it is not JSON, or too deeply nested to be read.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


FILES = ("manifest.json", "metrics.json", "model.onnx", "vocabulary.json")
"""A complete bundle's. metrics.json is for people: it is not needed to serve."""

MAX_BYTES = {"manifest.json": 64 * 1024, "model.onnx": 512 * 1024**2}
"""Largest size of a file that is read; vocabulary.json has a bound of its own. The shipped graph
has 9 MB."""


@dataclass(frozen=True)
class Manifest:
    """What manifest.json says, checked."""

    name: str
    version: str
    """Names the content: graph, vocabulary, temperature and bias."""
    vocabulary: str
    """The fingerprint of the vocabulary that the model was trained with."""
    architecture: str
    """A sentence for people."""
    temperature: float
    bias: float
    """Part of every logit; the other parts are the contributions."""
    dev_reviews: int
    """How many training reviews it did not learn from, in whole movies (corpus/cache.py)."""
    rule: VerdictRule | None
    """When a review is mixed or unclear."""


@dataclass(frozen=True)
class Bundle:
    """A bundle whose parts belong together; the graph is not loaded."""

    manifest: Manifest
    vocabulary: Vocabulary
    graph: Path


def read_bundle(folder: Path) -> Bundle:
    """Read the bundle in ``folder``.

    Raises:
        BundleError: a part is missing or unreadable, or the parts do not belong together.
    """
    manifest = _read_manifest(folder / "manifest.json")
    try:
        vocabulary = load_vocabulary(folder / "vocabulary.json")
    except VocabularyError as error:
        raise BundleError(f"{folder} is not a complete bundle: {error}") from error
    if vocabulary.fingerprint != manifest.vocabulary:
        raise BundleError(
            f"{folder}: manifest.json wants vocabulary {manifest.vocabulary[:12]}, vocabulary.json "
            f"is {vocabulary.fingerprint[:12]}. Export the bundle again."
        )
    graph = folder / "model.onnx"
    _check_file(graph)
    return Bundle(manifest, vocabulary, graph)


def _read_manifest(path: Path) -> Manifest:
    _check_file(path)
    try:
        content = read_json(path.read_bytes())
    except ValueError as error:
        raise BundleError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise BundleError(f"{path} is not a JSON object")
    return Manifest(
        **{name: _read_text(path, content, name) for name in ("name", "version", "vocabulary")},
        architecture=_read_text(path, content, "architecture"),
        # Of models that were trained it is near 1; with 0 no probability could be computed.
        temperature=_read_number(path, content, "temperature", 0.01, 100.0),
        bias=_read_number(path, content, "bias", -1000.0, 1000.0),
        # The first bundles do not say it; all of them had held out so many.
        dev_reviews=int(_read_number(path, {"dev_reviews": 3000} | content, "dev_reviews", 0, 1e6)),
        rule=_read_rule(path, content),
    )


def _read_rule(path: Path, content: dict[str, Any]) -> VerdictRule | None:
    try:
        return VerdictRule.from_manifest(content)
    except VerdictRuleError as error:
        raise BundleError(f"{path}: verdict: {error}") from error


def _read_text(path: Path, content: dict[str, Any], name: str) -> str:
    value: Any = content.get(name)
    if not isinstance(value, str) or not value:
        raise BundleError(f"{path}: {name} = {value!r:.80}; use a text")
    return value


def _read_number(
    path: Path, content: dict[str, Any], name: str, least: float, most: float
) -> float:
    value: Any = content.get(name)
    # An integer of hundreds of digits can be compared, but is no float.
    if type(value) not in (int, float) or not least <= value <= most:
        raise BundleError(f"{path}: {name} = {value!r:.80}; use a number from {least} to {most}")
    return float(value)


def _check_file(path: Path) -> None:
    """See that a part of the bundle is a file of a size that it can have."""
    if path.is_symlink() or not path.is_file():
        raise BundleError(f"{path.parent} is not a complete bundle: {path.name} is no file there")
    size, most = path.stat().st_size, MAX_BYTES[path.name]
    if size > most:
        raise BundleError(f"{path} has {size:,} bytes; at most {most:,} are read")
