"""What a stage is given to be trained with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_training.corpus.cache import Corpus
from model_training.recipes.recipe import Stage
from model_training.training.processes import Processes


@dataclass(frozen=True)
class Work:
    """One stage, where its results go, and all that they depend on. Can be pickled."""

    stage: Stage
    folder: Path
    """Where the results go."""
    inputs: Mapping[str, Path]
    """The folders of the finished stages that it needs, by name."""
    made_of: Mapping[str, Any]
    """Settings, data, and the weights of the stages before: the same ones have the same result."""
    corpus: Corpus
    data: Path
    """Where is kept what is prepared from the data and does not depend on the stage."""
    checkpoints: Path
    processes: Processes

    def key(self, part: str, *without: str) -> str:
        """Give what a part's result is known by: equal keys, equal results. Settings named in
        ``without`` take no part in it."""
        settings = {k: v for k, v in self.made_of["settings"].items() if k not in without}
        described = {**self.made_of, "settings": settings, "part": part}
        return digest(described)

    def checkpoint(self, part: str, *without: str) -> Path:
        """Say where the state of a part is kept while it is trained; other settings, data or
        weights to start from have another place."""
        return self.checkpoints / f"{part}-{self.key(part, *without)[:12]}.safetensors"


def digest(content: Any) -> str:
    """Give a fingerprint of what JSON can say."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
