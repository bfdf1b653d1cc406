"""The image of model_training/serving/Dockerfile under SageMaker's container contract.

Built for real, on images that stand in for the public ones where those cannot be pulled: the Lambda
base image, which has Python 3.13 and may lack pip, and one made of it with pip and the wheels. Run
without a network, without capabilities, on a read-only file system.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checks.pins import SHIPPED, normalise, read_lock
from model_training.export.packing import pack_bundle
from model_training.serving.functions import MAX_REVIEWS, input_fn, output_fn, predict_fn
from model_training.serving.scorer import Model
from model_training.serving.server import MAX_BODY_BYTES
from tests.needs import need

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = str(ROOT / "model_training/serving/Dockerfile")
BASE_IMAGE = "public.ecr.aws/lambda/python:3.13"
LOCKS = (SHIPPED["image"], SHIPPED["layer"])
MOST_MEGABYTES = 140
"""Of the image beyond its base."""
MOST_START_SECONDS = 60
"""SageMaker gives a container three minutes until it answers its first ping."""
STOP_SECONDS = 10
JSON, JSON_LINES = "application/json", "application/jsonlines"
REVIEWS = [
    "Great.",
    "Not bad at all: a warm, clever film with a perfect ending.",
    "The worst two hours of my life &amp; a waste of <b>talent</b>.",
    "Café naïve, 日本語, עברית, a great film 🎬 indeed.",
    "A boring plot, wooden acting, terrible music. " * 80,
]

# Runs in the container, which has no network: asks what stdin lists, prints the answers. 127.0.0.2
# is answered only by a server that listens on all addresses, as SageMaker needs it.
CLIENT = """
import json, os, sys
from http.client import HTTPConnection
port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
answers = []
for method, path, body, content_type in json.load(sys.stdin):
    server = HTTPConnection("127.0.0.2", port, timeout=30)
    server.request(method, path, body.encode(), {"Content-Type": content_type})
    answer = server.getresponse()
    answers.append([answer.status, answer.headers["Content-Type"], answer.read().decode()])
json.dump(answers, sys.stdout)
"""


@dataclass(frozen=True)
class Answer:
    """What the container said to one request."""

    status: int
    content_type: str
    text: str


@dataclass(frozen=True)
class Container:
    """A container that runs, or has run."""

    name: str

    def execute(self, *command: str, stdin: str = "", **environment: str) -> str:
        """Run a command in it, as its own user; what the command printed."""
        names = [f"--env={name}={value}" for name, value in environment.items()]
        return docker("exec", "--interactive", *names, self.name, *command, stdin=stdin)

    def ask(self, *requests: tuple[str, str, str, str]) -> list[Answer]:
        """Send (method, path, body, content type), one after the other."""
        answers = json.loads(self.execute("python3", "-c", CLIENT, stdin=json.dumps(requests)))
        return [Answer(*answer) for answer in answers]

    def invoke(self, body: str, content_type: str = JSON) -> Answer:
        return self.ask(("POST", "/invocations", body, content_type))[0]

    def inspect(self, path: str) -> Any:
        return inspect(self.name, path)

    def log(self) -> str:
        done = subprocess.run(
            ["docker", "logs", self.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        return done.stdout

    def wait_for(self, holds: Callable[[], bool], seconds: float = MOST_START_SECONDS) -> None:
        """Wait until it holds; fail with the container's log when it does not."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                pytest.fail(f"not within {seconds} s; the container says:\n{self.log()}")
            time.sleep(0.1)

    def is_healthy(self) -> bool:
        return bool(self.inspect(".State.Health.Status") == "healthy")


def docker(*command: str, stdin: str | None = None) -> str:
    """Run docker; what it printed. Fails with what it complained about."""
    done = subprocess.run(["docker", *command], input=stdin, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"docker {' '.join(command)[:200]}: {done.stdout}{done.stderr}"[-4000:])
    return done.stdout


def inspect(name: str, path: str) -> Any:
    return json.loads(docker("inspect", "--format", f"{{{{json {path}}}}}", name))


def has(*command: str) -> bool:
    try:
        return subprocess.run(["docker", *command], capture_output=True, timeout=30).returncode == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


def download_wheels(folder: Path) -> bool:
    """The wheels that the Dockerfile installs, and pip's own, for Python 3.13 on Linux."""
    tags = [f"manylinux{tag}_{platform.machine()}" for tag in ("_2_28", "_2_27", "2014")]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder)]
    command += ["--only-binary=:all:", "--python-version=3.13", "--implementation=cp"]
    command += [word for tag in tags for word in ("--platform", tag)]
    locks = [word for lock in LOCKS for word in ("--requirement", str(lock))]
    every = [[*command, "--no-deps", "--require-hashes", *locks], [*command, "pip"]]
    return all(subprocess.run(one, timeout=240).returncode == 0 for one in every)


@pytest.fixture(scope="session")
def build_image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with pip that finds the wheels in itself."""
    need(has("info"), "there is no Docker engine")
    need(has("image", "inspect", BASE_IMAGE), f"the image {BASE_IMAGE} is not here")
    context = tmp_path_factory.mktemp("build-image")
    need(download_wheels(context / "wheels"), "pip cannot download the image's wheels")
    pip = next((context / "wheels").glob("pip-*.whl")).name
    (context / "Dockerfile").write_text(
        f"FROM {BASE_IMAGE}\nCOPY wheels /wheels\n"
        f"ENV PYTHONPATH=/wheels/{pip} PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels\n"
    )
    name = f"reeltone-test-build-{uuid.uuid4().hex[:8]}"
    docker("build", "--quiet", "--tag", name, str(context))
    yield name
    docker("image", "rm", name)


@contextmanager
def built(build_image: str, *options: str) -> Iterator[str]:
    """The image, built by the Dockerfile without a network; removed afterwards."""
    name = f"reeltone-test-{uuid.uuid4().hex[:8]}"
    command = ["build", "--quiet", "--network", "none", "--file", DOCKERFILE]
    command += ["--build-arg", f"BUILD_IMAGE={build_image}"]
    command += ["--build-arg", f"BASE_IMAGE={BASE_IMAGE}", *options, "--tag", name, str(ROOT)]
    docker(*command)
    try:
        yield name
    finally:
        docker("image", "rm", name)


@pytest.fixture(scope="session")
def image(build_image: str) -> Iterator[str]:
    # The stage by its own name, so that it can be removed too.
    with built(build_image, "--target", "build"), built(build_image) as name:
        yield name


@contextmanager
def running(image: str, *options: str) -> Iterator[Container]:
    """A container of the image, started as SageMaker starts it, with as little as it can have."""
    container = Container(f"reeltone-test-{uuid.uuid4().hex[:8]}")
    command = ["run", "--detach", "--name", container.name, "--network=none", "--read-only"]
    command += ["--cap-drop=ALL", "--security-opt=no-new-privileges", "--health-interval=1s"]
    docker(*command, *options, image, "serve")
    try:
        yield container
    finally:
        docker("rm", "--force", container.name)


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
    with running(image, mount(model_folder)) as container:
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


def test_what_cannot_be_scored_is_refused_by_status_and_code(
    container: Container, model: Model
) -> None:
    refused = {
        "{": (400, "invalid_request"),
        json.dumps({"vocabulary": "x", "windows": [], "lengths": []}): (409, "vocabulary_mismatch"),
        request_body(model, ["Great."] * (MAX_REVIEWS + 1)): (413, "too_large"),
        " " * (MAX_BODY_BYTES + 1): (413, "too_large"),
    }
    answers = container.ask(*(("POST", "/invocations", body, JSON) for body in refused))
    codes = [(answer.status, json.loads(answer.text)["error"]) for answer in answers]
    assert codes == list(refused.values())
    answer = container.invoke("a,b", "text/csv")
    assert (answer.status, json.loads(answer.text)["error"]) == (415, "unsupported_media_type")


def test_other_paths_and_methods_are_not_there(container: Container) -> None:
    answers = container.ask(("GET", "/", "", ""), ("GET", "/invocations", "", ""))
    assert [answer.status for answer in answers] == [404, 405]


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
    with running(image, mount(model_folder), port) as container:
        container.wait_for(container.is_healthy)
        assert container.ask(("GET", "/ping", "", ""))[0].status == 200


def test_sigterm_ends_the_container_cleanly(image: str, model_folder: Path) -> None:
    started = time.monotonic()
    with running(image, mount(model_folder)) as container:
        container.wait_for(container.is_healthy)
        print(f"healthy {time.monotonic() - started:.1f} s after its start")
        stopped = time.monotonic()
        docker("stop", f"--time={STOP_SECONDS}", container.name)
        assert time.monotonic() - stopped < STOP_SECONDS
        assert container.inspect(".State.ExitCode") == 0
        assert container.log() == ""


def test_a_container_without_a_model_ends_with_the_reason(image: str) -> None:
    with running(image) as container:
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
    size, base = (inspect(name, ".Size") / 1e6 for name in (image, BASE_IMAGE))
    print(f"{size:.0f} MB, of which {base:.0f} MB are {BASE_IMAGE}")
    assert size - base <= MOST_MEGABYTES


def test_an_argument_of_the_build_chooses_the_user(build_image: str, image: str) -> None:
    with built(build_image, "--build-arg", "RUN_AS=0:0") as root_image:
        assert inspect(root_image, ".Config.User") == "0:0"
    assert inspect(image, ".Config.User") == "65532:65532"
