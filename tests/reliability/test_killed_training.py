"""Training that is killed at any moment and started again ends as if it had not been."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from tests.reliability import killing
from tests.reliability.killing import Moment, choose_moments, moments_of, train_small
from tests.small_corpus import write_archive
from tests.small_recipes import CHAIN, LANGUAGE_MODELS, ONE, write_recipe

KILLS = int(os.environ.get("REELTONE_KILLS", "10"))
"""Moments of each program, out of some 40; 1000 are all of them."""
TIMES = 4
KILLED = -9


class Training:
    """A training, its results in a folder, and how long it takes."""

    def __init__(self, recipe: Path, until: str, archive: Path, folder: Path) -> None:
        self._folder = folder
        self._arguments = [str(recipe), f"--until={until}"]
        self._arguments += [f"--model-dir={folder}/model", f"--checkpoint-dir={folder}/checkpoints"]
        self._arguments += [f"--data-dir={folder / 'data'}", f"--archive={archive}"]

    def run(self, moment: Moment | None = None) -> int:
        return killing.run(train_small, self._arguments, self._folder, moment)

    def run_for(self, seconds: float) -> None:
        """Run, and be killed then, unless it is done before."""
        process = killing.start(train_small, self._arguments, self._folder)
        process.join(seconds)
        process.kill()
        process.join()

    def moments(self) -> list[Moment]:
        return moments_of(self._folder)

    def is_finished(self) -> bool:
        """Whether it says so to whoever comes after it."""
        return (self._folder / "model" / "run.json").exists()

    def results(self) -> dict[str, Any]:
        """Everything that is left, but what depends on the time it took, and half-written files."""
        return {
            str(path.relative_to(self._folder)): _read(path)
            for path in self._folder.rglob("*")
            if path.is_file() and "checkpoint" not in str(path) and path.suffix != ".part"
        }


def _read(path: Path) -> Any:
    if path.suffix == ".json":
        return _without_times(json.loads(path.read_text()))
    if path.suffix == ".safetensors":  # which has its metadata in any order
        with safe_open(path, framework="np") as file:
            tensors = {name: file.get_tensor(name).tolist() for name in sorted(file.keys())}
            return file.metadata(), tensors
    return path.read_bytes()


def _without_times(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_times(item) for key, item in content.items() if key != "seconds"}
    return [_without_times(item) for item in content] if isinstance(content, list) else content


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("archive") / "archive.tar.gz")


STAGES = {
    "small": f"{ONE}ngrams = 50",
    "language-models": LANGUAGE_MODELS.format(epochs=3) + CHAIN,
}


def prepare(stage: str, archive: Path, folder: Path) -> Training:
    """A training that has not begun."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    recipe = write_recipe(folder / "small.toml", STAGES[stage])
    return Training(recipe, stage, archive, folder)


@pytest.mark.timeout(0)  # there may be many
@pytest.mark.parametrize("name", STAGES)
def test_a_training_that_is_killed_time_and_again_ends_as_if_it_had_not_been(
    archive: Path, tmp_path: Path, name: str
) -> None:
    undisturbed = prepare(name, archive, tmp_path / "undisturbed")
    started = time.monotonic()
    assert undisturbed.run() == 0
    seconds = time.monotonic() - started
    expected = undisturbed.results()
    training = prepare(name, archive, tmp_path / "disturbed")
    for moment in choose_moments(undisturbed.moments(), KILLS, seed=11):
        if training.run(moment) == 0:  # what earlier runs have left takes fewer operations
            assert training.results() == expected, moment
            training = prepare(name, archive, tmp_path / "disturbed")
            assert training.run(moment) == KILLED
        if training.is_finished():
            assert training.results() == expected, moment
    chance = random.Random(12)
    for _ in range(TIMES):
        training.run_for(chance.uniform(0, seconds))
    assert training.run() == 0
    assert training.results() == expected
    assert not list((tmp_path / "disturbed").rglob("*.part"))
