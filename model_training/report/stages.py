"""The training runs that a model came from, as far as they are on this machine, and what they cost:
energy, carbon and price, from their time and what a cloud's machine takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from model_training.files import table
from model_training.jobs.prices import AS_OF, INSTANCES, REGION


@dataclass(frozen=True)
class Stage:
    """One stage of training."""

    name: str
    seconds: float
    """Wall-clock time; of directions side by side, that of the slower one."""
    history: Sequence[Mapping[str, float]]
    """Rows of the epochs, the mean of both directions; language models and transformers have
    none."""


def find_stages(runs: Path, name: str, vocabulary: str) -> list[Stage]:
    """Find the runs of the model ``name``, the first one first: its own and all that it came from.
    Nothing where its own run is not here, or is of another vocabulary. Those before it may read
    windows of another length, and so have another fingerprint."""
    stages: dict[str, Stage] = {}
    about = _read_run(runs / name)
    if about and about["made_of"]["vocabulary"] == vocabulary:
        _find(runs, name, stages)
    return list(stages.values())


def _find(runs: Path, name: str, stages: dict[str, Stage]) -> None:
    """Add a stage to ``stages``, after those that it came from."""
    about = _read_run(runs / name)
    if name in stages or about is None:
        return
    for before in about["made_of"]["stages"]:
        _find(runs, before, stages)
    histories = [part.get("history", ()) for part in about.get("parts", {}).values()]
    stages[name] = Stage(name, float(about["seconds"]), _mean(histories))


def _mean(histories: Sequence[Sequence[Mapping[str, float]]]) -> list[Mapping[str, float]]:
    """One row an epoch, with the mean of each figure."""
    return [
        {key: fmean(row[key] for row in rows) for key in rows[0] if all(key in row for row in rows)}
        for rows in zip(*histories, strict=True)
    ]


def _read_run(folder: Path) -> dict[str, Any] | None:
    """What a run says of itself; None where there is none."""
    path = folder / "run.json"
    if not path.exists():
        return None
    about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return about if "made_of" in about else None


CORES = 2
"""vCPUs of the machine; each stage keeps them busy."""
WATTS = 3.5
"""Power of a vCPU at full load, on average over AWS's machines. This and the next two:
cloudcarbonfootprint.org, methodology, appendix I to V."""
POWER_USAGE = 1.135
"""What a data centre of AWS takes for each watt of its machines."""
GRAMS_A_KWH = 379.0
"""CO2 equivalents of electricity in us-east-1."""
INSTANCE = "ml.m5.large"
"""A machine of SageMaker's with as many vCPUs."""


def describe_costs(stages: Sequence[Stage]) -> str:
    """Describe the stages in a table, in Markdown, with their sum."""
    total = Stage("all", sum(stage.seconds for stage in stages), ())
    rows = [_row(stage) for stage in [*stages, *([total] if len(stages) > 1 else [])]]
    heads = ["stage", "hours", "kWh", "g CO2e", f"dollars on {INSTANCE}"]
    return (
        f"{table(heads, rows)}\n\nAn estimate: {CORES} vCPUs of {WATTS} W at full load, a power "
        f"usage effectiveness of {POWER_USAGE}, {GRAMS_A_KWH:.0f} g a kWh ({REGION}); prices of "
        f"{AS_OF}."
    )


def _row(stage: Stage) -> list[str]:
    hours = stage.seconds / 3600
    energy = hours * CORES * WATTS * POWER_USAGE / 1000  # kWh
    dollars = hours * INSTANCES[INSTANCE].dollars
    cells = (f"{hours:.2f}", f"{energy:.4f}", f"{energy * GRAMS_A_KWH:.1f}", f"{dollars:.2f}")
    return [stage.name, *cells]
