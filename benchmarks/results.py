"""What was measured, and under what: an entry of docs/benchmarks.json for each part."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from model_training.errors import ReeltoneError
from model_training.evaluation.peers.report import machine
from model_training.files import read_entries, write_entry
from model_training.paths import MODELS

FILE = "benchmarks.json"
"""Beside the page, in the documents' folder."""
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
    """Versions of the packages that have to do with speed."""
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

    conditions: Conditions
    figures: Figures

    def save(self, docs: Path, part: str) -> None:
        """Keep it, in the place of an earlier one."""
        write_entry(docs / FILE, part, asdict(self))


def measure_part(measure: Callable[[], Figures]) -> Result:
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
    return Result(conditions, figures)


def load_results(docs: Path) -> dict[str, Result]:
    """Load what is kept, by part.

    Raises:
        BenchmarkError: an entry is not one that ``save`` wrote.
    """
    found = {}
    for part, entry in read_entries(docs / FILE).items():
        try:
            conditions = entry["conditions"]
            conditions["load"] = tuple(conditions["load"])
            found[part] = Result(Conditions(**conditions), entry["figures"])
        except (KeyError, TypeError) as error:
            message = f"{docs / FILE}: {part} is no result ({error}); make bench ARGS={part}"
            raise BenchmarkError(message) from None
    return found


def model_versions() -> dict[str, str]:
    """Give the version of each shipped bundle."""
    manifests = sorted(MODELS.glob("*/manifest.json"))
    return {path.parent.name: read_entries(path)["version"] for path in manifests}


def load_average() -> float:
    """Read the load of the last minute; not a number where the system does not tell."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else float("nan")
