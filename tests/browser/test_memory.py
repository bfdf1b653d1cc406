"""What the page remembers and hands on: a draft, what was read before, a link, a picture."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.review_page import ReviewPage, answer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Request


pytestmark = pytest.mark.both_browsers

GOOD = answer("A fine film.", [0.9, 0.2])
REVIEWS = [
    "I loved this one to bits.",
    "A dull affair from first to last.",
    "Rather good, all told.",
]


def read_all(review_page: ReviewPage) -> None:
    """Read REVIEWS, one after the other."""
    for review in REVIEWS:
        review_page.read(review)
        review_page.wait_for_text(review)


def test_a_restored_draft_is_not_sent_before_the_writer_acts(review_page: ReviewPage) -> None:
    review_page.type("A wonderful draft")
    review_page.wait_for_text("A wonderful draft")
    requests = review_page.fake(GOOD)
    review_page.page.reload()
    assert review_page.box() == review_page.text_of("#mirror") == "A wonderful draft"
    assert "Your draft is back" in review_page.text_of("#lede")
    review_page.page.wait_for_timeout(1_500)
    assert requests == []
    review_page.page.get_by_role("button", name="Read the review").click()
    review_page.wait_for("result")


def test_a_text_replaced_by_an_example_survives_a_reload(review_page: ReviewPage) -> None:
    review_page.write("My own thoughts.")
    review_page.page.locator(".example").first.click()
    review_page.page.reload()
    review_page.page.get_by_role("button", name="Bring my text back").click()
    assert review_page.box() == "My own thoughts."


def test_two_tabs_keep_their_own_drafts(review_page: ReviewPage) -> None:
    review_page.write("The first tab.")
    other = ReviewPage(review_page.page.context.new_page(), review_page.url)
    other.open()
    other.write("The second tab.")
    review_page.page.reload()
    assert review_page.box() == "The first tab."


def test_the_history_lists_what_was_read_and_brings_it_back(review_page: ReviewPage) -> None:
    review_page.fake(GOOD)
    read_all(review_page)
    review_page.page.locator("#past-summary").click()
    past = review_page.page.locator(".past")
    assert past.locator("bdi").all_text_contents() == REVIEWS[::-1]
    assert "▲ 93%positive: " in (past.first.text_content() or "")
    review_page.page.reload()
    assert review_page.text_of("#past-count") == "3"
    review_page.page.locator("#past-summary").click()
    past.last.click()
    review_page.wait_for_text(REVIEWS[0])
    assert [entry["text"] for entry in review_page.past()] == [REVIEWS[i] for i in (0, 2, 1)]


def test_one_or_all_can_be_deleted(review_page: ReviewPage) -> None:
    review_page.fake(GOOD)
    read_all(review_page)
    page = review_page.page
    page.locator("#past-summary").click()
    page.get_by_role("button", name=f"Delete “{REVIEWS[1]}”").click()
    assert [entry["text"] for entry in review_page.past()] == [REVIEWS[2], REVIEWS[0]]
    assert page.evaluate("document.activeElement.id") == "past-summary"
    page.get_by_role("button", name="Delete all").click()
    assert page.evaluate("localStorage.getItem('reeltone.history')") is None
    assert page.locator(".past").count() == 0
    assert not page.get_by_role("button", name="Delete all").is_visible()


def test_drafts_of_one_review_are_one_entry(review_page: ReviewPage) -> None:
    review_page.page.clock.install()
    review_page.fake(GOOD)
    for text in ("A long and winding review of", "A long and winding review of a fine film."):
        review_page.write(text)
        review_page.page.clock.run_for(700)
        review_page.wait_for_text(text)
        assert not any(entry["text"] == text for entry in review_page.past())
        review_page.page.clock.run_for(5_000)
    kept = [entry["text"] for entry in review_page.past()]
    assert kept == ["A long and winding review of a fine film."]


def test_nothing_else_is_kept_and_no_cookie_is_set(review_page: ReviewPage) -> None:
    review_page.show("A fine film.", GOOD)
    page = review_page.page
    assert page.context.cookies() == []
    keys = "() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)].sort()"
    page.wait_for_function("localStorage.getItem('reeltone.history')")
    draft = "reeltone.draft"
    assert page.evaluate(keys) == [draft, draft, "reeltone.history"]
    page.get_by_role("button", name="Clear").click()
    page.locator("#past-summary").click()
    page.get_by_role("button", name="Delete all").click()
    assert page.evaluate(keys) == [draft, draft]  # what was cleared can be brought back


def test_a_browser_that_keeps_nothing_still_reads(review_page: ReviewPage) -> None:
    page = review_page.page
    refuse = """for (const name of ["localStorage", "sessionStorage"]) {
      Object.defineProperty(window, name, { get() { throw new Error("denied"); } });
    }"""
    page.add_init_script(refuse)
    page.reload()
    review_page.show("A fine film.", GOOD)
    assert review_page.link().startswith(review_page.url)


def test_broken_memories_are_as_good_as_none(review_page: ReviewPage) -> None:
    page = review_page.page
    page.evaluate(
        """() => {
          localStorage.setItem("reeltone.history", '[1, {"text": 2}, null]');
          sessionStorage.setItem("reeltone.draft", "{");
        }"""
    )
    page.reload()
    review_page.page.locator("#model-state").wait_for(state="hidden")
    assert review_page.text_of("#past-count") == "0"
    assert review_page.box() == ""


def test_a_link_carries_a_review_to_another_browser(review_page: ReviewPage) -> None:
    text = "A fine film 🎬,\nwith a lone \ud83d and <b>markup</b>."
    review_page.fake(GOOD)
    review_page.read(text)
    review_page.wait_for_text(text)
    link = review_page.link()
    assert link.startswith(f"{review_page.url}#review=")
    context = review_page.page.context.browser
    assert context
    with context.new_context() as elsewhere:
        other = ReviewPage(elsewhere.new_page(), review_page.url)
        asked: list[Request] = []
        other.page.on("request", lambda request: asked.append(request))
        other.fake(GOOD)
        other.accept(link)
        other.wait_for_text(text)
        assert other.box() == text
        assert other.page.url == review_page.url
        assert not any("review=" in request.url for request in asked)
        assert other.sent() == [text]


def test_a_link_does_not_cost_the_reader_their_own_draft(review_page: ReviewPage) -> None:
    review_page.show("A review to send.", GOOD)
    link = review_page.link()
    review_page.write("My own draft.")
    review_page.follow(link)
    assert review_page.box() == "My own draft."
    review_page.page.get_by_role("button", name="Read it").click()
    review_page.wait_for_text("A review to send.")
    review_page.page.get_by_role("button", name="Bring my text back").click()
    assert review_page.box() == "My own draft."


def test_a_linked_review_is_neither_sent_nor_remembered_unasked(review_page: ReviewPage) -> None:
    text = "A review of somebody else."
    review_page.fake(answer(text, [0.9]))
    review_page.read(text)
    review_page.wait_for_text(text)
    link = review_page.link()
    page = review_page.page
    page.locator("#past-summary").click()
    page.get_by_role("button", name="Delete all").click()
    page.get_by_role("button", name="Clear").click()
    requests = review_page.fake(answer(text, [0.9]))
    page.goto(link)  # as a page elsewhere can, by changing the fragment alone
    page.locator("#offer-review", has_text=text).wait_for()
    page.wait_for_timeout(1_500)
    assert (requests, review_page.box()) == ([], "")
    page.get_by_role("button", name="Read it").click()
    review_page.wait_for_text(text)
    page.wait_for_timeout(500)
    assert review_page.past() == []


def test_a_linked_review_can_be_left(review_page: ReviewPage) -> None:
    review_page.show("A review to send.", GOOD)
    link = review_page.link()
    review_page.write("My own draft.")
    review_page.follow(link)
    review_page.page.get_by_role("button", name="Leave it").click()
    assert review_page.box() == "My own draft."
    assert not review_page.page.locator("#offer").is_visible()


def test_a_link_keeps_what_is_struck_out(review_page: ReviewPage) -> None:
    text = "A superb 🎬 film with a dull end."
    requests = review_page.fake(answer(text, [0.9, 0.2, -0.8]))
    review_page.read(text)
    review_page.wait_for_text(text)
    review_page.strike("superb")
    review_page.strike("end")
    review_page.page.locator("#what-if-text strong", has_text="%").wait_for()
    link = review_page.link()
    requests.clear()
    review_page.accept(link)
    review_page.wait_for_requests(requests, 2)
    assert review_page.sent() == [text, text.replace("superb", " " * 6).replace("end.", " " * 4)]
    review_page.page.locator("#what-if-text strong", has_text="%").wait_for()
    assert review_page.marked("struck") == ["superb", "end."]


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "not base64", "huge"])
def test_a_damaged_link_is_called_damaged(review_page: ReviewPage, damage: str) -> None:
    review_page.show("A review to send, long enough to be damaged.", GOOD)
    link = review_page.link()
    start = link.index("=") + 1
    middle = start + 12
    broken = {
        "cut": link[:-12],
        "changed": link[:middle] + ("B" if link[middle] == "A" else "A") + link[middle + 1 :],
        "empty": link[:start],
        "not base64": link[:start] + "%%%",
        "huge": link[:start] + review_page.page.evaluate(PACKED, 3_000_000),
    }[damage]
    review_page.write("My own draft.")
    review_page.follow(broken)
    review_page.page.get_by_text("The link that brought you here is damaged").wait_for()
    assert review_page.box() == "My own draft."


PACKED = """async size => {
  const text = new Blob([JSON.stringify("a".repeat(size))]).stream();
  const packed = text.pipeThrough(new CompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}"""


@pytest.mark.chromium_alone
def test_the_link_is_copied(review_page: ReviewPage) -> None:
    page = review_page.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    review_page.show("A fine film.", GOOD)
    link = review_page.link()
    page.get_by_text("Link copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == link


def test_the_address_keeps_no_review(review_page: ReviewPage) -> None:
    review_page.show("A review to send.", GOOD)
    link = review_page.link()
    review_page.accept(link)
    review_page.wait_for_text("A review to send.")
    assert review_page.page.evaluate("location.href") == review_page.url


def test_the_page_says_what_goes_where(review_page: ReviewPage) -> None:
    words = review_page.text_of(".privacy")
    for part in ("this site’s own server", "neither stored", "nor logged", "stay in this browser"):
        assert part in words


REVIEW = "A superb film 🎬, and so much more to say of it that no line holds it all. " * 8
PRAISE = answer(REVIEW, [0.9, 0.2])

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


@pytest.mark.chromium_alone
def test_the_verdict_is_saved_as_a_picture(review_page: ReviewPage, tmp_path: Path) -> None:
    review_page.show(REVIEW, PRAISE)
    with review_page.page.expect_download() as downloading:
        review_page.page.get_by_role("button", name="Save a picture").click()
    saved = tmp_path / "picture.png"
    downloading.value.save_as(saved)
    assert downloading.value.suggested_filename == "reeltone.png"
    assert size_of(saved.read_bytes()) == (1200, 630)
    review_page.page.get_by_text("Picture saved.").wait_for()


@pytest.mark.chromium_alone
def test_a_phone_shares_the_picture(browser: Browser, site: str) -> None:
    with browser.new_context(
        viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True
    ) as context:
        page = ReviewPage(context.new_page(), site)
        page.page.add_init_script(f"({SHARE})()")
        page.open()
        page.show(REVIEW, PRAISE)
        page.page.get_by_role("button", name="Save a picture").click()
        page.page.get_by_text("Picture shared.").wait_for()
        name, kind, size = page.page.evaluate("window.shared")
        assert (name, kind) == ("reeltone.png", "image/png")
        assert size > 10_000
        assert page.faults == []


@pytest.mark.chromium_alone
def test_the_picture_for_link_previews_is_served(review_page: ReviewPage) -> None:
    page = review_page.page
    name = page.locator("meta[property='og:image']").get_attribute("content")
    picture = page.request.get(f"{review_page.url}{name}")
    assert size_of(picture.body()) == (1200, 630)
    for name in ("og:title", "og:description", "og:image:alt"):
        assert page.locator(f"meta[property='{name}']").get_attribute("content")
