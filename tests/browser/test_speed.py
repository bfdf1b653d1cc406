"""How light the page is: bytes, first paint, nothing that jumps, nothing in the console."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

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
BYTES = """() => performance.getEntries()
  .reduce((sum, entry) => sum + (entry.transferSize ?? 0), 0)"""
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
        assert 10_000 < review.page.evaluate(BYTES) < 100_000
        review.type("A wonderful film, and then a dull and awful end. Still, superb acting!")
        review.wait_for_text(review.box())
        review.strike("awful")
        review.page.locator("#what-if-text strong", has_text="%").wait_for()
        review.type(" And more.")
        review.wait_for_text(review.box())
        assert shifts(review) == []
        assert review.faults == []


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
