"""A deployed function answers CloudFront, which shows it a secret, and nobody else."""

from __future__ import annotations

import pytest

from tests.unit.sentiment.conftest import Api

SECRET = "w2Zq-0123456789_abcdefghijklmnopqrstuvwxyzA"  # pragma: allowlist secret


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"ORIGIN_SECRET": SECRET}


@pytest.mark.parametrize("path", ["/api/model", "/api/health", "/api/nothing", "/"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-reeltone-origin": ""},
        {"x-reeltone-origin": SECRET[:-1]},
        {"x-reeltone-origin": SECRET + "x"},
        {"x-reeltone-origin": "é"},
        {"x-reeltone-origin": f"{SECRET},{SECRET}"},
    ],
)
def test_without_the_secret_nothing_is_answered_and_the_model_not_asked(
    api: Api, path: str, headers: dict[str, str]
) -> None:
    response = api.request("GET", path, headers=headers)
    assert response.status == 403
    assert response.json["type"] == "/problems/wrong-origin"
    assert "website" in response.json["detail"]
    assert api.endpoint.calls == []
    assert SECRET not in response.body + api.log.getvalue()


def test_a_review_without_the_secret_is_not_read(api: Api) -> None:
    response = api.post("/api/sentiment", {"review": "A fine film."})
    assert response.status == 403
    assert api.endpoint.calls == []


def test_with_the_secret_all_is_as_ever(api: Api) -> None:
    response = api.request("GET", "/api/model", headers={"X-Reeltone-Origin": SECRET})
    assert response.status == 200
    assert SECRET not in response.body + api.log.getvalue()
