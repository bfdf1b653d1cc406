"""The function's package: what of it is published, and in which form."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from faults import PackageError
from local_stack.gateway import DOCUMENTS
from package import find_model, hash_site, read_site

from .conftest import OLD_MODELS, OLD_SITE, ROOT, Pack


def test_every_file_of_the_website_can_be_published(tmp_path: Path) -> None:
    (tmp_path / "site").symlink_to(ROOT / "frontend")
    published = {file.key for file in read_site(tmp_path)}
    folder = ROOT / "frontend"
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    shown = {path.as_posix() for path in files if not path.name.startswith(".")}
    assert published == shown


def test_hidden_files_stay_out(pack: Pack) -> None:
    package = pack(OLD_SITE | {".DS_Store": "", "js/.main.js.swp": "", ".git/config": ""}, {})
    assert {file.key for file in read_site(package)} == set(OLD_SITE)


def test_the_sites_version_is_of_its_content_alone(pack: Pack) -> None:
    version = hash_site(read_site(pack(OLD_SITE, {})))
    assert len(version) == 16
    assert hash_site(read_site(pack(OLD_SITE, OLD_MODELS))) == version
    for changes in ({"style.css": "body {}"}, {"js/view2.js": ""}):
        assert hash_site(read_site(pack(OLD_SITE | changes, {}))) != version
    renamed = {"js/views.js" if key == "js/view.js" else key: OLD_SITE[key] for key in OLD_SITE}
    assert hash_site(read_site(pack(renamed, {}))) != version


def test_a_models_key_is_its_path_in_the_package(pack: Pack) -> None:
    package = pack(OLD_SITE, OLD_MODELS)
    model = find_model(package, "classic")
    assert model.key == "models/classic/model-cccccccccccccccc.tar.gz"
    assert model.path == package / model.key


def test_the_function_imports_only_python_boto3_and_itself() -> None:
    functions = ROOT / "functions"
    sources = [*functions.glob("publisher/*.py"), functions / "sentiment" / "deadline.py"]
    imported: set[str] = set()
    for node in (node for path in sources for node in ast.walk(ast.parse(path.read_text()))):
        if isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    roots = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert roots - {path.stem for path in sources} == {"boto3", "botocore"}


@pytest.mark.parametrize("name", ["notes.txt", "js/deep.js", "folder"])
def test_a_link_in_the_website_is_refused(pack: Pack, tmp_path: Path, name: str) -> None:
    package = pack(OLD_SITE, {})
    (tmp_path / "secret").write_text("of this machine")
    target = tmp_path if name == "folder" else tmp_path / "secret"
    (package / "site" / name).symlink_to(target)
    with pytest.raises(PackageError, match=f"site/{name} is a symbolic link"):
        read_site(package)


def test_a_link_in_the_place_of_a_models_archive_is_refused(pack: Pack, tmp_path: Path) -> None:
    package = pack(OLD_SITE, OLD_MODELS)
    archive = package / "models" / "classic" / "model-cccccccccccccccc.tar.gz"
    archive.rename(tmp_path / "elsewhere")
    archive.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PackageError, match=r"cccc\.tar\.gz is no ordinary file"):
        find_model(package, "classic")


def test_a_website_with_a_link_is_not_even_packed(tmp_path: Path) -> None:
    publisher = tmp_path / "functions" / "publisher"
    publisher.mkdir(parents=True)
    (publisher / "Makefile").write_text((ROOT / "functions/publisher/Makefile").read_text())
    (tmp_path / "template.yaml").touch()
    (tmp_path / "frontend").mkdir()
    (tmp_path / "frontend" / "index.html").touch()
    (tmp_path / "docs").mkdir()
    for name in DOCUMENTS.values():
        (tmp_path / name).touch()
    command = ["make", "-C", str(publisher), "site", f"ARTIFACTS_DIR={tmp_path / 'made'}"]
    (tmp_path / "made").mkdir()
    assert subprocess.run(command, capture_output=True).returncode == 0
    packed = {path.name for path in (tmp_path / "made" / "site" / "documents").iterdir()}
    assert packed == set(DOCUMENTS)  # what the local stack serves
    (tmp_path / "frontend" / "link").symlink_to("/etc/hostname")
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "frontend/link" in refused.stderr
