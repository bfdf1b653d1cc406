"""What a bundle says of itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from model_training.files import write_json
from review_text import load_vocabulary


def write_manifest(folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    """Write manifest.json: ``about``, the vocabulary's fingerprint, and the version.

    The version names the content: graph, vocabulary and what turns a logit into a probability.
    """
    fingerprint = load_vocabulary(folder / "vocabulary.json").fingerprint
    digest = hashlib.sha256((folder / "model.onnx").read_bytes())
    digest.update(json.dumps([fingerprint, about], sort_keys=True).encode())
    manifest = about | {
        "version": f"{about['name']}-{digest.hexdigest()[:12]}",
        "vocabulary": fingerprint,
    }
    write_json(folder / "manifest.json", manifest)
    return manifest
