"""Images and containers under the machine's own Docker engine.

Built for real, on images that stand in for the public ones where those cannot be pulled: the Lambda
base image, which has Python 3.13 and may lack pip, and one made of it with pip and the wheels. Run
without a network, without capabilities, on a read-only file system.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checks.pins import LOCKS
from tests.needs import need

ROOT = Path(__file__).resolve().parents[3]
BASE_IMAGE = "public.ecr.aws/lambda/python:3.13"
IN_IMAGES = tuple(LOCKS[name] for name in ("image", "layer", "run"))
"""What the Dockerfiles install."""
ENDPOINT_MEGABYTES, APPLICATION_MEGABYTES = 140, 190
"""Most of each image, beyond its base."""
MAX_START_SECONDS = 60
"""SageMaker gives a container three minutes until it answers its first ping."""
JSON = "application/json"

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

    def ask(self, *requests: tuple[str, str, str, str], **environment: str) -> list[Answer]:
        """Send (method, path, body, content type), one after the other."""
        asked = json.dumps(requests)
        answers = json.loads(self.execute("python3", "-c", CLIENT, stdin=asked, **environment))
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

    def wait_for(self, holds: Callable[[], bool], seconds: float = MAX_START_SECONDS) -> None:
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


def beyond_base(image: str) -> float:
    """Megabytes of an image without those of its base."""
    size, base = (inspect(name, ".Size") / 1e6 for name in (image, BASE_IMAGE))
    return float(size - base)


def has(*command: str) -> bool:
    try:
        return subprocess.run(["docker", *command], capture_output=True, timeout=30).returncode == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


def download_wheels(folder: Path) -> bool:
    """The wheels that the Dockerfiles install, and pip's own, for Python 3.13 on Linux."""
    tags = [f"manylinux{tag}_{platform.machine()}" for tag in ("_2_28", "_2_27", "2014")]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder)]
    command += ["--only-binary=:all:", "--python-version=3.13", "--implementation=cp"]
    command += [word for tag in tags for word in ("--platform", tag)]
    locks = [word for lock in IN_IMAGES for word in ("--requirement", str(lock))]
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
def built(dockerfile: str, build_image: str, *options: str) -> Iterator[str]:
    """The image of that Dockerfile, built without a network; removed afterwards."""
    name = f"reeltone-test-{uuid.uuid4().hex[:8]}"
    command = ["build", "--quiet", "--network", "none", "--file", str(ROOT / dockerfile)]
    command += ["--build-arg", f"BUILD_IMAGE={build_image}"]
    command += ["--build-arg", f"BASE_IMAGE={BASE_IMAGE}", *options, "--tag", name, str(ROOT)]
    docker(*command)
    try:
        yield name
    finally:
        docker("image", "rm", name)


@contextmanager
def running(image: str, *options: str, command: tuple[str, ...] = ()) -> Iterator[Container]:
    """A container of the image, with as little as it can have."""
    container = Container(f"reeltone-test-{uuid.uuid4().hex[:8]}")
    start = ["run", "--detach", "--name", container.name, "--network=none", "--read-only"]
    start += ["--cap-drop=ALL", "--security-opt=no-new-privileges", "--health-interval=1s"]
    docker(*start, *options, image, *command)
    try:
        yield container
    finally:
        docker("rm", "--force", container.name)
