"""Several processes train the model that one process trains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from model_training.corpus.cache import Corpus
from model_training.errors import ReeltoneError
from model_training.training import classifier
from model_training.training.processes import run_side_by_side

from .test_classifier import SETTINGS

# The made-up data set, in processes that know nothing of a test's fixtures.
PROGRAM = """
import sys
from model_training.corpus import acl_imdb
from model_training.training import classifier
for folder, expected in {expected!r}.items():
    acl_imdb.EXPECTED[folder] = expected
classifier.main(sys.argv[1:])
"""
# Dropout's numbers differ between processes, as they should; without it all is equal.
EXACT = ["--embedding-dropout=0", "--word-dropout=0", "--dropout=0", "--precision=fp32"]
EXACT += ["--adversarial=5"]  # its gradients are of two passes, averaged once


def arguments(folder: Path, model: str) -> list[str]:
    folders = [f"--data-dir={folder / 'data'}", f"--model-dir={folder / model}"]
    return ["modern", *folders, f"--checkpoint-dir={folder / model}", *SETTINGS, *EXACT]


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_end_with_the_weights_of_one(
    tmp_path: Path, corpus: Corpus, small_expected: dict[str, tuple[int, int, str]], count: int
) -> None:
    assert classifier.DISTRIBUTED
    classifier.main(arguments(tmp_path, "alone"))
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(expected=small_expected))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    subprocess.run(
        [*command, f"--nproc-per-node={count}", str(program), *arguments(tmp_path, "together")],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=120,
    )
    alone, together = (
        load_file(tmp_path / model / "model.safetensors") for model in ("alone", "together")
    )
    for name, tensor in alone.items():
        assert torch.allclose(tensor, together[name], atol=1e-4), name


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules can be run side by side."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_modules_run_as_programs_with_their_arguments_and_their_share_of_the_cores(
    modules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    (modules / "program.py").write_text(
        "import os, pathlib, sys\n"
        "if __name__ == '__main__':\n"
        "    pathlib.Path(sys.argv[1]).write_text(os.environ['OMP_NUM_THREADS'])\n"
    )
    run_side_by_side([["program", "one"], ["program", "two"]])
    share = str(max(1, (os.cpu_count() or 1) // 2))
    assert (modules / "one").read_text() == (modules / "two").read_text() == share


@pytest.mark.slow
def test_one_that_fails_is_an_error_once_all_have_ended(modules: Path) -> None:
    (modules / "program.py").write_text("import sys\nsys.exit(sys.argv[1])\n")
    with pytest.raises(ReeltoneError, match="not trained to its end"):
        run_side_by_side([["program", "no luck"]])


@pytest.mark.slow
def test_none_outlives_the_process_that_started_it_and_was_killed(modules: Path) -> None:
    (modules / "program.py").write_text(
        "import os, sys, time\nopen(sys.argv[1], 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
    )
    (modules / "starter.py").write_text(
        "from model_training.training.processes import run_side_by_side\n"
        "run_side_by_side([['program', 'one'], ['program', 'two']])\n"
    )
    path = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        [sys.executable, "starter.py"], env=os.environ | {"PYTHONPATH": path}
    ) as starter:
        files = [modules / "one", modules / "two"]
        wait_until(lambda: all(file.exists() and file.read_text() for file in files))
        pids = [int(file.read_text()) for file in files]
        starter.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{pid}/fd/0").exists() for pid in pids))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
