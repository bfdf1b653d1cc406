"""The weights that the transformer starts from: all-mpnet-base-v2 (110 M, Apache 2.0)."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from model_training.errors import PretrainedError
from model_training.files import replacing

NAME = "sentence-transformers/all-mpnet-base-v2"
# pragma: allowlist nextline secret
REVISION = "e8c3b32edf5434bc2275fc9bab85f82640a19130"
# pragma: allowlist nextline secret
WEIGHTS_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
"""SHA-256 of model.safetensors, as its publisher has it."""
FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")


def prepare_pretrained(data: Path, copy: Path | None = None) -> Path:
    """Prepare the folder with the pre-trained weights, in ``data``; they are fetched from the hub,
    or taken from the folder ``copy``, unless they are there.

    Raises:
        PretrainedError: they cannot be had, or are not those that are pinned here.
    """
    folder = data / "pretrained"
    if copy is not None and not (folder / FILES[-1]).exists():
        _verify(copy)
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            with replacing(folder / name) as part:
                shutil.copyfile(copy / name, part)
    elif any(not (folder / name).is_file() for name in FILES):
        _download(folder)
    _verify(folder)
    return folder


def _verify(folder: Path) -> None:
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise PretrainedError(f"{folder} has no {', '.join(missing)}; it should be {NAME}")
    with (folder / "model.safetensors").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        raise PretrainedError(
            f"{folder}/model.safetensors is not that of {NAME} at {REVISION[:12]}: its SHA-256 is "
            f"{digest}, not {WEIGHTS_SHA256}. Fetch it again."
        )


def _download(folder: Path) -> None:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(NAME, revision=REVISION, local_dir=folder, allow_patterns=list(FILES))
    except (OSError, ValueError) as error:
        raise PretrainedError(
            f"{NAME} could not be fetched from huggingface.co ({error}). Fetch it where that can "
            f"be reached, and name its folder: make data PRETRAINED=folder."
        ) from error
