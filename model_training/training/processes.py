"""What training runs on: one process or several (torchrun starts them), each with its GPU."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from model_training.errors import HardwareError, ReeltoneError
from model_training.recipes.settings import Precision

_PATIENCE = timedelta(hours=24)
"""How long the others wait while one process trains what comes first."""


@dataclass(frozen=True)
class Processes:
    """This process among those that train together."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    """Among those on this machine."""

    @property
    def is_first(self) -> bool:
        """Whether this one writes files and speaks for all."""
        return self.rank == 0

    @contextmanager
    def first_on_each_machine(self) -> Iterator[None]:
        """Let one process on each machine run the block before the others: it fills caches."""
        if self.local_rank:
            self.wait()
        yield
        if not self.local_rank:
            self.wait()

    def wait(self) -> None:
        """Return when all processes have come here."""
        if self.count > 1:
            distributed.barrier()

    def share(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """This process's part of a batch's rows; may be empty."""
        return rows[self.rank :: self.count]

    def parallel(self, model: nn.Module) -> nn.Module:
        """The model with its gradients averaged over all processes, and the first one's weights."""
        return DistributedDataParallel(model) if self.count > 1 else model

    @contextmanager
    def without_averaging(self, model: nn.Module) -> Iterator[None]:
        """Within the block, gradients stay with the process; the next backward pass averages them
        with its own."""
        if isinstance(model, DistributedDataParallel):
            with model.no_sync():
                yield
        else:
            yield


@contextmanager
def join_processes() -> Iterator[Processes]:
    """The processes that torchrun has started, or this one alone."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, timeout=_PATIENCE)
    try:
        local_rank = int(os.environ["LOCAL_RANK"])
        yield Processes(distributed.get_rank(), count, local_rank)
    finally:
        distributed.destroy_process_group()


def choose_device(local_rank: int = 0) -> torch.device:
    """This process's GPU, if there is one.

    Raises:
        HardwareError: SageMaker counts GPUs on this machine, and PyTorch can't use them.
    """
    paid_for = int(os.environ.get("SM_NUM_GPUS", "0"))
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank)
        return torch.device("cuda", local_rank)
    if paid_for:
        raise HardwareError(
            f"SM_NUM_GPUS = {paid_for}, but PyTorch {torch.__version__} finds no CUDA device. "
            f"Choose a training image built for GPUs, or an instance type without one."
        )
    return torch.device("cpu")


def low_precision(precision: Precision, device: torch.device) -> torch.autocast:
    """Matrices multiplied in ``precision`` within the block; the weights stay in fp32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def run_side_by_side(commands: list[list[str]]) -> None:
    """Run Python modules with their arguments at the same time, each with its share of the cores.

    None outlives this process, even where it is killed: when the same command is given again, one
    that goes on would write the same files.

    Raises:
        ReeltoneError: one of them failed; it has said why.
    """
    threads = str(max(1, (os.cpu_count() or 1) // max(1, len(commands))))
    # In a training job, only this process's own path has the package.
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment = {"OMP_NUM_THREADS": threads} | os.environ | path
    module = [sys.executable, "-m", "model_training.training.processes"]
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen([*module, *command], env=environment, stdin=subprocess.PIPE)
            )
            for command in commands
        ]
        try:
            failed = [child.wait() for child in started]
        finally:
            for child in started:
                child.terminate()
    if any(failed):
        raise ReeltoneError("a stage was not trained to its end; its own message is above")


def main(command: list[str]) -> None:
    """Run a module as a program that ends with the process that started it."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    sys.argv = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)


def _end_with_input() -> None:
    # Nobody writes; the system closes the other end however that process ends.
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
