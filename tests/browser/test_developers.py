"""The developers' page: a request is tried, seen as code, and the code does what it says."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
import yaml

from model_training.serving.scorer import load_model
from tests.function import BUNDLES, call, connected

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.both_browsers

ROOT = Path(__file__).resolve().parents[2]
QUOTES = 'Don\u2019t say "it\'s" \\ `rm` $HOME\n\u2028 🎬 superb.'


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """The open page, which has said how much a review may have; nothing may go wrong on it."""
    faults: list[str] = []
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{site}developers.html")
        page.locator("[data-limit=version]", has_text="modern").wait_for()
        yield page
    assert faults == []


def code_in(page: Page, language: str) -> str:
    """The request as code."""
    page.get_by_role("button", name=language, exact=True).click()
    return page.locator("#code").text_content() or ""


def send(page: Page) -> tuple[str, str]:
    """Send the request; gives the response's first line and its body."""
    page.get_by_role("button", name="Send the request").click()
    page.locator("#response-line[data-kind=good], #response-line[data-kind=bad]").wait_for()
    line, body = (page.locator(f"#{name}").text_content() for name in ("response-line", "response"))
    return line or "", body or ""


def test_each_route_answers(page: Page) -> None:
    options = page.locator("#route option").all_text_contents()
    assert len(options) == 5
    for index, name in enumerate(options):
        page.locator("#route").select_option(index=index)
        line, body = send(page)
        assert line.startswith("200"), (name, line, body)
    page.locator("#route").select_option(index=0)
    assert json.loads(send(page)[1])["sentiment"] == "positive"


def test_what_is_wrong_is_shown_as_the_api_says_it(page: Page) -> None:
    page.locator("#body").fill('{"review": ')
    assert "not JSON" in (page.locator("#body-fault").text_content() or "")
    line, body = send(page)
    assert line.startswith("400")
    assert json.loads(body)["type"] == "/problems/malformed-request"


@pytest.mark.parametrize("index", range(5))
def test_the_code_sends_the_very_request(page: Page, index: int) -> None:
    page.locator("#route").select_option(index=index)
    if index == 0:
        page.locator("#body").fill(json.dumps({"review": QUOTES}, ensure_ascii=False))
    expected = json.loads(send(page)[1])
    curl = subprocess.run(["sh", "-c", code_in(page, "curl")], capture_output=True, check=True)
    assert json.loads(curl.stdout) == expected
    python = [sys.executable, "-c", code_in(page, "Python")]
    assert json.loads(subprocess.run(python, capture_output=True, check=True).stdout) == expected
    script = code_in(page, "JavaScript").replace("console.log(", "return (")
    assert json.loads(page.evaluate(f"async () => {{ {script} }}")) == expected


@pytest.mark.parametrize("index", range(3))
def test_the_aws_line_carries_an_event_that_the_function_answers(page: Page, index: int) -> None:
    page.locator("#route").select_option(index=index)
    expected = json.loads(send(page)[1])
    arguments = shlex.split(code_in(page, "aws").replace("\\\n", " "))
    assert arguments[:3] == ["aws", "lambda", "invoke"]
    event = json.loads(arguments[arguments.index("--payload") + 1])
    with connected("modern", load_model(BUNDLES / "modern")):
        result: Any = call(event)
    assert (result["statusCode"], json.loads(result["body"])) == (200, expected)


@pytest.mark.chromium_alone
def test_the_code_can_be_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code = code_in(page, "curl")
    page.get_by_role("button", name="Copy").click()
    page.locator("#code-note", has_text="Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == code


def test_limits_and_problems_are_the_api_s_own(page: Page, site: str) -> None:
    with urlopen(f"{site}api/model") as response:
        model = json.load(response)
    for limit in ("characters", "reviews", "tokens"):
        shown = page.locator(f"[data-limit={limit}]").text_content()
        assert shown == f"{model['limits'][limit]:,}"
    guide = (ROOT / "docs" / "api.md").read_text()
    slugs = {
        line.split("/problems/")[1].split("`")[0]
        for line in guide.splitlines()
        if "| `/prob" in line
    }
    assert len(slugs) > 10
    table = page.locator("tbody").text_content() or ""
    assert [slug for slug in slugs if slug not in table] == []


def test_the_foot_of_the_pages_leads_to_the_documents_and_they_are_served(
    browser: Browser, site: str
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(site)
        links = page.locator(".colophon a")
        found = {link.text_content(): link.evaluate("link => link.href") for link in links.all()}
    assert {"Model card", "API guide", "OpenAPI document", "Licence"} <= set(found)
    for url in found.values():
        with urlopen(url) as response:
            assert response.status == 200
    with urlopen(found["OpenAPI document"]) as response:
        assert response.headers["content-type"] == "application/yaml"
        assert yaml.safe_load(response)["openapi"].startswith("3.1")
