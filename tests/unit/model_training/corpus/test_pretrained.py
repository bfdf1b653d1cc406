"""The weights that the transformer starts from: copied or fetched, and verified."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from model_training.corpus import pretrained
from model_training.corpus.pretrained import FILES, prepare_pretrained
from model_training.errors import PretrainedError


def test_weights_that_are_not_those_that_are_pinned_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    copy.mkdir()
    with pytest.raises(PretrainedError, match=r"has no config\.json"):
        prepare_pretrained(data, copy)
    for name in FILES:
        (copy / name).write_bytes(b"")
    with pytest.raises(PretrainedError, match="SHA-256"):
        prepare_pretrained(data, copy)
    assert not data.exists()
    monkeypatch.setattr(pretrained, "WEIGHTS_SHA256", hashlib.sha256(b"").hexdigest())
    kept = prepare_pretrained(data, copy)
    assert {path.name for path in kept.iterdir()} == set(FILES)
    assert prepare_pretrained(data) == kept  # and needs no hub


def test_a_hub_that_cannot_be_reached_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(PretrainedError, match=r"huggingface\.co"):
        prepare_pretrained(tmp_path)
