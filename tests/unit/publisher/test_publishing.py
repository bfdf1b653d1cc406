"""The package, and its publishing: create, update, roll back, delete, on moto's S3."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from buckets import connect
from faults import PackageError
from local_stack.gateway import DOCUMENTS
from package import find_model, hash_site, read_site
from tests.unit.publisher.conftest import (
    MODEL_BUCKET,
    NEW_MODELS,
    NEW_SITE,
    OLD_MODELS,
    OLD_SITE,
    ROOT,
    S3,
    SITE_BUCKET,
    CloudFormation,
    Pack,
)

OLD_MODEL = f"models/modern/model-{'0' * 16}.tar.gz"
NEW_MODEL = f"models/modern/model-{'1' * 16}.tar.gz"
CLASSIC = f"models/classic/model-{'c' * 16}.tar.gz"


def empty_completely(s3: S3) -> None:
    """S3 refuses to delete a bucket that holds anything."""
    for bucket in (SITE_BUCKET, MODEL_BUCKET):
        s3.client.delete_bucket(Bucket=bucket)


def test_create_publishes_the_site_and_the_chosen_model(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    package = pack(OLD_SITE, OLD_MODELS)
    attributes = cloudformation.request("Create")
    assert s3.contents(SITE_BUCKET) == OLD_SITE
    assert s3.contents(MODEL_BUCKET) == {OLD_MODEL: f"modern {'0' * 16}"}
    assert re.fullmatch("[0-9a-f]{16}", attributes.pop("ServingVersion"))
    assert re.fullmatch("[0-9a-f]{8}", attributes.pop("OriginVersion"))
    assert len(attributes.pop("OriginSecret")) >= 32
    assert attributes == {
        "ModelDataUrl": f"s3://{MODEL_BUCKET}/{OLD_MODEL}",
        "SiteVersion": hash_site(read_site(package)),
    }


def test_the_secret_is_made_once_for_each_stack_and_goes_with_it(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    first = cloudformation.request("Create")
    assert cloudformation.mailbox.taken[-1]["NoEcho"] is True
    assert first["OriginSecret"] not in str(cloudformation.log)
    pack(NEW_SITE, NEW_MODELS)
    after = cloudformation.request("Update")
    for name in ("OriginSecret", "OriginVersion"):
        assert after[name] == first[name]
    cloudformation.request("Delete")
    another = cloudformation.request("Create")
    for name in ("OriginSecret", "OriginVersion"):
        assert another[name] != first[name]
    cloudformation.request("Delete")
    empty_completely(s3)


@pytest.mark.parametrize(
    ("key", "content_type", "cache_control"),
    [
        ("index.html", "text/html; charset=utf-8", "no-cache"),
        ("style.css", "text/css; charset=utf-8", "public, max-age=60, must-revalidate"),
        ("js/main.js", "text/javascript; charset=utf-8", "public, max-age=60, must-revalidate"),
    ],
)
def test_browsers_are_told_what_a_file_is_and_how_long_to_keep_it(
    cloudformation: CloudFormation, s3: S3, key: str, content_type: str, cache_control: str
) -> None:
    cloudformation.request("Create")
    found = s3.client.head_object(Bucket=SITE_BUCKET, Key=key)
    assert (found["ContentType"], found["CacheControl"]) == (content_type, cache_control)


def test_update_brings_the_new_site_and_keeps_the_old_model_for_a_rollback(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    before = cloudformation.request("Create")
    pack(NEW_SITE, NEW_MODELS)
    after = cloudformation.request("Update", Release="2")
    assert s3.contents(SITE_BUCKET) == NEW_SITE
    assert set(s3.contents(MODEL_BUCKET)) == {OLD_MODEL, NEW_MODEL}
    assert after["ModelDataUrl"].endswith(NEW_MODEL)
    assert after["SiteVersion"] != before["SiteVersion"]


def test_rollback_is_an_update_with_the_older_package(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    before = cloudformation.request("Create")
    pack(NEW_SITE, NEW_MODELS)
    cloudformation.request("Update", Release="2")
    pack(OLD_SITE, OLD_MODELS)
    assert cloudformation.request("Update", Release="1") == before
    assert s3.contents(SITE_BUCKET) == OLD_SITE
    # Written once each, so an endpoint that was made of one never meets another under its name.
    assert sorted(s3.versions(MODEL_BUCKET)) == [OLD_MODEL, NEW_MODEL]


def test_another_model_is_a_matter_of_one_property(cloudformation: CloudFormation, s3: S3) -> None:
    before = cloudformation.request("Create")
    after = cloudformation.request("Update", ModelName="classic")
    assert after.pop("ServingVersion") != before.pop("ServingVersion")
    assert after == before | {"ModelDataUrl": f"s3://{MODEL_BUCKET}/{CLASSIC}"}
    assert set(s3.contents(MODEL_BUCKET)) == {OLD_MODEL, CLASSIC}


def test_what_serves_has_a_version_of_its_own(cloudformation: CloudFormation, s3: S3) -> None:
    small = {"Image": "image:1", "Environment": {"HOME": "/tmp", "A": "1"}, "Size": "2048"}
    first = cloudformation.request("Create", Serving=small)["ServingVersion"]
    turned = dict(reversed(small.items()))
    assert cloudformation.request("Update", Serving=turned)["ServingVersion"] == first
    for change in ({"Size": "3072"}, {"Image": "image:2"}, {"Environment": {"HOME": "/tmp"}}):
        other = cloudformation.request("Update", Serving=small | change)["ServingVersion"]
        assert other != first


def test_pages_come_after_what_they_name_and_before_the_deletion_of_what_they_named(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    cloudformation.request("Create")
    pack({"about.html": "", "a/index.html": ""} | NEW_SITE, NEW_MODELS)
    steps: list[str] = []

    def note(operation: str, params: dict[str, Any]) -> None:
        steps.append(params["url_path"].lstrip("/") if operation == "PutObject" else operation)

    s3.before = note
    cloudformation.request("Update")
    assert steps == [
        NEW_MODEL,
        *("origin-secret", "GetObject"),
        *("js/main.js", "js/page.js", "style.css"),
        *("a/index.html", "about.html", "index.html"),
        *("ListObjectsV2", "DeleteObjects"),
    ]


@pytest.mark.slow
def test_more_old_files_than_s3_lists_or_deletes_at_once_are_gone_after_an_update(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    for number in range(1001):
        s3.client.put_object(Bucket=SITE_BUCKET, Key=f"old/{number}.js", Body=b"")
    pack(NEW_SITE, NEW_MODELS)
    cloudformation.request("Update")
    assert s3.contents(SITE_BUCKET) == NEW_SITE
    assert s3.calls.count("DeleteObjects") == 2


def test_delete_leaves_two_buckets_that_can_be_deleted(
    cloudformation: CloudFormation, s3: S3, pack: Pack
) -> None:
    cloudformation.request("Create")
    pack(NEW_SITE, NEW_MODELS)
    cloudformation.request("Update")
    assert cloudformation.request("Delete") == {}
    empty_completely(s3)


def test_delete_empties_buckets_without_versions(cloudformation: CloudFormation, s3: S3) -> None:
    place = {"LocationConstraint": "eu-west-1"}
    names = {"SiteBucket": "plain-site", "ModelBucket": "plain-models"}
    for bucket in names.values():
        s3.client.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    cloudformation.request("Create", **names)
    cloudformation.request("Delete", **names)
    for bucket in names.values():
        s3.client.delete_bucket(Bucket=bucket)


@pytest.mark.slow
def test_delete_empties_a_bucket_of_over_a_thousand_versions_and_delete_markers(
    cloudformation: CloudFormation, s3: S3
) -> None:
    keys = [f"data/{number}.json" for number in range(400)]
    for key in (*keys, *keys):
        s3.client.put_object(Bucket=MODEL_BUCKET, Key=key, Body=b"")
    for key in keys:
        s3.client.delete_object(Bucket=MODEL_BUCKET, Key=key)
    sizes: list[int] = []

    def note(operation: str, params: dict[str, Any]) -> None:
        if operation == "DeleteObjects":
            sizes.append(params["body"].count(b"<Object>"))

    s3.before = note
    cloudformation.request("Delete")
    empty_completely(s3)
    assert sum(sizes) == 1200
    assert max(sizes) <= 1000


def test_delete_empties_a_bucket_of_odd_names(cloudformation: CloudFormation, s3: S3) -> None:
    for key in ("a b/ü", "<&>'\"", "100%+1", "folder/", "中", "a//b"):
        s3.client.put_object(Bucket=SITE_BUCKET, Key=key, Body=b"")
    cloudformation.request("Delete")
    empty_completely(s3)


@pytest.mark.parametrize("gone", [[SITE_BUCKET], [MODEL_BUCKET], [SITE_BUCKET, MODEL_BUCKET]])
def test_delete_does_not_mind_a_bucket_that_is_gone(
    cloudformation: CloudFormation, s3: S3, gone: list[str]
) -> None:
    cloudformation.request("Create")
    cloudformation.request("Delete")
    for bucket in gone:
        s3.client.delete_bucket(Bucket=bucket)
    cloudformation.request("Delete")
    warned = [line["bucket"] for line in cloudformation.log if line["level"] == "WARNING"]
    assert sorted(warned) == sorted(gone)


def test_the_functions_own_client_takes_its_place_and_rights_from_the_environment(
    cloudformation: CloudFormation, s3: S3, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(cloudformation.app, "connect", connect)
    pack(OLD_SITE, OLD_MODELS)
    cloudformation.request("Create")
    assert s3.contents(SITE_BUCKET) == OLD_SITE


def test_the_log_says_what_was_done(cloudformation: CloudFormation) -> None:
    attributes = cloudformation.request("Create")
    request, model, site, outcome = cloudformation.log
    assert (request["message"], request["request_type"]) == ("request", "Create")
    assert (model["key"], model["is_new"]) == (OLD_MODEL, True)
    assert (site["files"], site["gone"]) == (len(OLD_SITE), 0)
    assert site["version"] == attributes["SiteVersion"]
    assert (outcome["status"], outcome["reason"]) == ("SUCCESS", "")
    assert all(line["level"] == "INFO" and line["timestamp"] for line in cloudformation.log)


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
