"""Whatever somebody pastes into the box is text, and comes back as the same text."""

from __future__ import annotations

import pytest

from tests.browser.review_page import ReviewPage, problem

pytestmark = pytest.mark.both_browsers

MARKUP = """A fine <b>film</b> <script>document.title = "owned"; alert(1)</script>
<img src=x onerror="document.title = 'owned'"> &amp; &lt;i&gt; &hellip;
<a href="javascript:alert(1)">really</a>
<svg onload=alert(1)></svg> <style>body { display: none }</style> </p></div> <!-- good --> fun"""

ELEMENTS = """() => [...document.querySelectorAll("#mirror *, #explanation *, #mood *, #past *")]
  .map((each) => each.localName)"""
OUR_ELEMENTS = {
    *("section", "h2", "p", "span", "div", "ol", "li", "br"),
    *("button", "input", "b", "bdi", "i", "strong", "svg", "polyline"),
}

TEXTS = {
    "markup": MARKUP,
    "right to left": "فيلم رائع! a great film \u202eneddih\u202c and שלום, \u2067good\u2069 fun",
    "zero width": "won\u200bder\u200dful and\ufeff dull\u2060 \u00adfilm",
    "lone surrogates": "great \ud83d film \ude00 with \udfff\ud800 a \U0001f3ac lovely end \ud83d",
    "control characters": "good\x00film\x01 with\x0b fun\x1b[31m and\x7f\x85 in\u2028 it\u2029.",
    "emoji": "👩‍👩‍👧‍👦 loved it 👍🏽👍🏽 🇫🇷 best film ❤️‍🔥 1️⃣0️⃣ 𝒻𝒾𝓁𝓂 e\u0301tude",
    "tall": "great " + "h\u0300\u0301\u0302\u0303\u0304" * 200 + " film",
    "20,000 characters": ("A 🎬 great film. " * 2000)[:20_000],
    "one word of 20,000 characters": "o" * 20_000,
    "line breaks": "\n\n  good\n\tfilm \n\n\n",
}


def test_hostile_text_is_shown_exactly_as_it_was_written(
    review_page: ReviewPage, subtests: pytest.Subtests
) -> None:
    page = review_page.page
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.set_viewport_size({"width": 320, "height": 640})
    for name, text in TEXTS.items():
        with subtests.test(name):
            review_page.read("Something else.")
            review_page.wait_for_text("Something else.")
            review_page.read(text)
            review_page.wait_for_text(text)
            assert review_page.box() == text
            assert set(page.evaluate(ELEMENTS)) <= OUR_ELEMENTS
            assert not review_page.scrolls_sideways()
    assert dialogs == []
    assert "owned" not in page.title()


def test_hostile_text_survives_a_reload_the_history_and_a_link(
    review_page: ReviewPage, subtests: pytest.Subtests
) -> None:
    page = review_page.page
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    for name, text in TEXTS.items():
        with subtests.test(name):
            review_page.read(text)
            review_page.wait_for_text(text)
            link = review_page.link()
            review_page.read("Something else.")
            review_page.wait_for_text("Something else.")
            assert review_page.past()[1]["text"] == text
            review_page.accept(link)
            review_page.wait_for_text(text)
            assert review_page.box() == text
            page.reload()
            assert review_page.box() == text
            assert (
                set(
                    page.evaluate(
                        "[...document.querySelectorAll('#past *')].map((each) => each.localName)"
                    )
                )
                <= OUR_ELEMENTS
            )
    assert dialogs == []


def test_a_problem_s_words_are_shown_as_text(review_page: ReviewPage) -> None:
    markup = "<img src=x onerror=alert(1)>"
    review_page.fake(problem(400, "malformed-request", markup))
    review_page.read("fine")
    review_page.wait_for("problem")
    assert markup in review_page.text_of("#card-text")
    assert review_page.page.locator("main img").count() == 0
