"""From a finished run to a bundle, by the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model_training.corpus.cache import Corpus
from model_training.errors import BundleError
from model_training.export import __main__ as command
from model_training.export import proof
from model_training.export.__main__ import main
from model_training.serving.bundle import FILES, read_bundle
from review_text import VerdictRule
from tests.small_recipes import train_small

RULE = VerdictRule(unknown=0.5, short=8, sure=0.6, balance=0.9)
pytestmark = pytest.mark.slow


def test_the_command_makes_a_bundle_beside_the_run_and_leaves_what_ships_alone(
    tmp_path: Path,
    corpus: Corpus,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    models = tmp_path / "models"
    monkeypatch.setattr(command, "MODELS", models)
    run, data = train_small(tmp_path, corpus), ["--data-dir", str(tmp_path / "data")]
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(about | {"verdict": RULE.to_dict()}))
    main([str(run), *data])
    manifest = read_bundle(run / "bundle").manifest
    assert (manifest.name, manifest.dev_reviews) == ("small", 8)
    *_, said, hint = capsys.readouterr().out.splitlines()
    assert said == f"{run / 'bundle'}: {manifest.version}"
    assert hint.endswith("make ship MODEL=small")
    assert read_bundle(run / "bundle").manifest.rule == RULE
    metrics = json.loads((run / "bundle" / "metrics.json").read_text())
    assert (metrics["split"], metrics["reviews"]) == ("dev", 8)
    assert not models.exists()
    main([str(run), "--ship", *data])
    assert read_bundle(models / "small").manifest.version == manifest.version
    assert sorted(path.name for path in models.iterdir()) == ["small"]


def test_an_export_that_fails_its_proof_replaces_nothing(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, bundle = train_small(tmp_path, corpus), tmp_path / "models" / "small"
    arguments = [str(run), "--bundle", str(bundle), "--data-dir", str(tmp_path / "data")]
    main(arguments)
    before = {name: (bundle / name).read_bytes() for name in FILES}
    monkeypatch.setattr(proof, "INT8_TOLERANCE", -1.0)  # fails where the first part has passed
    with pytest.raises(BundleError, match=r"more than -1\.0"):
        main(arguments)
    assert {name: (bundle / name).read_bytes() for name in FILES} == before
    assert [path.name for path in bundle.parent.iterdir()] == ["small"]


def test_without_dev_reviews_nothing_is_fitted_on_them(tmp_path: Path, corpus: Corpus) -> None:
    run, bundle = train_small(tmp_path, corpus, "--dev-reviews=0"), tmp_path / "bundle"
    main([str(run), "--bundle", str(bundle), "--data-dir", str(tmp_path / "data")])
    assert read_bundle(bundle).manifest.temperature == 1.0
    assert json.loads((bundle / "metrics.json").read_text()) == {"split": "dev", "reviews": 0}


def test_ngrams_stay_with_the_teachers(tmp_path: Path, corpus: Corpus) -> None:
    run, bundle = train_small(tmp_path, corpus, "--ngrams=50"), tmp_path / "bundle"
    with pytest.raises(BundleError, match="train it with ngrams = 0"):
        main([str(run), "--bundle", str(bundle), "--data-dir", str(tmp_path / "data")])
    assert not bundle.exists()
