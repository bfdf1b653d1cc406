"""What ships is read from what the builds read."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks import shipped
from checks.pins import read_pins


def test_what_ships_is_what_function_image_bundle_and_layer_install() -> None:
    names = [line.partition("==")[0] for line in shipped.requirements()]
    assert names == ["aws-lambda-powertools", "numpy", "onnxruntime", "starlette", "uvicorn"]
    assert shipped.requirements(alone=True) == ["nltk==3.10.3"]


def test_what_ships_is_what_is_tested_with() -> None:
    pins = read_pins()
    for line in [*shipped.requirements(), *shipped.requirements(alone=True)]:
        name, _, version = line.partition("==")
        assert name in pins
        assert version in ("", pins[name])


def test_a_package_more_in_the_image_ships_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "Dockerfile"
    changed.write_text(shipped.IMAGE.read_text().replace(" uvicorn ", " uvicorn httpx "))
    monkeypatch.setattr(shipped, "IMAGE", changed)
    assert "httpx" in shipped.requirements()
