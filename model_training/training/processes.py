"""What training runs on: one process or several (torchrun starts them), each with its GPU."""

from __future__ import annotations

import multiprocessing
import os
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

import numpy as np
import numpy.typing as npt
import torch
from torch import distributed, nn

from model_training.errors import HardwareError, ReeltoneError
from model_training.recipes.settings import Precision

_PATIENCE = timedelta(hours=24)
"""How long the others wait while one process does what only one can do."""
_OF_TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_", "LOCAL_", "GROUP_", "ROLE_", "TORCHELASTIC_")
"""What the variables begin with that make a process one of a group."""


@dataclass(frozen=True)
class Processes:
    """This process among those that train together."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this one writes files and speaks for all."""
        return self.rank == 0

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Let the first process run the block before the others: it fills caches."""
        if not self.is_first:
            self.wait()
        yield
        if self.is_first:
            self.wait()

    def wait(self) -> None:
        """Return when all processes have come here."""
        if self.count > 1:
            distributed.barrier()

    def share(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Give this process's part of a batch's rows; may be empty."""
        return rows[self.rank :: self.count]

    def copy_first(self, model: nn.Module) -> None:
        """Give the model the first process's weights."""
        if self.count > 1:
            for weights in model.parameters():
                distributed.broadcast(weights.data, 0)

    def average_gradients(self, model: nn.Module) -> None:
        """Replace each gradient by its mean over all processes.

        Not DistributedDataParallel: it keeps the group's threads for good (PyTorch 2.13), and one
        that was still at work when Python ended aborted a process whose training was done.
        """
        if self.count == 1:
            return
        gradients = [weights.grad for weights in model.parameters() if weights.grad is not None]
        joined = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(joined)
        sizes = [gradient.numel() for gradient in gradients]
        means = torch.split(joined / self.count, sizes)
        for gradient, mean in zip(gradients, means, strict=True):
            gradient.copy_(mean.view_as(gradient))


@contextmanager
def join_processes() -> Iterator[Processes]:
    """The processes that torchrun has started, or this one alone."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    if count != int(os.environ["LOCAL_WORLD_SIZE"]):
        raise HardwareError("the stages share a folder: train on one machine, with several GPUs")
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield Processes(distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()


def choose_device(rank: int = 0) -> torch.device:
    """Choose the GPU of the process ``rank`` on this machine, if there is one.

    Raises:
        HardwareError: SageMaker counts GPUs on this machine, and PyTorch can't use them.
    """
    paid_for = int(os.environ.get("SM_NUM_GPUS", "0"))
    if torch.cuda.is_available():
        torch.cuda.set_device(rank)
        return torch.device("cuda", rank)
    if paid_for:
        raise HardwareError(
            f"SM_NUM_GPUS = {paid_for}, but PyTorch {torch.__version__} finds no CUDA device. "
            f"Choose a training image built for GPUs, or an instance type without one."
        )
    return torch.device("cpu")


def low_precision(precision: Precision, device: torch.device) -> torch.autocast:
    """Multiply matrices in ``precision`` within the block; the weights stay in fp32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def run_side_by_side(tasks: Sequence[Callable[[], object]]) -> None:
    """Run tasks at the same time, each in a process of its own, with its share of the cores and a
    GPU of its own as far as there are enough.

    The tasks can be pickled. None outlives this process, even where it is killed: when the same
    command is given again, one that goes on would write the same files.

    Raises:
        ReeltoneError: one of them failed, with its message; the others were ended then.
    """
    # Not a copy of this process: CUDA and the threads of PyTorch do not outlive a fork.
    context = multiprocessing.get_context("spawn")
    children: dict[Connection, SpawnProcess] = {}
    try:
        for number, task in enumerate(tasks):
            ours, theirs = context.Pipe(duplex=False)
            with _environment(_share(number, len(tasks))):
                child = context.Process(target=_run, args=(task, theirs))
                child.start()
            theirs.close()
            children[ours] = child
        waiting = list(children)
        while waiting:
            for pipe in wait(waiting):
                assert isinstance(pipe, Connection)
                if message := _outcome(pipe):
                    raise ReeltoneError(message)
                waiting.remove(pipe)
    finally:
        for child in children.values():
            child.terminate()
            child.join()


def _outcome(pipe: Connection) -> str:
    """What went wrong with the child behind ``pipe``; empty where nothing did."""
    try:
        return str(pipe.recv())
    except EOFError:  # killed
        return "a process that trained a part of the model was ended from outside"


def _share(number: int, count: int) -> dict[str, str]:
    """The variables of one of ``count`` processes: its cores, and its GPU."""
    share = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // count))} | os.environ
    if gpus := torch.cuda.device_count():
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        names = visible if len(visible) == gpus else [str(gpu) for gpu in range(gpus)]
        share["CUDA_VISIBLE_DEVICES"] = names[number % gpus]
    # A child that took itself for one of torchrun's would wait for the others for ever.
    return {name: value for name, value in share.items() if not name.startswith(_OF_TORCHRUN)}


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have ``variables`` alone while a process is started, which copies them."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _run(task: Callable[[], object], outcome: Connection) -> None:
    """Do ``task`` in this child, and say how it went."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        task()
    except KeyboardInterrupt:
        os._exit(130)
    except ReeltoneError as error:
        outcome.send(str(error))
    except Exception as error:
        traceback.print_exc()
        outcome.send(f"{type(error).__name__}: {error}")
    else:
        outcome.send("")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
