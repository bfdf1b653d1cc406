"""What the response headers make the browser refuse, and that the pages do none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.review_page import ReviewPage

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_text_cannot_become_markup_or_script(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.goto(site)
    for act in (
        "document.body.innerHTML = '<img src=x onerror=alert(1)>'",
        "document.createElement('script').text = 'alert(1)'",
        "trustedTypes.createPolicy('mine', {createHTML: text => text})",
    ):
        script = f"() => {{ try {{ {act}; return 'done' }} catch (e) {{ return e.name }} }}"
        said = page.evaluate(script)
        assert said == "TypeError", act
    page.close()


def test_a_page_that_opens_ours_gets_no_hold_of_it(browser: Browser, site: str) -> None:
    """It could change the fragment, which a page reads at once, over and over."""
    context = browser.new_context()
    other = context.new_page()
    other.route(
        "https://other.example/",
        lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"),
    )
    other.goto("https://other.example/")
    with context.expect_page() as opened:
        other.evaluate(f"window.ours = window.open({site!r}); 0")
    ours = opened.value
    ours.wait_for_load_state()
    assert ours.title()
    assert ours.evaluate("window.opener") is None
    assert other.evaluate("window.ours.closed") is True
    context.close()


def test_the_page_needs_no_markup_from_strings(browser: Browser, site: str) -> None:
    with browser.new_context() as context:
        page = ReviewPage(context.new_page(), site)
        page.open()
        page.read("A superb film with a dull end. And it goes on & on.")
        page.wait_for("result")
        page.strike("superb")
        page.page.locator("#what-if-text strong", has_text="%").wait_for()
        page.page.locator("#strip button").first.click()
        page.accept(page.link())
        page.wait_for("result")
        assert page.faults == []


@pytest.mark.parametrize("name", ["many.html", "developers.html"])
def test_the_other_pages_need_none_either(browser: Browser, site: str, name: str) -> None:
    faults: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(site + name, wait_until="networkidle")
        if name == "developers.html":
            page.get_by_role("button", name="Send the request").click()
            page.locator("#response-line[data-kind=good]").wait_for()
    assert faults == []
