"""The verdict as a picture: saved at a desk, shared from a phone."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.review_page import ReviewPage, answer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REVIEW = "A superb film 🎬, and so much more to say of it that no line holds it all. " * 8
GOOD = answer(REVIEW, [0.9, 0.2])

SHARE = """() => {
  navigator.canShare = ({ files }) => files.length === 1;
  navigator.share = async ({ files: [file] }) => {
    window.shared = [file.name, file.type, file.size];
  };
}"""


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_the_verdict_is_saved_as_a_picture(review_page: ReviewPage, tmp_path: Path) -> None:
    review_page.fake(GOOD)
    review_page.read(REVIEW)
    review_page.wait_for("result")
    with review_page.page.expect_download() as downloading:
        review_page.page.get_by_role("button", name="Save a picture").click()
    saved = tmp_path / "picture.png"
    downloading.value.save_as(saved)
    assert downloading.value.suggested_filename == "reeltone.png"
    assert size_of(saved.read_bytes()) == (1200, 630)
    review_page.page.get_by_text("Picture saved.").wait_for()


def test_a_phone_shares_the_picture(browser: Browser, site: str) -> None:
    with browser.new_context(
        viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True
    ) as context:
        page = ReviewPage(context.new_page(), site)
        page.page.add_init_script(f"({SHARE})()")
        page.open()
        page.fake(GOOD)
        page.read(REVIEW)
        page.wait_for("result")
        page.page.get_by_role("button", name="Save a picture").click()
        page.page.get_by_text("Picture shared.").wait_for()
        name, kind, size = page.page.evaluate("window.shared")
        assert (name, kind) == ("reeltone.png", "image/png")
        assert size > 10_000
        assert page.faults == []


def test_the_picture_for_link_previews_is_served(review_page: ReviewPage) -> None:
    page = review_page.page
    name = page.locator("meta[property='og:image']").get_attribute("content")
    picture = page.request.get(f"{review_page.url}{name}")
    assert size_of(picture.body()) == (1200, 630)
    for name in ("og:title", "og:description", "og:image:alt"):
        assert page.locator(f"meta[property='{name}']").get_attribute("content")
