"""The training runs that a model came from, as far as they are on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any


@dataclass(frozen=True)
class Stage:
    """One stage of training; classifiers that are trained side by side are one."""

    name: str
    seconds: float
    """Wall-clock time; of processes side by side, that of the slowest."""
    history: Sequence[Mapping[str, float]]
    """Rows of the epochs, the mean of those side by side; language models have none."""


def find_stages(runs: Path, name: str, vocabulary: str) -> list[Stage]:
    """The runs of the model ``name``, the first one first: its own and all that it came from.
    Nothing where its own run is not here, or is of another vocabulary. Those before it may read
    windows of another length, and so have another fingerprint."""
    stages: dict[str, Stage] = {}
    if any(about.get("vocabulary") == vocabulary for about in _read_run(runs / name)):
        _find(runs, (name,), stages)
    return list(stages.values())


def _find(runs: Path, names: tuple[str, ...], stages: dict[str, Stage]) -> None:
    """Add the stage of ``names`` to ``stages``, after those that it came from."""
    title = "+".join(names)
    abouts = [about for name in names for about in _read_run(runs / name)]
    if title in stages or not abouts:
        return
    starts = chain(*(about["config"].get("start_from", "").split("+") for about in abouts))
    teachers = (about["config"].get("teacher", "") for about in abouts)
    for before in (tuple(dict.fromkeys(starts)), *((teacher,) for teacher in teachers)):
        _find(runs, tuple(filter(None, before)), stages)
    seconds = max(float(about["seconds"]) for about in abouts)
    stages[title] = Stage(title, seconds, _mean([about.get("history", ()) for about in abouts]))


def _mean(histories: Sequence[Sequence[Mapping[str, float]]]) -> list[Mapping[str, float]]:
    """One row an epoch, with the mean of each figure."""
    return [
        {key: fmean(row[key] for row in rows) for key in rows[0] if all(key in row for row in rows)}
        for rows in zip(*histories, strict=True)
    ]


def _read_run(folder: Path) -> list[dict[str, Any]]:
    """What a run wrote about itself: run.json, or a file for each language model."""
    paths = [folder / "run.json"] if (folder / "run.json").exists() else folder.glob("*.json")
    abouts = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(paths)]
    return [about for about in abouts if "seconds" in about and "config" in about]
