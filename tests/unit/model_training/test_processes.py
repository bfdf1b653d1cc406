"""Several processes train the model that one process trains."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from model_training import train
from model_training.data import Corpus

from .test_train import SETTINGS

# The made-up data set, in processes that know nothing of a test's fixtures.
PROGRAM = """
import sys
from model_training import data, train
for folder, expected in {expected!r}.items():
    data.EXPECTED[folder] = expected
train.main(sys.argv[1:])
"""
# Dropout's numbers differ between processes, as they should; without it all is equal.
EXACT = ["--embedding-dropout=0", "--word-dropout=0", "--dropout=0", "--precision=fp32"]
EXACT += ["--adversarial=5"]  # its gradients are of two passes, averaged once


def arguments(folder: Path, model: str) -> list[str]:
    folders = [f"--data-dir={folder / 'data'}", f"--model-dir={folder / model}"]
    return ["modern", *folders, f"--checkpoint-dir={folder / model}", *SETTINGS, *EXACT]


@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_end_with_the_weights_of_one(
    tmp_path: Path, corpus: Corpus, small_expected: dict[str, tuple[int, int]], count: int
) -> None:
    assert train.DISTRIBUTED
    train.main(arguments(tmp_path, "alone"))
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
