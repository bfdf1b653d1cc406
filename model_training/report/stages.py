"""The training runs that a model came from, as far as they are on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Stage:
    """One stage of training."""

    name: str
    seconds: float
    """Wall-clock time; of processes side by side, that of the slowest."""
    history: Sequence[Mapping[str, float]]
    """Rows of train.py's epochs; language models have none."""


def find_stages(runs: Path, name: str, vocabulary: str) -> list[Stage]:
    """The runs of the model ``name``, the first one first: its own and, one after the other, those
    it started from. Nothing where its own run is not here, or is of another vocabulary."""
    stages: list[Stage] = []
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        about = _read_run(runs / name)
        if not about or about[0].get("vocabulary") != vocabulary:
            break
        seconds = max(float(part["seconds"]) for part in about)
        stages.append(Stage(name, seconds, about[0].get("history", ())))
        name = about[0]["config"].get("start_from", name)
    return stages[::-1]


def _read_run(folder: Path) -> list[dict[str, Any]]:
    """What a run wrote about itself: run.json, or a file for each language model."""
    paths = [folder / "run.json"] if (folder / "run.json").exists() else folder.glob("*.json")
    abouts = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(paths)]
    return [about for about in abouts if "seconds" in about and "config" in about]
