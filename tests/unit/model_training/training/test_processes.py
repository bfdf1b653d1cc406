"""Several processes train the model that one process trains; tasks run side by side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from model_training.corpus.cache import Corpus
from model_training.errors import ReeltoneError
from model_training.training.processes import run_side_by_side
from tests.needs import need
from tests.small_recipes import train, write_recipe
from tests.unit.model_training.training.test_stages import PROGRAM

pytestmark = pytest.mark.slow

# Dropout's numbers differ between processes, as they should; without it all is equal.
EXACT = ["--embedding-dropout=0", "--word-dropout=0", "--dropout=0"]
EXACT += ["--adversarial=5"]  # its gradients are of two passes, averaged once


@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_end_with_the_weights_of_one(
    tmp_path: Path, corpus: Corpus, small_expected: dict[str, tuple[int, int, str]], count: int
) -> None:
    recipe = write_recipe(tmp_path / "small.toml")
    alone = load_file(train(tmp_path, recipe, *EXACT) / "forward.safetensors")
    program, model = tmp_path / "program.py", tmp_path / "together"
    program.write_text(PROGRAM.format(expected=small_expected))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    places = [f"--data-dir={tmp_path / 'data'}", f"--model-dir={model}"]
    places.append(f"--checkpoint-dir={tmp_path / 'others'}")
    subprocess.run(
        [*command, f"--nproc-per-node={count}", str(program), str(recipe), *places, *EXACT],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=200,
    )
    together = load_file(model / "forward.safetensors")
    for name, tensor in alone.items():
        assert torch.allclose(tensor, together[name], atol=1e-4), name


LEAVES = """
from pathlib import Path
import torch
from model_training.training.processes import join_processes

def threads():
    return {path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")}

model = torch.nn.Linear(2, 1)
with join_processes() as processes:
    processes.copy_first(model)
    model(torch.ones(1, 2) * processes.rank).sum().backward()
    processes.average_gradients(model)
    assert any("gloo" in name for name in threads())
assert model.weight.grad.tolist() == [[0.5, 0.5]]
assert not any("gloo" in name for name in threads()), threads()
"""


def test_processes_leave_no_thread_that_could_outlive_python(tmp_path: Path) -> None:
    need(Path("/proc/self/task").exists(), "there is no /proc to see threads in")
    (tmp_path / "leaves.py").write_text(LEAVES)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    subprocess.run([*command, "--nproc-per-node=2", str(tmp_path / "leaves.py")], check=True)


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of tasks, that children can import."""
    (tmp_path / "tasks.py").write_text(
        "import os, sys, time\n"
        "from model_training.errors import ReeltoneError\n"
        "def note(name, variable):\n"
        "    open(name, 'w').write(os.environ.get(variable, 'none'))\n"
        "def fail(message):\n"
        "    raise ReeltoneError(message)\n"
        "def die():\n"
        "    os._exit(9)\n"
        "def sleep(name='pid'):\n"
        "    open(name, 'w').write(str(os.getpid()))\n"
        "    time.sleep(600)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_tasks_have_their_share_of_the_cores_and_are_none_of_torchruns(
    tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks import note  # type: ignore[import-not-found]

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    run_side_by_side([partial(note, "one", "OMP_NUM_THREADS"), partial(note, "two", "WORLD_SIZE")])
    assert (tasks / "one").read_text() == str(max(1, (os.cpu_count() or 1) // 2))
    assert (tasks / "two").read_text() == "none"
    assert os.environ["WORLD_SIZE"] == "2"


def test_the_first_that_fails_says_why_and_ends_the_others(tasks: Path) -> None:
    from tasks import die, fail, sleep

    began = time.monotonic()
    with pytest.raises(ReeltoneError, match="no luck"):
        run_side_by_side([sleep, partial(fail, "no luck")])
    with pytest.raises(ReeltoneError, match="ended from outside"):
        run_side_by_side([sleep, die])
    assert time.monotonic() - began < 300, "the first task would have slept for ten minutes"


def test_none_outlives_the_process_that_started_it_and_was_killed(tasks: Path) -> None:
    (tasks / "starter.py").write_text(
        "from functools import partial\n"
        "from model_training.training.processes import run_side_by_side\n"
        "from tasks import sleep\n"
        "if __name__ == '__main__':\n"
        "    run_side_by_side([partial(sleep, 'one'), partial(sleep, 'two')])\n"
    )
    path = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        [sys.executable, "starter.py"], env=os.environ | {"PYTHONPATH": path}
    ) as starter:
        files = [tasks / "one", tasks / "two"]
        wait_until(lambda: all(file.exists() and file.read_text() for file in files))
        pids = [int(file.read_text()) for file in files]
        starter.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{pid}/fd/0").exists() for pid in pids))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
