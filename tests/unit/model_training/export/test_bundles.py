"""From a finished run to a bundle, by the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model_training.corpus.cache import Corpus
from model_training.export.__main__ import main
from model_training.serving.bundle import read_bundle
from tests.unit.model_training.training.test_classifier import run


@pytest.mark.slow
def test_the_command_makes_a_bundle_and_says_its_version(
    tmp_path: Path, corpus: Corpus, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "bundle"
    data = ["--data-dir", str(tmp_path / "data")]
    main([str(run(tmp_path, corpus)), "--bundle", str(bundle), *data])
    manifest = read_bundle(bundle).manifest
    assert manifest.name == "modern"
    assert capsys.readouterr().out.splitlines()[-1] == f"{bundle}: {manifest.version}"
    metrics = json.loads((bundle / "metrics.json").read_text())
    assert (metrics["split"], metrics["reviews"]) == ("dev", 8)


@pytest.mark.slow
def test_without_dev_reviews_nothing_is_fitted_on_them(tmp_path: Path, corpus: Corpus) -> None:
    bundle = tmp_path / "bundle"
    folder = run(tmp_path, corpus, "modern", "--dev-reviews=0")
    main([str(folder), "--bundle", str(bundle), "--data-dir", str(tmp_path / "data")])
    assert json.loads((bundle / "manifest.json").read_text())["temperature"] == 1.0
    assert not (bundle / "metrics.json").exists()
