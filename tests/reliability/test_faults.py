"""Every fault of the runtime, met by the real handler with real boto3: the right problem, in time,
and nothing of it is left afterwards."""

from __future__ import annotations

import gc
import json
import os
import resource
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest import mock

import pytest

import app
import endpoint
from endpoint import load_endpoint
from model_training.paths import MODELS
from settings import load_settings
from tests.invocations import make_context, make_event
from tests.reliability.faulty_runtime import FAULTS, SECONDS, FaultyRuntime, Outcome, faulty_runtime

MILLISECONDS = round((SECONDS["handler"] + app.ANSWER_SECONDS) * 1000)

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",  # pragma: allowlist secret
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "ENDPOINT_NAME": "reeltone",
    "MODEL_NAME": "classic",
    "VOCABULARIES_DIR": str(MODELS),
}


def set_up(url: str) -> None:
    """Make ``app`` ask the runtime at ``url``, and hurry."""
    os.environ.update(ENVIRONMENT, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=url)
    load_settings.cache_clear()
    with (
        mock.patch.object(endpoint, "CONNECT_SECONDS", SECONDS["connect"]),
        mock.patch.object(endpoint, "READ_SECONDS", SECONDS["read"]),
    ):
        connected = endpoint.connect("reeltone", load_settings().vocabulary)
    setattr(app, "load_endpoint", lambda: connected)  # noqa: B010


def ask() -> Outcome:
    """Send one review through the handler."""
    event = make_event("POST", "/api/sentiment", body='{"review": "A great film."}')
    event["headers"]["content-type"] = "application/json"
    started = perf_counter()
    response: dict[str, Any] = app.handler(event, make_context(MILLISECONDS))
    seconds = perf_counter() - started
    problem = json.loads(response["body"]).get("type", "").removeprefix("/problems/")
    headers = {name.lower(): value for name, value in response["headers"].items()}
    return Outcome(response["statusCode"], problem, headers.get("retry-after"), seconds)


IN_TIME = SECONDS["handler"] + 1
"""Seconds; a machine that does other things besides is forgiven some."""


@pytest.fixture(scope="module")
def runtime() -> Iterator[FaultyRuntime]:
    with faulty_runtime() as running:
        yield running


@pytest.fixture(autouse=True)
def before(runtime: FaultyRuntime, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(app, "load_endpoint", load_endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "")
    runtime.fault = "none"
    set_up(runtime.url)
    yield
    load_settings.cache_clear()


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "none"])
def test_a_fault_is_the_right_problem_in_time_and_the_next_request_succeeds(
    runtime: FaultyRuntime, name: str
) -> None:
    assert ask().status == 200  # so that the fault meets a connection that is open already
    own = _open_sockets_to(runtime)
    runtime.fault = name
    seen, fault = ask(), FAULTS[name]
    assert (seen.status, seen.problem) == (fault.status, fault.problem)
    assert (seen.retry_after is not None) == (seen.status == 503)
    assert seen.seconds < IN_TIME
    runtime.fault = "none"
    assert ask().status == 200
    gc.collect()
    assert _open_sockets_to(runtime) <= own
    assert threading.active_count() < 50  # the runtime's own, of connections that end by and by


def test_a_port_where_nobody_listens_is_an_unreachable_model(runtime: FaultyRuntime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    set_up(url)
    seen = ask()
    assert (seen.status, seen.problem, seen.retry_after) == (503, "model-unreachable", "5")
    assert seen.seconds < IN_TIME


def test_a_body_of_a_gigabyte_is_cut_off(runtime: FaultyRuntime) -> None:
    assert ask().status == 200
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    runtime.fault = "huge-body"
    assert ask().seconds < IN_TIME
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30 * 1024  # kB


def _open_sockets_to(runtime: FaultyRuntime) -> int:
    """How many connected sockets of this process have the runtime's port at their other end."""
    port = f":{int(runtime.url.rpartition(':')[2]):04X}"
    inodes = {
        fields[9]
        for fields in map(str.split, Path("/proc/self/net/tcp").read_text().splitlines()[1:])
        if fields[2].endswith(port)
    }
    folder = Path("/proc/self/fd")
    links = []
    for number in os.listdir(folder):
        try:
            links.append(os.readlink(folder / number))
        except FileNotFoundError:
            continue
    return sum(f"socket:[{inode}]" in links for inode in inodes)
