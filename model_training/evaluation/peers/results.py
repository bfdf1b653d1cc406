"""What is known of each compared model, on disk."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from model_training.files import read_entries, write_entry


@dataclass
class Conditions:
    """Under what a time was measured."""

    machine: str
    load: float
    """Processes that ran or wanted to, the mean of five minutes."""
    when: str

    @classmethod
    def now(cls) -> Conditions:
        """Those of this moment."""
        load = os.getloadavg()[1] if hasattr(os, "getloadavg") else float("nan")
        return cls(machine(), round(load, 2), time.strftime("%Y-%m-%d"))


@dataclass
class Result:
    """One row of the table, and what the plot needs."""

    version: str
    megabytes: float
    metrics: dict[str, Any]
    training_seconds: float | None
    """Of one processor; none for what is not trained here."""
    trained: Conditions
    milliseconds: float | None = None
    """Median processor time of one review, from text to answer."""
    timed: Conditions | None = None
    extra: dict[str, float] = field(default_factory=dict)

    def save(self, file: Path, name: str) -> None:
        """Keep it, in the place of an earlier one."""
        write_entry(file, name, asdict(self))


def load_result(file: Path, name: str) -> Result | None:
    """What ``save`` wrote; none where nothing was."""
    content = read_entries(file).get(name)
    if content is None:
        return None
    content["trained"] = Conditions(**content["trained"])
    if content["timed"] is not None:
        content["timed"] = Conditions(**content["timed"])
    return Result(**content)


def machine() -> str:
    """This machine, in a few words."""
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _processor() -> str:
    """Its processor's name (Linux), or its kind."""
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else ():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()
