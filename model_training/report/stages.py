"""The training runs that a model came from, as far as they are on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any


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
    """The runs of the model ``name``, the first one first: its own and all that it came from.
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
