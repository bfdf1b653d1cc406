"""What if a word were not there: click it, and see how the verdict moves."""

from __future__ import annotations

import pytest

from tests.browser.review_page import ReviewPage, answer, problem

pytestmark = pytest.mark.both_browsers

REVIEW = "A superb 🎬 film with\na dull, dull end."
WHOLE = answer(REVIEW, [0.9, 0.2, 0.1, -0.8], probability=0.64, confidence=0.64)
LESS = answer(
    REVIEW.replace("superb", "      "),
    [0.9, -0.2],
    sentiment="negative",
    probability=0.2,
    confidence=0.8,
)


def test_a_struck_word_moves_the_verdict_at_once(review_page: ReviewPage) -> None:
    review_page.show(REVIEW, WHOLE, LESS)
    review_page.strike("superb")
    review_page.page.locator("#verdict", has_text="Negative").wait_for()
    assert review_page.sent()[1] == REVIEW.replace("superb", " " * 6)
    assert review_page.text_of("#what-if-text") == "Without “superb”: Positive, 64% → Negative, 80%"
    assert review_page.text_of("#grounds") == "With every word in it: Positive, 64%."
    assert review_page.text_of("#announcement") == "Negative, 80%. Before: Positive, 64%."
    assert review_page.text_of("#mirror") == REVIEW == review_page.box()
    assert review_page.page.locator("#was").is_visible()
    assert review_page.marked("struck") == ["superb"]
    assert review_page.text_of("#share") == "superb is struck out"
    assert review_page.text_of("#strike") == "Put it back"


def test_a_word_put_back_brings_the_first_verdict_back_without_asking(
    review_page: ReviewPage,
) -> None:
    requests = review_page.fake(WHOLE, LESS)
    review_page.read(REVIEW)
    review_page.wait_for("result")
    review_page.strike("superb")
    review_page.page.locator("#verdict", has_text="Negative").wait_for()
    review_page.strike("superb")
    assert review_page.text_of("#verdict") == "Positive"
    assert not review_page.page.locator("#put-back").is_visible()
    assert not review_page.page.locator("#was").is_visible()
    assert len(requests) == 2


def test_several_words_can_be_struck_out_and_all_put_back(review_page: ReviewPage) -> None:
    review_page.show(REVIEW, WHOLE)
    for word in ("superb", "film", "with", "end."):
        review_page.strike(word)
    review_page.page.locator("#what-if-text strong", has_text="Positive").wait_for()
    assert review_page.text_of("#what-if-text").startswith(
        "Without “superb”, “film”, “with” and 1 more: "
    )
    last = review_page.sent()[-1]
    assert last == "A        🎬          \na dull, dull     "
    review_page.page.get_by_role("button", name="Put all back").click()
    assert review_page.marked("struck") == []
    assert review_page.page.evaluate("document.activeElement.id") == "review"


def test_every_word_struck_out_leaves_nothing_to_ask(review_page: ReviewPage) -> None:
    requests = review_page.fake(answer("Dull film", [0.3]))
    review_page.read("Dull film")
    review_page.wait_for("result")
    review_page.strike("Dull")
    review_page.strike("film")
    assert "nothing is left to read" in review_page.text_of("#what-if-text")
    review_page.page.wait_for_timeout(300)
    assert "nothing is left to read" in review_page.text_of("#what-if-text")
    assert len(requests) == 2


def test_a_new_text_forgets_what_was_struck_out(review_page: ReviewPage) -> None:
    review_page.show(REVIEW, WHOLE)
    review_page.strike("superb")
    review_page.type(" And more.")
    review_page.wait_for_text(REVIEW + " And more.")
    assert review_page.marked("struck") == []


def test_the_struck_words_stay_struck_while_the_model_wakes_up(review_page: ReviewPage) -> None:
    review_page.page.clock.install()
    review_page.show(REVIEW, WHOLE, problem(503, "model-waking", "Waking.", retry_after=5), LESS)
    review_page.strike("superb")
    review_page.page.locator("#hiccup", has_text="Warming up").wait_for()
    assert review_page.marked("struck") == ["superb"]
    assert review_page.text_of("#verdict") == "Positive"  # until there is another
    review_page.page.clock.run_for(5_000)
    review_page.page.locator("#verdict", has_text="Negative").wait_for()


def test_the_real_model_changes_its_mind(review_page: ReviewPage) -> None:
    review_page.read("The acting is awful.")
    review_page.wait_for("result")
    assert review_page.text_of("#verdict") == "Negative"
    needle = "() => document.querySelector('#gauge').style.getPropertyValue('--probability')"
    before = float(review_page.page.evaluate(needle))
    review_page.strike("awful")
    review_page.page.locator("#what-if-text strong", has_text="%").wait_for()
    assert float(review_page.page.evaluate(needle)) > before
