"""How light the pages are: bytes, first paint, nothing that jumps, nothing in the console."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from tests.browser.review_page import ReviewPage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The page's own numbers: paint and shifts, and bytes over the wire with their headers.
OBSERVE = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      const names = sources.map(({ node }) => node?.id || node?.className || node?.localName);
      if (!hadRecentInput) window.shifts.push([value, ...names]);
    }
  }).observe({ type: "layout-shift", buffered: true });
}"""
LOADED = "() => performance.getEntriesByType('resource').map((entry) => entry.name)"
FIRST_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"


@pytest.mark.parametrize("size", [(1280, 860), (768, 1024), (320, 640)], ids=str)
def test_the_page_is_light_and_quick_and_nothing_jumps(
    browser: Browser, site: str, size: tuple[int, int]
) -> None:
    width, height = size
    with browser.new_context(viewport={"width": width, "height": height}) as context:
        review = ReviewPage(context.new_page(), site)
        review.page.add_init_script(f"({OBSERVE})()")
        review.open()
        review.page.wait_for_function("performance.getEntriesByName('first-contentful-paint')[0]")
        assert review.page.evaluate(FIRST_PAINT) < 1_000
        review.type("A wonderful film, and then a dull and awful end. Still, superb acting!")
        review.wait_for_text(review.box())
        review.strike("awful")
        review.page.locator("#what-if-text strong", has_text="%").wait_for()
        review.type(" And more.")
        review.wait_for_text(review.box())
        assert shifts(review) == []
        assert review.faults == []


# Bytes that a page may need before anybody has done anything, compressed as CloudFront does.
BUDGET = 60_000


@pytest.mark.parametrize("name", ["", "many.html", "developers.html"])
def test_a_page_is_within_its_budget(browser: Browser, site: str, name: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(site + name, wait_until="networkidle")
        urls = {site + name, *page.evaluate(LOADED)}
    files = [url for url in urls if "/api/" not in url]
    assert {url.rpartition(".")[2] for url in files} >= {"css", "js", "svg", "woff2"}
    assert sum(map(compressed_size, files)) < BUDGET


def compressed_size(url: str) -> int:
    """Bytes of a file over the wire; what is compressed in itself is sent as it is."""
    with urlopen(url) as response:
        body: bytes = response.read()
    return len(body) if url.endswith((".woff2", ".png")) else len(gzip.compress(body, 6))


def shifts(review: ReviewPage) -> list[Any]:
    """What moved on the page that nobody had moved."""
    moved: list[Any] = review.page.evaluate("window.shifts")
    return moved


def test_20_000_characters_do_not_hold_up_the_writer(review_page: ReviewPage) -> None:
    text = ("A wonderful film with an awful end, and more to say of it. " * 400)[:19_990]
    review_page.write(text)
    review_page.wait_for_text(text)
    blocked = review_page.page.evaluate(
        """() => {
          const box = document.querySelector("#review");
          const start = performance.now();
          box.value += "!";
          box.dispatchEvent(new InputEvent("input", { inputType: "insertText" }));
          return performance.now() - start;
        }"""
    )
    assert blocked < 100 * float(os.environ.get("REELTONE_PATIENCE", "1"))
