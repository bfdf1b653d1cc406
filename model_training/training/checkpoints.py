"""A training run's state on disk, whole at any moment, without pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from model_training.files import replacing

_MODEL, _ADAM = "model.", "adam."


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    """Steps done."""
    seconds: float = 0.0
    """Time spent on them, over all starts of the run."""
    history: tuple[dict[str, float], ...] = ()
    """One row for each epoch done."""


def save_checkpoint(
    path: Path, key: str, progress: Progress, model: nn.Module, adam: torch.optim.Adam
) -> None:
    """Write everything that the next step depends on; ``key`` says which run it belongs to."""
    tensors = {_MODEL + name: tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for kind, tensor in adam.state[parameter].items():
            tensors[f"{_ADAM}{kind}.{name}"] = tensor
    about = {
        "key": key,
        "step": str(progress.step),
        "seconds": str(progress.seconds),
        "history": json.dumps(progress.history),
    }
    with replacing(path) as part:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, part, about)


def load_checkpoint(
    path: Path, key: str, model: nn.Module, adam: torch.optim.Adam, most: int | None = None
) -> Progress | None:
    """Go on where ``path`` left off; None where there is no such file, or one of another run or of
    more than ``most`` steps."""
    if not path.exists():
        return None
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
        if about["key"] != key or (most is not None and int(about["step"]) > most):
            return None
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    model.load_state_dict(
        {name.removeprefix(_MODEL): t for name, t in tensors.items() if name.startswith(_MODEL)}
    )
    for name, parameter in model.named_parameters():
        for kind in ("step", "exp_avg", "exp_avg_sq"):
            # A layer that has not learned yet has no state. Adam counts its steps where its other
            # state is: on the parameter's device.
            if (state := tensors.get(f"{_ADAM}{kind}.{name}")) is not None:
                adam.state[parameter][kind] = state.to(parameter.device)
    return Progress(
        int(about["step"]), float(about["seconds"]), tuple(json.loads(about["history"]))
    )
