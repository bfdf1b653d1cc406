"""Every fault of the endpoint as an HTTP client sees it, through gateway and function process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.reliability.expectations import SECONDS_BETWEEN_PROCESSES
from tests.reliability.faulty_runtime import FAULTS, FaultyRuntime, faulty_runtime
from tests.reliability.whole_stack import whole_stack

IN_TIME = SECONDS_BETWEEN_PROCESSES["handler"] + 5
"""Seconds; between processes more can come in the way than inside one."""


@dataclass(frozen=True)
class Site:
    """The stack, as a client has it, and the endpoint behind it."""

    client: httpx.Client
    runtime: FaultyRuntime

    def ask(self) -> httpx.Response:
        return self.client.post("/api/sentiment", json={"review": "A great film."})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    log = tmp_path_factory.mktemp("stack") / "log"
    with (
        faulty_runtime() as runtime,
        whole_stack(runtime.url, log) as stack,
        httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client,
    ):
        yield Site(client, runtime)


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "none"])
def test_a_fault_is_the_right_problem_for_an_http_client_and_the_next_request_succeeds(
    site: Site, name: str
) -> None:
    site.runtime.fault = "none"
    assert site.ask().status_code == 200
    site.runtime.fault = name
    seen, fault = site.ask(), FAULTS[name]
    site.runtime.fault = "none"
    assert site.ask().status_code == 200
    problem = seen.json()
    assert seen.headers["content-type"] == "application/problem+json"
    assert (seen.status_code, problem["type"]) == (fault.status, f"/problems/{fault.problem}")
    assert problem["status"] == fault.status
    assert problem["requestId"] == seen.headers["apigw-requestid"]
    assert seen.headers.get("retry-after", "") == str(problem.get("retryAfter", ""))
    assert ("retry-after" in seen.headers) == (fault.status == 503)
    assert seen.elapsed.total_seconds() < IN_TIME
