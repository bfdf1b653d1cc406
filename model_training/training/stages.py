"""The stages of a recipe, one after the other; what is there already and still fits is not made
again.

A stage's run.json says what it was made of. Where that is something else by now, the stage is made
anew, and so is what was made of it.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from model_training.corpus.cache import Corpus
from model_training.files import write_json
from model_training.recipes.recipe import Recipe, Stage
from model_training.recipes.settings import DIRECTIONS
from model_training.training import classifier, language_models, transformer
from model_training.training.processes import Processes
from model_training.training.work import Work, digest

TRAINERS: dict[str, Callable[[Work], dict[str, Any]]] = {
    "language-model": language_models.train,
    "classifier": classifier.train,
    "transformer": transformer.train,
}
"""What trains a stage of each kind of recipes/settings.py: it leaves results in the work's folder,
and gives what is to be known of them, among it ``results``, their files. Where several processes
train, each calls it, and the first one's answer counts."""

_PINNED = {"transformer": transformer.PINNED}
"""What stages of a kind read beside the reviews, by its hashes."""

_LIBRARIES = ("torch", "numpy", "gensim", "scikit-learn")


@dataclass(frozen=True)
class Training:
    """A recipe on its data, and where things are kept."""

    recipe: Recipe
    corpus: Corpus
    data: Path
    """What is prepared from the data set."""
    stages: Path
    """The results of the stages, each in a folder of its name."""
    model: Path
    """The results of the last stage."""
    checkpoints: Path
    processes: Processes

    def run(self, restart: bool = False) -> dict[str, Any]:
        """Train what is missing; what is known of the model. ``restart``: the last stage anew,
        whatever there is of it."""
        last = self.recipe.stages[-1]
        if restart and self.processes.is_first:
            self._forget(last)
        self.processes.wait()
        self._ensure(last)
        return _read_run(self._folder(last)) or {}

    def _forget(self, stage: Stage) -> None:
        """Delete what would spare a stage a part of its training; its weights stay, until there
        are others."""
        for path in self._folder(stage).glob("*.json"):
            path.unlink()
        for part in (*DIRECTIONS, "transformer"):
            for path in self.checkpoints.glob(f"{stage.name}-{part}-*"):
                path.unlink()
        shutil.rmtree(self.checkpoints / f"{stage.name}-labels", ignore_errors=True)

    def _ensure(self, stage: Stage) -> None:
        self.processes.wait()
        reasons = self._reasons(stage)
        if not reasons:
            self._say(f"{stage.name} is there")
            return
        for name in stage.settings.inputs:
            self._ensure(self.recipe.stage(name))
        self._say(f"{stage.name} is trained: {'; '.join(reasons)}")
        self.processes.wait()
        work = self._work(stage)
        if self.processes.is_first:
            (work.folder / "run.json").unlink(missing_ok=True)
        about = TRAINERS[stage.kind](work)
        if self.processes.is_first:
            self._finish(work, about)
        self.processes.wait()

    def _work(self, stage: Stage) -> Work:
        inputs = {name: self._folder(self.recipe.stage(name)) for name in stage.settings.inputs}
        weights = {name: _weights(folder) for name, folder in inputs.items()}
        return Work(
            stage,
            self._folder(stage),
            inputs,
            self._plan(stage) | {"weights": weights},
            self.corpus,
            self.data,
            self.checkpoints,
            self.processes,
        )

    def _folder(self, stage: Stage) -> Path:
        return self.model if stage is self.recipe.stages[-1] else self.stages / stage.name

    def _plan(self, stage: Stage) -> dict[str, Any]:
        """What a stage's result depends on, as far as it is known before anything is trained."""
        vocabulary = self.corpus.vocabulary(stage.settings.text_settings)
        before = {name: self.recipe.stage(name) for name in stage.settings.inputs}
        return {
            "kind": stage.kind,
            "settings": json.loads(json.dumps(asdict(stage.settings))),
            "data": " ".join([self.corpus.fingerprint, *_PINNED.get(stage.kind, ())]),
            "vocabulary": vocabulary.fingerprint,
            "stages": {name: digest(self._plan(other)) for name, other in before.items()},
        }

    def _reasons(self, stage: Stage) -> list[str]:
        """Why a stage has to be trained; none where it is finished. The stages that a finished one
        came from need not be there any more."""
        about = _read_run(self._folder(stage))
        if about is None:
            return ["it is not there"]
        was, now = about["made_of"], self._plan(stage)
        reasons = _differences(was.get("settings", {}), now["settings"])
        for name in ("data", "vocabulary"):
            if was.get(name) != now[name]:
                reasons.append(f"it was made of another {name}")
        for name, planned in now["stages"].items():
            found = _weights(self._folder(self.recipe.stage(name)))
            if was.get("stages", {}).get(name) != planned:
                reasons.append(f"{name} is to be another one")
            elif found not in (None, was["weights"].get(name)):
                reasons.append(f"{name} was made anew")
        return reasons

    def _finish(self, work: Work, about: dict[str, Any]) -> None:
        """Write run.json: last, for where it is, the stage is finished."""
        files: Sequence[str] = about["results"]
        write_json(
            work.folder / "run.json",
            {
                "name": work.stage.name,
                "recipe": self.recipe.name,
                "bundle_weights": self.recipe.bundle_weights,
                **({"verdict": rule.to_dict()} if (rule := self.recipe.verdict) else {}),
                **about,
                "weights": _hash(work.folder / name for name in files),
                "made_of": dict(work.made_of),
                "processes": self.processes.count,
                "machine": platform.machine(),
                "python": platform.python_version(),
                "libraries": {name: version(name) for name in _LIBRARIES},
            },
        )

    def _say(self, text: str) -> None:
        if self.processes.is_first:
            print(text, flush=True)


def _read_run(folder: Path) -> dict[str, Any] | None:
    """What a finished stage says of itself; None where there is none, or one that says less."""
    path = folder / "run.json"
    if not path.exists():
        return None
    about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return about if {"made_of", "weights"} <= about.keys() else None


def _weights(folder: Path) -> str | None:
    about = _read_run(folder)
    return None if about is None else str(about["weights"])


def _differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [
        f"{name} was {was.get(name)!r} and is {now.get(name)!r}"
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    ]


def _hash(paths: Any) -> str:
    whole = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
