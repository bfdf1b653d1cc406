"""The answer comes as one writes: after a pause, at a new line, at once for a pasted text."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.browser.review_page import ReviewPage, answer, problem

if TYPE_CHECKING:
    from playwright.sync_api import Route

pytestmark = pytest.mark.both_browsers

GOOD = answer("A fine film.", [0.9, 0.2])
WAKING = problem(503, "model-waking", "The model is waking up.", retry_after=10)


def test_the_verdict_comes_while_the_reviewer_writes(review_page: ReviewPage) -> None:
    review_page.type("What a wonderful, superb film!")
    review_page.wait_for("result")
    assert review_page.text_of("#verdict") == "Positive"
    review_page.type(" No: it is awful, boring, the worst ever, a waste of time.")
    review_page.page.get_by_text("Negative", exact=True).first.wait_for()
    review_page.wait_for_text(review_page.box())


def test_a_review_is_sent_once_the_writer_pauses(review_page: ReviewPage) -> None:
    review_page.page.clock.install()
    review_page.page.clock.pause_at(datetime.now() + timedelta(hours=1))
    requests = review_page.fake(GOOD)
    for end in range(2, 12):
        review_page.write("A fine film."[:end])
        review_page.page.clock.run_for(50)
    assert requests == []
    review_page.page.clock.run_for(300)
    review_page.wait_for("result")
    assert review_page.sent() == ["A fine film"]


def test_answers_come_while_the_writer_writes_steadily(review_page: ReviewPage) -> None:
    review_page.page.clock.install()
    review_page.page.clock.pause_at(datetime.now() + timedelta(hours=1))
    requests = review_page.fake(GOOD)
    text = "A fine film, and I would see it again."
    for end in range(1, len(text) + 1):
        review_page.write(text[:end])
        review_page.page.clock.run_for(150)
        review_page.page.wait_for_timeout(5)
    assert 4 <= len(requests) <= 8  # in 5.7 s without a pause
    assert {effects for _, effects in review_page.asked()} == {False}
    review_page.page.clock.run_for(400)
    review_page.wait_for_text(text)
    assert review_page.asked()[-1] == (text, True)
    review_page.page.clock.run_for(5_000)
    assert review_page.sent().count(text) <= 2


def test_who_writes_on_does_not_wait_for_what_takes_long(review_page: ReviewPage) -> None:
    text = "A fine film."
    held: list[Route] = []
    review_page.handle(held.append)
    review_page.write(text)
    review_page.page.wait_for_timeout(400)
    review_page.fake(GOOD)
    review_page.type("\nAnd more.")
    review_page.wait_for("result")
    assert len(held) == 1
    assert review_page.called_off() == [text]
    assert review_page.asked()[:2] == [(text, True), (f"{text}\n", False)]


def test_a_word_is_struck_out_while_effects_are_on_their_way(review_page: ReviewPage) -> None:
    text = "A dull film.\n"
    review_page.fake(answer(text, [0.0, -0.9, 0.1]))
    review_page.write(text.strip())
    review_page.page.keyboard.press("Tab")
    review_page.wait_for("result")
    held: list[Route] = []
    review_page.handle(held.append)
    review_page.type("\n")
    review_page.page.wait_for_timeout(50)
    brief = answer(text, [0.0, -0.9, 0.1])
    held[0].fulfill(status=200, body=brief.body, headers=brief.headers)
    review_page.wait_for_text(text)
    review_page.page.wait_for_timeout(500)
    assert [effects for _, effects in review_page.asked()] == [True, False, True]
    review_page.fake(answer(text, [0.0, -0.9, 0.1]))
    review_page.strike("dull")
    review_page.page.locator("#what-if-text strong", has_text="%").wait_for()
    assert review_page.called_off() == [text]
    assert review_page.marked("struck") == ["dull"]


def test_the_marks_stay_with_their_words_while_the_writer_writes_on(
    review_page: ReviewPage,
) -> None:
    text = "A superb film with a dull end."
    review_page.fake(answer(text, [0.0, 0.9, 0.0, 0.0, 0.0, -0.8, 0.0]))
    review_page.type(text)
    review_page.wait_for_text(text)
    marks = [("for-3", "superb"), ("against-3", "dull")]
    assert review_page.marks() == marks
    held: list[Route] = []
    review_page.handle(held.append)
    for change in (
        "🎬 A superb film with a dull end.",
        "🎬 A superb film, mind you, with a dull end.",
        "🎬 A superb film, mind you, with a dull end. Or so.",
    ):
        review_page.write(change)
        assert review_page.marks() == marks
    review_page.write("A superb film with an end.")
    assert review_page.marked("against") in ([], [""])


def test_an_answer_to_an_older_text_marks_what_is_still_there(review_page: ReviewPage) -> None:
    text = "A superb film with a dull end."
    held: list[Route] = []
    review_page.handle(held.append)
    review_page.write(text)
    review_page.page.wait_for_timeout(400)
    review_page.write("🎬 " + text.replace("film", "picture"))
    fake = answer(text, [0.0, 0.9, 0.5, 0.0, 0.0, -0.8, 0.0])
    held[0].fulfill(status=200, body=fake.body, headers=fake.headers)
    review_page.wait_for("result")
    assert review_page.marks() == [("against-3", "dull")]  # before it, the text is another


def test_a_new_line_and_a_pasted_text_are_read_at_once(review_page: ReviewPage) -> None:
    review_page.page.clock.install()
    review_page.page.clock.pause_at(datetime.now() + timedelta(hours=1))
    review_page.fake(GOOD)
    review_page.type("Fine.")
    review_page.page.keyboard.press("Enter")
    review_page.page.clock.run_for(10)
    review_page.wait_for("result")
    review_page.page.evaluate(
        """() => {
          document.querySelector("#review").value = "A pasted text.";
          const paste = new InputEvent("input", { inputType: "insertFromPaste" });
          document.querySelector("#review").dispatchEvent(paste);
        }"""
    )
    review_page.page.clock.run_for(10)
    review_page.wait_for_text("A pasted text.")
    assert review_page.sent() == ["Fine.\n", "A pasted text."]


def test_an_older_question_that_takes_long_is_overtaken(review_page: ReviewPage) -> None:
    held: list[Route] = []
    review_page.handle(held.append)
    review_page.write("The older one.")
    review_page.page.wait_for_timeout(400)
    review_page.write("The older one. And more.")
    review_page.page.wait_for_timeout(600)
    assert (len(held), review_page.called_off()) == (1, [])
    review_page.page.wait_for_timeout(2_500)
    newer = answer("The older one. And more.", [-1.0], sentiment="negative", probability=0.1)
    held[1].fulfill(status=200, body=newer.body, headers=newer.headers)
    review_page.wait_for_text("The older one. And more.")
    assert review_page.called_off() == ["The older one."]


def test_the_last_verdict_stays_while_the_next_one_is_awaited(review_page: ReviewPage) -> None:
    review_page.fake(GOOD)
    review_page.type("A fine film.")
    review_page.wait_for("result")
    held: list[Route] = []
    review_page.handle(held.append)
    review_page.write("A fine film. Or not.")
    review_page.page.locator("#screen[data-busy]").wait_for()
    assert review_page.page.locator("#verdict").is_visible()
    held[0].fulfill(status=200, body=GOOD.body, headers=GOOD.headers)
    review_page.wait_for_text("A fine film. Or not.")
    assert review_page.page.locator("#screen[data-busy]").count() == 0


def test_a_text_without_words_is_not_sent_and_the_writer_is_told(review_page: ReviewPage) -> None:
    requests = review_page.fake(GOOD)
    review_page.type("A fine film.")
    review_page.wait_for("result")
    review_page.write("... ?!")
    review_page.wait_for("idle")
    assert "There is no word in this text yet" in review_page.text_of("#complaint")
    review_page.write("")
    review_page.page.wait_for_timeout(700)
    assert not review_page.page.locator("#complaint").is_visible()
    assert len(requests) == 1


def test_writing_on_does_not_shorten_the_wait_for_a_sleeping_model(
    review_page: ReviewPage,
) -> None:
    review_page.page.clock.install()
    requests = review_page.fake(WAKING, GOOD)
    review_page.write("A fine")
    review_page.page.clock.run_for(600)
    review_page.wait_for("waiting")
    review_page.write("A fine film.")
    review_page.page.clock.run_for(5_000)
    assert len(requests) == 1
    review_page.page.clock.run_for(5_000)
    review_page.wait_for("result")
    assert review_page.sent() == ["A fine", "A fine film."]


def test_on_a_phone_nothing_jumps_while_the_reviewer_writes(review_page: ReviewPage) -> None:
    review_page.fake(GOOD)
    review_page.page.set_viewport_size({"width": 320, "height": 640})
    review_page.type("A fine film.")
    review_page.wait_for("result")
    assert review_page.page.locator("#review").evaluate(
        "box => box.getBoundingClientRect().top >= 0"
    )
