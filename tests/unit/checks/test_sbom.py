"""The list of packages says what is in a build, and nothing else."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from checks import sbom


def install(folder: Path, name: str, version: str = "1.0") -> None:
    """Put a package's metadata into a folder, as pip does."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    about = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-Expression: MIT\n"
    (info / "METADATA").write_text(about)


def test_packages_are_found_in_folders_and_in_archives(tmp_path: Path) -> None:
    build = tmp_path / "build"
    install(build / "SentimentFunction", "plain_one")
    install(tmp_path / "code/lib", "packed")
    models = build / "PublisherFunction/models/modern"
    models.mkdir(parents=True)
    with tarfile.open(models / "model-1.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "code", "code")
    install(build / "VocabularyLayer/python", "packed")
    output = tmp_path / "new" / "sbom.json"
    sbom.main([str(build), "--output", str(output)])
    listed = {entry["purl"]: entry for entry in json.loads(output.read_text())["components"]}
    assert listed.keys() == {"pkg:pypi/plain-one@1.0", "pkg:pypi/packed@1.0"}
    packed = listed["pkg:pypi/packed@1.0"]
    assert packed["licenses"] == [{"license": {"id": "MIT"}}]
    assert [entry["value"] for entry in packed["properties"]] == [
        "PublisherFunction/models/modern/model-1.tar.gz",
        "VocabularyLayer/python",
    ]


def test_two_versions_of_a_package_are_two_entries(tmp_path: Path) -> None:
    install(tmp_path / "a", "twice", "1.0")
    install(tmp_path / "b", "twice", "2.0")
    assert {component.version for component in sbom.describe(tmp_path).components} == {"1.0", "2.0"}


def test_a_package_that_does_not_say_its_version_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "mute-1.0.dist-info").mkdir()
    with pytest.raises(SystemExit):
        sbom.main([str(tmp_path), "--output", str(tmp_path / "sbom.json")])


def test_where_nothing_was_built_there_is_no_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        sbom.main([str(tmp_path), "--output", str(tmp_path / "sbom.json")])
    assert "run make build" in capsys.readouterr().err
