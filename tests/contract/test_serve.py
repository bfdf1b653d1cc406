"""The container's own program, as SageMaker would run it: real process, real HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from model_training.serving.functions import input_fn, output_fn, predict_fn
from model_training.serving.scorer import Model
from model_training.serving.server import MAX_BODY_BYTES


@dataclass(frozen=True)
class Server:
    client: httpx.Client
    process: subprocess.Popen[bytes]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def start(bundle: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "model_training.serving.server", "serve"]
    environment = os.environ | {"SM_MODEL_DIR": str(bundle), "SAGEMAKER_BIND_TO_PORT": str(port)}
    return subprocess.Popen(
        [*command, "--host", "127.0.0.1"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def wait_until_healthy(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stdout and process.stdout.read().decode()
        try:
            if client.get("/ping").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("no healthy ping within 60 s")


@pytest.fixture(scope="module")
def server(bundle: Path) -> Iterator[Server]:
    port = free_port()
    process = start(bundle, port)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until_healthy(client, process)
            yield Server(client, process)
    finally:
        process.kill()
        process.communicate()


def request_body(model: Model, reviews: list[str]) -> str:
    ids = [model.vocabulary.encode(review).ids for review in reviews]
    return json.dumps(model.vocabulary.make_request(ids))


def post(server: Server, body: str | bytes, content_type: str) -> httpx.Response:
    return server.client.post("/invocations", content=body, headers={"content-type": content_type})


def test_a_ping_names_the_model(server: Server, model: Model) -> None:
    assert server.client.get("/ping").json() == {"model": model.version}


@pytest.mark.parametrize("content_type", ["application/json", "application/jsonlines"])
def test_the_server_answers_what_the_four_functions_answer(
    server: Server, model: Model, content_type: str
) -> None:
    body = request_body(model, ["A wonderful film.", "Not good."])
    if content_type == "application/jsonlines":
        body = '{"id": 1, "review": "A wonderful film."}\n'
    response = post(server, body, content_type)
    expected = output_fn(predict_fn(input_fn(body, content_type), model), "*/*")
    assert response.headers["content-type"].startswith(content_type)
    assert (response.status_code, response.text) == (200, expected[0])


def test_refusals_keep_their_status(server: Server) -> None:
    assert post(server, "{", "application/json").status_code == 400
    assert post(server, "{}", "text/csv").status_code == 415
    wrong = json.dumps({"vocabulary": "x", "windows": [], "lengths": []})
    response = post(server, wrong, "application/json")
    assert (response.status_code, response.json()["error"]) == (409, "vocabulary_mismatch")


def test_a_body_that_is_too_large_is_refused_without_being_kept(server: Server) -> None:
    response = post(server, b" " * (MAX_BODY_BYTES + 1), "application/json")
    assert (response.status_code, response.json()["error"]) == (413, "too_large")


def test_other_paths_and_methods_are_not_there(server: Server) -> None:
    assert server.client.get("/").status_code == 404
    assert server.client.get("/invocations").status_code == 405


def test_many_at_once_get_their_own_answers(server: Server, model: Model) -> None:
    reviews = [f"A film of {number} wonderful minutes. " * (number % 9 + 1) for number in range(40)]
    bodies = [request_body(model, [review]) for review in reviews]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda body: post(server, body, "application/json").text, bodies))
    for body, answer in zip(bodies, answers, strict=True):
        assert answer == output_fn(predict_fn(input_fn(body, "application/json"), model), "")[0]


def test_sigterm_ends_the_server_cleanly(bundle: Path) -> None:
    port = free_port()
    process = start(bundle, port)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        wait_until_healthy(client, process)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=10)
    assert process.returncode in (0, -signal.SIGTERM)
    assert b"Traceback" not in output


def test_a_folder_without_a_model_ends_the_server_with_the_reason(tmp_path: Path) -> None:
    process = start(tmp_path, free_port())
    output, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert b"is not a complete bundle" in output
