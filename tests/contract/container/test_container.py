"""The image of model_training/serving/Dockerfile under SageMaker's container contract."""

from __future__ import annotations

import json
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from checks.pins import SHIPPED, normalise, read_lock
from model_training.export.packing import pack_bundle
from model_training.serving.functions import input_fn, output_fn, predict_fn
from model_training.serving.scorer import Model
from tests.contract.container.conftest import (
    ENDPOINT_MEGABYTES,
    JSON,
    Container,
    beyond_base,
    built,
    docker,
    inspect,
    running,
)

pytestmark = pytest.mark.rehearses(
    "the endpoint, the image of one's own",
    "ran",
    "built and run by Docker, read-only",
)
DOCKERFILE = "model_training/serving/Dockerfile"
LOCKS = (SHIPPED["image"], SHIPPED["layer"])
STOP_SECONDS = 10
JSON_LINES = "application/jsonlines"
REVIEWS = [
    "Great.",
    "Not bad at all: a warm, clever film with a perfect ending.",
    "The worst two hours of my life &amp; a waste of <b>talent</b>.",
    "Café naïve, 日本語, עברית, a great film 🎬 indeed.",
    "A boring plot, wooden acting, terrible music. " * 80,
]


@pytest.fixture(scope="session")
def image(build_image: str) -> Iterator[str]:
    # The stage by its own name, so that it can be removed too.
    with (
        built(DOCKERFILE, build_image, "--target", "build"),
        built(DOCKERFILE, build_image) as name,
    ):
        yield name


@contextmanager
def serving(image: str, *options: str) -> Iterator[Container]:
    """A container, started as SageMaker starts it."""
    with running(image, *options, command=("serve",)) as container:
        yield container


def mount(folder: Path) -> str:
    return f"--volume={folder}:/opt/ml/model:ro"


@pytest.fixture(scope="module")
def model_folder(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle's archive, unpacked as SageMaker does."""
    base = tmp_path_factory.mktemp("ml")
    with tarfile.open(pack_bundle(bundle, base)) as archive:
        archive.extractall(base / "model", filter="data")
    return base / "model"


@pytest.fixture(scope="module")
def container(image: str, model_folder: Path) -> Iterator[Container]:
    with serving(image, mount(model_folder)) as container:
        container.wait_for(container.is_healthy)
        yield container


def score_here(model: Model, body: str, content_type: str) -> str:
    """What the four functions answer in this process."""
    text, _ = output_fn(predict_fn(input_fn(body, content_type), model), "*/*")
    return str(text)


def request_body(model: Model, reviews: list[str], **fields: Any) -> str:
    ids = [model.vocabulary.encode(review).ids for review in reviews]
    return json.dumps(model.vocabulary.make_request(ids) | fields)


def test_a_ping_is_answered_with_the_models_version(container: Container, model: Model) -> None:
    (answer,) = container.ask(("GET", "/ping", "", ""))
    assert (answer.status, json.loads(answer.text)) == (200, {"model": model.version})


def test_json_is_answered_as_in_this_process(container: Container, model: Model) -> None:
    body = request_body(model, REVIEWS, contributions=True)
    answer = container.invoke(body)
    assert (answer.status, answer.content_type) == (200, JSON)
    assert answer.text == score_here(model, body, JSON)


def test_json_lines_are_answered_as_in_this_process(container: Container, model: Model) -> None:
    body = "\n".join(json.dumps({"id": id, "review": text}) for id, text in enumerate(REVIEWS))
    answer = container.invoke(body, JSON_LINES)
    assert (answer.status, answer.content_type) == (200, JSON_LINES)
    assert answer.text == score_here(model, body, JSON_LINES)
    assert '"error"' not in answer.text


def test_the_server_runs_as_nobody(container: Container) -> None:
    status = container.execute("python3", "-c", "print(open('/proc/1/status').read())")
    ids = [line.split()[1:] for line in status.splitlines() if line[:4] in ("Uid:", "Gid:")]
    assert ids == [["65532"] * 4] * 2


def test_the_health_check_fails_where_no_server_answers(container: Container) -> None:
    check = container.inspect(".Config.Healthcheck.Test")
    assert check[0] == "CMD"
    container.execute(*check[1:])
    with pytest.raises(RuntimeError, match="ConnectionRefusedError"):
        container.execute(*check[1:], SAGEMAKER_BIND_TO_PORT="9")


def test_the_port_is_the_one_that_sagemaker_asks_for(image: str, model_folder: Path) -> None:
    port = "--env=SAGEMAKER_BIND_TO_PORT=9000"
    label = "com.amazonaws.sagemaker.capabilities.accept-bind-to-port"
    assert inspect(image, ".Config.Labels") == {label: "true"}
    with serving(image, mount(model_folder), port) as container:
        container.wait_for(container.is_healthy)
        assert container.ask(("GET", "/ping", "", ""))[0].status == 200


def test_sigterm_ends_the_container_cleanly(image: str, model_folder: Path) -> None:
    started = time.monotonic()
    with serving(image, mount(model_folder)) as container:
        container.wait_for(container.is_healthy)
        print(f"healthy {time.monotonic() - started:.1f} s after its start")
        stopped = time.monotonic()
        docker("stop", f"--time={STOP_SECONDS}", container.name)
        assert time.monotonic() - stopped < STOP_SECONDS
        assert container.inspect(".State.ExitCode") == 0
        assert container.log() == ""


def test_a_container_without_a_model_ends_with_the_reason(image: str) -> None:
    with serving(image) as container:
        container.wait_for(lambda: not container.inspect(".State.Running"))
        assert container.inspect(".State.ExitCode") != 0
        assert not container.is_healthy()
        assert "/opt/ml/model is not a complete bundle" in container.log()


def test_the_image_has_the_program_and_no_model(container: Container) -> None:
    code = "import json, os, sys; print(json.dumps(sorted(os.listdir(sys.argv[1]))))"
    folders, modules = (
        json.loads(container.execute("python3", "-c", code, folder))
        for folder in (".", "model_training")
    )
    assert folders == ["lib", "model_training", "review_text"]
    assert modules == ["__init__.py", "__pycache__", "errors.py", "serving"]


def test_the_image_has_the_packages_of_its_locks(image: str) -> None:
    program = (
        "from importlib.metadata import distributions as d; "
        "print(*(f'{p.name}=={p.version}' for p in d(path=['/opt/reeltone/lib'])))"
    )
    listed = docker("run", "--rm", "--network=none", "--entrypoint=python3", image, "-c", program)
    pins = [word.partition("==") for word in listed.split()]
    found = {(normalise(name), version) for name, _, version in pins}
    assert found == {pin for lock in LOCKS for pin in read_lock(lock)}


def test_the_image_is_small(image: str) -> None:
    assert beyond_base(image) <= ENDPOINT_MEGABYTES


def test_an_argument_of_the_build_chooses_the_user(build_image: str, image: str) -> None:
    with built(DOCKERFILE, build_image, "--build-arg", "RUN_AS=0:0") as root_image:
        assert inspect(root_image, ".Config.User") == "0:0"
    assert inspect(image, ".Config.User") == "65532:65532"
