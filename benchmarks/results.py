"""What was measured, and under what: a file of benchmarks/results for each part."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from model_training.errors import ReeltoneError
from model_training.evaluation.peers.results import machine
from model_training.files import replacing
from model_training.paths import MODELS

RESULTS = Path(__file__).parent / "results"
Figures = dict[str, Any]
"""Numbers, and lists and dictionaries of them, as JSON can hold them."""

_PACKAGES = ("boto3", "httpx", "nltk", "numpy", "onnxruntime", "starlette", "torch", "uvicorn")


class BenchmarkError(ReeltoneError):
    """Something cannot be measured, or a result cannot be read."""


class MissingNeedError(BenchmarkError):
    """This machine lacks what a part needs; the message says what."""


@dataclass(frozen=True)
class Conditions:
    """Under what a part was measured."""

    machine: str
    system: str
    versions: dict[str, str]
    """Of the packages that have to do with speed."""
    models: dict[str, str]
    """Bundle → version."""
    when: str
    load: tuple[float, float]
    """Mean number of processes that ran or wanted to, one minute before and at the end."""
    seconds: float
    """That the part took."""


@dataclass(frozen=True)
class Result:
    """One part's figures."""

    part: str
    conditions: Conditions
    figures: Figures

    def save(self, folder: Path) -> None:
        """Write <part>.json."""
        with replacing(folder / f"{self.part}.json") as part:
            part.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def measure_part(part: str, measure: Callable[[], Figures]) -> Result:
    """Run one part, and note the conditions."""
    before, started = load_average(), time.monotonic()
    figures = measure()
    conditions = Conditions(
        machine=machine(),
        system=f"{platform.system()} {platform.release()}",
        versions={name: version(name) for name in _PACKAGES},
        models=model_versions(),
        when=time.strftime("%Y-%m-%d"),
        load=(before, load_average()),
        seconds=round(time.monotonic() - started, 1),
    )
    return Result(part, conditions, figures)


def load_results(folder: Path, parts: Iterable[str]) -> dict[str, Result]:
    """What is kept, by part; parts without a file are left out.

    Raises:
        BenchmarkError: a file is not one that ``save`` wrote.
    """
    found = {}
    for part in parts:
        path = folder / f"{part}.json"
        if not path.exists():
            continue
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            conditions = content["conditions"]
            conditions["load"] = tuple(conditions["load"])
            found[part] = Result(content["part"], Conditions(**conditions), content["figures"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BenchmarkError(f"{path} is no result ({error}); make bench ARGS={part}") from None
    return found


def model_versions() -> dict[str, str]:
    """Version of each shipped bundle."""
    manifests = sorted(MODELS.glob("*/manifest.json"))
    return {path.parent.name: json.loads(path.read_text())["version"] for path in manifests}


def load_average() -> float:
    """Of the last minute; not a number where the system does not tell."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else float("nan")
