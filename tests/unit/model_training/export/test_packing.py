"""Packing a bundle for SageMaker, by the command."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from model_training.errors import BundleError
from model_training.export.packing import RUNTIME, main
from review_text import MODERN, build_vocabulary
from tests.unit.model_training.toy_bundle import make_toy_bundle


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
    main([str(bundle), "--output", str(bundle.parent / "packed"), *options])
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
        main([str(bundle), "--runtime", "--output", str(output)])
    assert not output.exists()


def test_a_check_packs_nothing_and_says_what_does_not_belong_together(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(bundle), "--check", "--output", str(bundle.parent / "packed")])
    assert not (bundle.parent / "packed").exists()
    build_vocabulary(["another film"], MODERN).save(bundle / "vocabulary.json")
    with pytest.raises(BundleError, match=r"Export the bundle again\.$"):
        main([str(bundle), "--check"])
