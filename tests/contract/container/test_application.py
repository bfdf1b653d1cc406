"""The image of local_stack/Dockerfile: website, API and model in one container."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from checks.pins import LOCKS, normalise, read_lock
from tests.contract.container.conftest import (
    APPLICATION_MEGABYTES,
    JSON,
    Container,
    beyond_base,
    built,
    running,
)

pytestmark = pytest.mark.rehearses(
    "the one image for other places than AWS",
    "ran",
    "built and run by Docker, read-only",
)
DOCKERFILE = "local_stack/Dockerfile"
REVIEW = "A lovely zyzzogeton of a film."
MAX_SECONDS = 10
"""From SIGTERM to SIGKILL, on Cloud Run and by Docker's default."""
# Runs in the container: half a request, SIGTERM for the application, the other half, the answer.
LAST_REQUEST = """
import os, signal, socket, sys, time
body = sys.stdin.buffer.read()
with socket.create_connection(("127.0.0.1", int(os.environ["PORT"]))) as connection:
    head = "POST /api/sentiment HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\n"
    head += f"Content-Length: {len(body)}\\r\\n\\r\\n"
    connection.sendall(head.encode() + body[:5])
    time.sleep(0.2)
    os.kill(1, signal.SIGTERM)
    time.sleep(0.5)
    connection.sendall(body[5:])
    print(connection.recv(99).split(b"\\r\\n")[0].decode(), flush=True)
"""


@pytest.fixture(scope="module")
def application(build_image: str) -> Iterator[str]:
    with (
        built(DOCKERFILE, build_image, "--target", "build"),
        built(DOCKERFILE, build_image) as name,
    ):
        yield name


@pytest.fixture(scope="module")
def container(application: str) -> Iterator[Container]:
    with running(application, "--env=PORT=9000") as container:
        container.wait_for(container.is_healthy)
        yield container


def ask(container: Container, *requests: tuple[str, str, str, str]) -> list[str]:
    """Bodies of answers, all with status 200."""
    answers = container.ask(*requests, SAGEMAKER_BIND_TO_PORT="9000")
    assert {answer.status for answer in answers} == {200}
    return [answer.text for answer in answers]


def test_site_api_and_model_answer_at_the_port_that_is_asked_for(container: Container) -> None:
    body = json.dumps({"review": REVIEW})
    page, licence, health, answer = ask(
        container,
        ("GET", "/", "", ""),
        ("GET", "/documents/licence.txt", "", ""),
        ("GET", "/api/health", "", ""),
        ("POST", "/api/sentiment", body, JSON),
    )
    assert page.startswith("<!doctype html>")
    assert licence.startswith("MIT License")
    assert json.loads(answer)["model"] == json.loads(health)["model"]
    assert json.loads(answer)["verdict"]


def test_the_log_has_the_request_and_no_word_of_it(container: Container) -> None:
    ask(container, ("POST", "/api/sentiment", json.dumps({"review": REVIEW}), JSON))
    assert '"route":"POST /api/sentiment"' in container.log()
    assert "zyzzogeton" not in container.log()


def test_every_process_runs_as_nobody(container: Container) -> None:
    code = (
        "import os; print({os.stat(f'/proc/{process}').st_uid "
        "for process in os.listdir('/proc') if process.isdigit()})"
    )
    assert container.execute("python3", "-c", code).strip() == "{65532}"


def test_sigterm_lets_a_request_under_way_finish(application: str) -> None:
    with running(application) as container:
        container.wait_for(container.is_healthy)
        answer = container.execute(
            "python3", "-c", LAST_REQUEST, stdin=json.dumps({"review": REVIEW})
        )
        assert answer.strip() == "HTTP/1.1 200 OK"
        container.wait_for(lambda: not container.inspect(".State.Running"), MAX_SECONDS)
        assert container.inspect(".State.ExitCode") == 0
        assert "rror" not in container.log()


def test_the_image_is_not_larger_than_the_guide_says(application: str) -> None:
    assert beyond_base(application) <= APPLICATION_MEGABYTES


def test_the_image_has_the_packages_of_its_lock(container: Container) -> None:
    program = (
        "from importlib.metadata import distributions as d; "
        "print(*(f'{p.name}=={p.version}' for p in d()))"
    )
    words = container.execute("/opt/reeltone/bin/python3", "-c", program).split()
    found = {(normalise(name), version) for name, _, version in (w.partition("==") for w in words)}
    windows_alone = {"colorama"}
    assert found == {pin for pin in read_lock(LOCKS["run"]) if pin[0] not in windows_alone}
