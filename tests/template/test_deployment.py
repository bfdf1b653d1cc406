"""The stack's life in moto's account: created, updated with another model, deleted."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from local_stack.template import Template
from model_training.export.packing import pack_bundle
from model_training.paths import MODELS
from tests.template.changes import CODE
from tests.template.cloud import PACKAGES, REGION, ROOT, Cloud, taking_answers, transform_template


def pack(package: Path, name: str, **changes: Any) -> Path:
    """Pack a model as the build does, but without onnxruntime; ``changes`` of its manifest."""
    bundle = package.parent / "bundle" / name
    shutil.copytree(MODELS / name, bundle, dirs_exist_ok=True)
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    (bundle / "manifest.json").write_text(json.dumps(manifest | changes), "utf-8")
    shutil.rmtree(package / "models" / name, ignore_errors=True)
    return pack_bundle(bundle, package / "models" / name)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The publisher's package, as it comes from the build."""
    folder = tmp_path_factory.mktemp("built") / "package"
    shutil.copytree(ROOT / "functions" / "publisher", folder)
    shutil.copy(ROOT / "functions" / "sentiment" / "deadline.py", folder)
    shutil.copytree(ROOT / "frontend", folder / "site")
    for name in ("modern", "classic"):
        pack(folder, name)
    return folder


@pytest.fixture
def package(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "package")


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's account: not even SAM's transform works without a region."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture
def cloud(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.syspath_prepend(ROOT / "functions" / "publisher")
    with mock_aws(config={"lambda": {"use_docker": False}}):
        place = {"LocationConstraint": REGION}
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=PACKAGES, CreateBucketConfiguration=place)
        for key in ("sentiment-1", "sentiment-2", "publisher-1", "layer-1", "layer-2"):
            s3.put_object(Bucket=PACKAGES, Key=key, Body=make_zip(key))
        cloud = Cloud(package)
        with taking_answers(cloud.answers) as cloud.url:
            yield cloud


def make_zip(content: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as entries:
        entries.writestr("content", content)
    return archive.getvalue()


# pragma: allowlist nextline secret
SECRET = "origin-secret"
"""The key of what CloudFront and the function know."""


def keys(bucket: str) -> list[str]:
    entries = boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return [entry["Key"] for entry in entries if entry["Key"] != SECRET]


def served_archive(outputs: dict[str, str]) -> str:
    """The S3 URL of what the endpoint's model is made of, from the endpoint on."""
    sagemaker = boto3.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=outputs["Endpoint"])
    assert endpoint["EndpointStatus"] == "InService"
    name = endpoint["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    [variant] = config["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    url: str = model["PrimaryContainer"]["ModelDataUrl"]
    return url


def environment(outputs: dict[str, str]) -> dict[str, str]:
    """The function's, as Lambda has it."""
    function = boto3.client("lambda").get_function_configuration(FunctionName=outputs["Function"])
    variables: dict[str, str] = function["Environment"]["Variables"]
    return variables


def read_manifest(url: str) -> dict[str, Any]:
    """The manifest in an archive on S3."""
    bucket, key = url.removeprefix("s3://").split("/", 1)
    body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        member = archive.extractfile("manifest.json")
        assert member is not None
        manifest: dict[str, Any] = json.load(member)
    return manifest


# --- create ---------------------------------------------------------------------------------------


@pytest.mark.rehearses("a deployment", "ran", "in moto's account")
@pytest.mark.rehearses(
    "the publisher",
    "ran",
    "its package against moto's S3, as CloudFormation calls it",
)
def test_a_new_stack_has_website_model_and_an_endpoint_that_the_function_asks(cloud: Cloud) -> None:
    outputs = cloud.deploy(CODE)
    site = {p.relative_to(ROOT / "frontend").as_posix() for p in (ROOT / "frontend").rglob("*.*")}
    assert set(keys(outputs["SiteBucket"])) == site
    [archive] = keys(outputs["ModelBucket"])
    assert served_archive(outputs) == f"s3://{outputs['ModelBucket']}/{archive}"
    assert read_manifest(served_archive(outputs))["name"] == "modern"
    assert environment(outputs)["ENDPOINT_NAME"] == outputs["Endpoint"]
    assert environment(outputs)["MODEL_NAME"] == "modern"
    secret = boto3.client("s3").get_object(Bucket=outputs["ModelBucket"], Key=SECRET)["Body"]
    assert environment(outputs)["ORIGIN_SECRET"] == secret.read().decode()


def test_the_endpoints_name_tells_stack_mode_and_what_it_is_started_with(cloud: Cloud) -> None:
    outputs = cloud.deploy(CODE)
    version = cloud.answers[0]["Data"]["ServingVersion"]
    stack = cloud.answers[0]["StackId"].split("/")[2].split("-")[0]
    assert outputs["NameOfEndpoint"] == f"reeltone-{stack}-serverless-{version}"
    assert outputs["EndpointLogGroup"] == f"/aws/sagemaker/Endpoints/{outputs['NameOfEndpoint']}"
    assert len(outputs["NameOfEndpoint"]) <= 63


def test_the_aws_image_runs_our_serving_module_in_one_worker(cloud: Cloud) -> None:
    outputs = cloud.deploy(CODE)
    model = boto3.client("sagemaker").describe_model(ModelName=outputs["Model"])
    image = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
    assert model["PrimaryContainer"]["Image"] == image
    assert model["PrimaryContainer"]["Environment"] == {
        "SAGEMAKER_SERVING_MODULE": "model_training.serving.aws_image:main",
        "PYTHONPATH": "/opt/ml/model/code:/opt/ml/model/code/lib",
        "ORT_DISABLE_TELEMETRY": "1",
        "SAGEMAKER_USE_NGINX": "false",
        "SAGEMAKER_BASE_DIR": "/tmp",
        "HOME": "/tmp",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
    }


def test_another_image_is_served_from_and_may_be_pulled(cloud: Cloud) -> None:
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/film/reeltone@sha256:" + "0" * 64
    outputs = cloud.deploy(CODE, ServingImage=image)
    model = boto3.client("sagemaker").describe_model(ModelName=outputs["Model"])
    assert model["PrimaryContainer"]["Image"] == image
    assert not model["PrimaryContainer"].get("Environment")
    role = model["ExecutionRoleArn"].split("/")[-1]
    policy = boto3.client("iam").get_role_policy(RoleName=role, PolicyName="PullImage")
    # moto gives the document as Python's text for it, which is YAML as well.
    pull = yaml.safe_load(str(policy["PolicyDocument"]))["Statement"][0]
    assert pull["Resource"] == "arn:aws:ecr:eu-west-1:123456789012:repository/film/reeltone"


def test_instances_serve_where_a_parameter_says_so(cloud: Cloud) -> None:
    outputs = cloud.deploy(CODE, ServingMode="instances", InstanceType="ml.m5.large")
    assert "-instances-" in outputs["NameOfEndpoint"]
    endpoint = boto3.client("sagemaker").describe_endpoint(EndpointName=outputs["Endpoint"])
    [variant] = endpoint["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 1
    assert "CurrentServerlessConfig" not in variant


# --- update ---------------------------------------------------------------------------------------


def test_deploying_the_same_changes_nothing(cloud: Cloud) -> None:
    assert cloud.deploy(CODE) == cloud.deploy(CODE)


@pytest.mark.rehearses("an update", "ran", "in moto's account, with another model")
def test_a_new_model_is_a_new_endpoint_and_the_former_archive_stays(cloud: Cloud) -> None:
    before = cloud.deploy(CODE)
    former = served_archive(before)
    pack(cloud.package, "modern", temperature=2.0)
    after = cloud.deploy(CODE | {"VocabularyLayer": "layer-2"})
    assert after["Endpoint"] != before["Endpoint"]
    assert after["NameOfEndpoint"] != before["NameOfEndpoint"]
    assert after["Version"] != before["Version"]
    assert environment(after)["ENDPOINT_NAME"] == after["Endpoint"]
    assert read_manifest(served_archive(after))["temperature"] == 2.0
    # A rollback needs it.
    assert Path(former).name in {Path(key).name for key in keys(after["ModelBucket"])}


@pytest.mark.rehearses("going back", "ran", "in moto's account, with the former package")
def test_the_former_model_comes_back_with_the_former_package(cloud: Cloud) -> None:
    before = cloud.deploy(CODE)
    former = served_archive(before)
    pack(cloud.package, "modern", temperature=2.0)
    assert served_archive(cloud.deploy(CODE)) != former
    pack(cloud.package, "modern")
    after = cloud.deploy(CODE)
    assert served_archive(after) == former
    assert after["NameOfEndpoint"] == before["NameOfEndpoint"]


def test_the_classic_model_takes_over_by_parameters_alone(cloud: Cloud) -> None:
    before = cloud.deploy(CODE)
    after = cloud.deploy(CODE, ModelName="classic")
    manifest = read_manifest(served_archive(after))
    assert manifest["name"] == environment(after)["MODEL_NAME"] == "classic"
    assert environment(after)["ENDPOINT_NAME"] == after["Endpoint"] != before["Endpoint"]
    # Without it, the alias would go on to the version that asks for modern.
    assert after["Version"] != before["Version"]
    # The layer has that model's vocabulary, by the same name.
    shipped = json.loads((MODELS / "classic" / "manifest.json").read_text("utf-8"))
    assert manifest["vocabulary"] == shipped["vocabulary"]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        (
            {"ServingImage": "210987654321.dkr.ecr.eu-west-1.amazonaws.com/reeltone:1"},
            "its own account only",
        ),
        ({"MinInstances": "3", "MaxInstances": "2"}, "is more than MaxInstances"),
    ],
)
def test_an_endpoint_that_could_not_start_is_refused_before_it_is_waited_for(
    cloud: Cloud, parameters: dict[str, str], reason: str
) -> None:
    with pytest.raises(AssertionError, match=reason):
        cloud.deploy(CODE, **parameters)
    assert boto3.client("sagemaker").list_endpoints()["Endpoints"] == []


@pytest.mark.rehearses("template.yaml's transform", "ran", "SAM's own translator")
def test_a_changed_package_of_the_publisher_makes_it_run() -> None:
    def release(code: dict[str, str]) -> Any:
        resources = transform_template(code, {})["Resources"]
        reference = resources["Publication"]["Properties"]["Release"]["Ref"]
        assert resources[reference]["Type"] == "AWS::Lambda::Version"
        return reference

    assert release(CODE) == release(CODE)
    assert release(CODE | {"PublisherFunction": "publisher-2"}) != release(CODE)


# --- the transformed template ---------------------------------------------------------------------


def test_no_role_is_made_by_sam() -> None:
    resources = transform_template(CODE, {})["Resources"]
    roles = {name for name, r in resources.items() if r["Type"] == "AWS::IAM::Role"}
    ours = {"SentimentFunctionRole", "PublisherFunctionRole", "ModelRole", "RolloutRole"}
    assert roles == {*ours, "JobsRole", "UploadsFunctionRole"}
    assert "ManagedPolicyArns" not in json.dumps(resources)


def test_the_api_calls_the_live_version() -> None:
    resources = transform_template(CODE, {})["Resources"]
    routes = resources["SentimentApi"]["Properties"]["Body"]["paths"]
    for methods in routes.values():
        for method in methods.values():
            uri = json.dumps(method["x-amazon-apigateway-integration"]["uri"])
            assert "SentimentFunctionAliaslive" in uri


def test_no_other_site_may_ask_the_api_unless_it_is_named() -> None:
    origins = {"AllowedOrigins": "https://example.com,http://localhost:5000"}
    body = transform_template(CODE, origins)["Resources"]["SentimentApi"]["Properties"]["Body"]
    condition, named, nobody = body["x-amazon-apigateway-cors"]["Fn::If"]
    assert not Template(ROOT / "template.yaml").holds(condition)
    assert nobody == {"Ref": "AWS::NoValue"}
    assert Template(ROOT / "template.yaml", origins).holds(condition)
    assert named["allowOrigins"] == {"Fn::Split": [",", origins["AllowedOrigins"]]}
    assert (named["allowMethods"], named["allowHeaders"]) == (["GET", "POST"], ["content-type"])
    assert "allowCredentials" not in named


# --- delete ---------------------------------------------------------------------------------------


@pytest.mark.rehearses("a deletion", "ran", "in moto's account")
@pytest.mark.rehearses("Custom::Publication", "ran", "by the publisher's own handler")
def test_a_deleted_stack_leaves_nothing_behind(
    cloud: Cloud, record_property: Callable[[str, object], None]
) -> None:
    cloud.deploy(CODE)
    pack(cloud.package, "modern", temperature=2.0)
    cloud.deploy(CODE)
    cloud.delete()
    buckets = boto3.client("s3").list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in buckets] == [PACKAGES]
    sagemaker = boto3.client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert sagemaker.list_models()["Models"] == []
    assert boto3.client("lambda").list_functions()["Functions"] == []
    assert boto3.client("iam").list_roles()["Roles"] == []
    assert boto3.client("logs").describe_log_groups()["logGroups"] == []
    for kind in sorted({resource["Type"] for resource in cloud.resources.values()}):
        record_property("rehearses", (kind, "ran", "made, updated and deleted in moto's account"))
