"""What the response headers make the browser refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
  event => window.violations.push(`${event.effectiveDirective} ${event.blockedURI}`));
"""


@pytest.mark.parametrize("name", ["", "many.html"])
def test_our_pages_do_nothing_that_the_policy_forbids(
    browser: Browser, site: str, name: str
) -> None:
    page = browser.new_page()
    page.add_init_script(NOTE_VIOLATIONS)
    page.goto(site + name)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.violations") == []
    page.close()


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
