"""The pages under the site's own headers: no markup from strings, nothing inline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.review_page import ReviewPage

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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
        # The policy is in force: what it forbids fails.
        with pytest.raises(Exception, match="TrustedHTML"):
            page.page.evaluate("document.body.innerHTML = '<b>x</b>'")


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
