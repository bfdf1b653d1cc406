"""From a finished run to a bundle, and from a bundle to its archive, by the commands."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from model_training.corpus.cache import Corpus
from model_training.errors import BundleError
from model_training.export import __main__ as command
from model_training.export import bundles, packing
from model_training.export.__main__ import main
from model_training.export.packing import RUNTIME
from model_training.serving.bundle import FILES, read_bundle
from review_text import MODERN, VerdictRule, build_vocabulary
from tests.small_recipes import train_small
from tests.unit.model_training.toy_bundle import make_toy_bundle

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
    monkeypatch.setattr(bundles, "INT8_TOLERANCE", -1.0)  # fails where the first part has passed
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


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    vocabulary = build_vocabulary(["a wonderful film", "a dreadful film"], MODERN)
    return make_toy_bundle(tmp_path / "toy", vocabulary)


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What pip is asked for; it installs one file."""
    asked: list[list[str]] = []

    def install(command: list[str], check: bool) -> None:
        asked.append(command)
        (Path(command[command.index("--target") + 1]) / "onnxruntime.py").write_text("")

    monkeypatch.setattr(subprocess, "run", install)
    return asked


def pack(bundle: Path, capsys: pytest.CaptureFixture[str], *options: str) -> set[str]:
    """Names in the archive whose path the command prints."""
    packing.main([str(bundle), "--output", str(bundle.parent / "packed"), *options])
    path = Path(capsys.readouterr().out.strip())
    assert path.parent == bundle.parent / "packed"
    with tarfile.open(path) as archive:
        return set(archive.getnames())


def test_the_command_packs_model_and_code(
    bundle: Path, pip: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    names = pack(bundle, capsys)
    assert {"model.onnx", "vocabulary.json", "code/model_training/serving/functions.py"} <= names
    assert not [name for name in names if name.startswith("code/lib/")]
    assert pip == []


def test_the_runtime_is_packed_where_it_is_asked_for(
    bundle: Path, pip: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "code/lib/onnxruntime.py" in pack(bundle, capsys, "--runtime")
    [command] = pip
    assert command[-2:] == ["--requirement", str(RUNTIME)]
    assert "--require-hashes" in command
    assert RUNTIME.read_text().count("==") == 1
    # For AWS's image, whatever this machine is.
    assert command[command.index("--python-version") + 1] == "3.12"
    assert "manylinux_2_28_x86_64" in command


def test_a_runtime_that_cannot_be_had_is_named(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], check: bool) -> None:
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(subprocess, "run", fail)
    output = bundle.parent / "packed"
    with pytest.raises(BundleError, match=f"pip could not fetch what {RUNTIME} names"):
        packing.main([str(bundle), "--runtime", "--output", str(output)])
    assert not output.exists()


def test_a_check_packs_nothing_and_says_what_does_not_belong_together(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packing.main([str(bundle), "--check", "--output", str(bundle.parent / "packed")])
    assert not (bundle.parent / "packed").exists()
    build_vocabulary(["another film"], MODERN).save(bundle / "vocabulary.json")
    with pytest.raises(BundleError, match=r"Export the bundle again\.$"):
        packing.main([str(bundle), "--check"])
