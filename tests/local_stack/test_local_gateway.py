"""What a browser meets: the website with its headers, the API with API Gateway's manners."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from starlette.responses import Response

from local_stack import StackError
from local_stack.functions import MAX_PAYLOAD, FunctionPool
from local_stack.gateway import MAX_BODY, AddressLimit, TokenBucket, create_gateway
from local_stack.template import FunctionDefinition, Route, Throttle

T = TypeVar("T")

HANDLERS = Path(__file__).parent / "handlers"
ROUTES = [Route("POST", "/api/greeting", "SampleFunction")]
NOBODY = FunctionDefinition("SampleFunction", "samples.none", (HANDLERS,), {}, 20, 128)
"""A function that is never called."""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<title>Films</title>", encoding="utf-8")
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "page.js").write_text("export {};", encoding="utf-8")
    return tmp_path


def browse(
    site: Path,
    use: Callable[[httpx.AsyncClient], Awaitable[T]],
    handler: str = "misbehave",
    timeout: float = 20,
) -> T:
    function = FunctionDefinition(
        "SampleFunction", f"samples.{handler}", (HANDLERS,), {}, timeout=20, memory=128
    )

    async def run() -> T:
        pool = FunctionPool(function, capacity=1)
        app = create_gateway(ROUTES, {"SampleFunction": pool}, site, timeout=timeout)
        transport = httpx.ASGITransport(app)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://film") as client:
                return await use(client)
        finally:
            await pool.close()

    return asyncio.run(run())


def get(site: Path, path: str) -> httpx.Response:
    return browse(site, lambda client: client.get(path))


def post(
    site: Path, body: bytes, handler: str = "misbehave", timeout: float = 20
) -> httpx.Response:
    headers = {"content-type": "text/plain"}
    return browse(
        site,
        lambda client: client.post("/api/greeting", content=body, headers=headers),
        handler,
        timeout,
    )


def test_the_root_is_the_index_page(site: Path) -> None:
    response = get(site, "/")
    assert response.status_code == 200
    assert response.text == "<title>Films</title>"
    assert response.headers["content-type"].startswith("text/html")


def test_a_script_has_a_scripts_type(site: Path) -> None:
    assert get(site, "/js/page.js").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["/", "/js/page.js", "/missing"])
def test_the_sites_responses_carry_the_security_headers(site: Path, path: str) -> None:
    headers = get(site, path).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]


@pytest.mark.parametrize("path", ["/missing", "/js/", "/../template.yaml", "/%2e%2e/secret"])
def test_only_the_sites_files_are_served(site: Path, path: str) -> None:
    (site.parent / "secret").write_text("x", encoding="utf-8")
    assert get(site, path).status_code == 404


def test_a_folder_without_a_website_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"index\.html is missing"):
        create_gateway([], {}, tmp_path)


def test_a_route_of_the_template_reaches_its_function(site: Path) -> None:
    response = post(site, b"world", handler="greet")
    assert response.text == "hello world"
    assert len(response.headers["apigw-requestid"]) == 36


def test_the_function_gets_a_payload_2_0_event(site: Path) -> None:
    event = post(site, b"\xc3\xbc", handler="echo_event").json()
    assert (event["version"], event["routeKey"]) == ("2.0", "POST /api/greeting")
    assert event["body"] == "ü"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/greeting"),
        ("POST", "/api/greeting/"),
        ("POST", "/api/other"),
        ("GET", "/api/"),
        ("POST", "/api/gree%09ting"),
        ("POST", "/api/greeting%0d"),
    ],
)
def test_any_other_route_is_the_gateways_own_404(site: Path, method: str, path: str) -> None:
    response = browse(site, lambda client: client.request(method, path))
    assert (response.status_code, response.json()) == (404, {"message": "Not Found"})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * (MAX_PAYLOAD - 10_000), 200),
        (b"x" * MAX_PAYLOAD, 413),
        # As JSON in JSON, each of these takes two bytes.
        (b'"' * (MAX_PAYLOAD // 2 - 10_000), 200),
        (b'"' * (MAX_PAYLOAD // 2), 413),
        # No text to the gateway, so it goes as Base64.
        (b"\xff" * (MAX_PAYLOAD * 3 // 4 - 10_000), 200),
        (b"\xff" * (MAX_PAYLOAD * 3 // 4), 413),
        (b"x" * (MAX_BODY + 1), 413),
    ],
    ids=lambda value: f"{len(value):,} of {value[:1]!r}" if isinstance(value, bytes) else None,
)
def test_a_body_is_taken_as_long_as_its_event_has_6_mb(
    site: Path, body: bytes, status: int
) -> None:
    answer = browse(site, lambda client: client.post("/api/greeting", content=body))
    assert answer.status_code == status
    assert status == 200 or answer.text == '{"message":"Request Entity Too Large"}'


@pytest.mark.parametrize("body", [b"raise", b"die", b"nonsense"])
def test_a_function_that_fails_is_the_gateways_own_500(site: Path, body: bytes) -> None:
    async def use(client: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response]:
        headers = {"content-type": "text/plain"}
        failed = await client.post("/api/greeting", content=body, headers=headers)
        return failed, await client.post("/api/greeting")

    failed, next_one = browse(site, use)
    assert (failed.status_code, failed.json()) == (500, {"message": "Internal Server Error"})
    assert next_one.status_code == 200


def test_a_function_that_takes_too_long_is_the_gateways_own_503(site: Path) -> None:
    response = post(site, b"sleep", timeout=0.5)
    assert (response.status_code, response.json()) == (503, {"message": "Service Unavailable"})


def test_a_request_that_finds_no_free_process_in_time_is_a_503(site: Path) -> None:
    async def use(client: httpx.AsyncClient) -> list[int]:
        headers = {"content-type": "text/plain"}
        sleeper = client.post("/api/greeting", content=b"sleep", headers=headers)
        waiter = client.post("/api/greeting")
        return [r.status_code for r in await asyncio.gather(sleeper, waiter)]

    assert browse(site, use, timeout=0.5) == [503, 503]


def test_a_request_that_is_turned_away_is_told_when_to_come_again(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(client: httpx.AsyncClient) -> httpx.Response:
        headers = {"content-type": "text/plain"}
        others = [
            asyncio.create_task(client.post("/api/greeting", content=b"sleep", headers=headers))
            for _ in range(2)
        ]
        await asyncio.sleep(0.3)
        refused = await client.post("/api/greeting")
        await asyncio.gather(*others)
        return refused

    monkeypatch.setattr(FunctionPool.__init__, "__defaults__", (0.2,))
    response = browse(site, use, timeout=1)
    assert (response.status_code, response.json()) == (503, {"message": "Service Unavailable"})
    assert response.headers["retry-after"] == "2"


def test_a_bucket_lets_its_burst_through_and_then_its_rate() -> None:
    now = 0.0
    bucket = TokenBucket(Throttle(rate=0.5, burst=3), lambda: now)
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    now = 1.9
    assert not bucket.take()
    now = 2.0
    assert [bucket.take() for _ in range(2)] == [True, False]
    now = 100.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_an_address_that_asks_too_often_is_refused_and_no_other(site: Path) -> None:
    now, answered = 0.0, Response(status_code=200)
    limit = AddressLimit(answered, 2, lambda: now)

    def ask(address: str) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(limit, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://film") as client:
                return await client.get("/")

        return asyncio.run(send())

    assert [ask("192.0.2.1").status_code for _ in range(4)] == [200, 200, 429, 429]
    assert ask("192.0.2.1").headers["retry-after"] == "60"
    assert ask("192.0.2.2").status_code == 200
    now = 59.9  # those that were refused count, too
    assert ask("192.0.2.1").status_code == 429
    now = 120.0
    assert [ask("192.0.2.1").status_code for _ in range(3)] == [200, 200, 429]
    assert list(limit._times) == ["192.0.2.1"], "who has gone is forgotten"


def test_only_the_api_has_a_limit_for_each_address(site: Path) -> None:
    pools = {"SampleFunction": FunctionPool(NOBODY, 1)}
    app = create_gateway(ROUTES, pools, site, requests_per_address=1)

    async def ask() -> list[int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://film") as client:
            paths = ["/api/nothing", "/", "/", "/api/nothing"]
            return [(await client.get(path)).status_code for path in paths]

    assert asyncio.run(ask()) == [404, 200, 200, 429]


def test_more_than_the_throttle_lets_through_is_told_so_in_the_gateways_words(site: Path) -> None:
    throttles = {ROUTES[0].key: Throttle(rate=0.001, burst=0)}
    app = create_gateway(
        ROUTES, {"SampleFunction": FunctionPool(NOBODY, 1)}, site, throttles=throttles
    )

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://film") as client:
            return await client.post("/api/greeting")

    response = asyncio.run(ask())
    assert (response.status_code, response.json()) == (429, {"message": "Too Many Requests"})
