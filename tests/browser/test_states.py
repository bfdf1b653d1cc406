"""What the page says and does while it waits, when it fails, and when a newer review overtakes."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from benchmarks.attack import LONGEST_GUESS
from reeltone.stack import pause as pause_of
from tests.browser.review_page import REQUEST_ID, Fake, ReviewPage, answer, problem

if TYPE_CHECKING:
    from playwright.sync_api import Route

pytestmark = pytest.mark.both_browsers

REVIEW = "A fine film with 🎬 a\ndull end."
GOOD = answer(REVIEW, [0.9, 0.2, -0.4])
WAKING = problem(503, "model-waking", "The model was asleep and is waking up.", retry_after=10)
BUSY = problem(503, "model-busy", "The model is busy with other requests.", retry_after=2)
UNREACHABLE = problem(503, "model-unreachable", "The model cannot be reached.", retry_after=5)
THROTTLED = Fake(429, '{"message":"Too Many Requests"}', {"content-type": "application/json"})
HTML = Fake(504, "<html><b>504</b></html>", {"content-type": "text/html"})


# What chance decides, decided.
DRAW = "chance => { Math.random = () => chance; }"
PAUSE = """async ([said, refusals]) => {
  const { pauseOf } = await import(new URL("js/api.js", document.baseURI));
  return pauseOf(said, refusals);
}"""


def draw(review_page: ReviewPage, chance: float) -> None:
    review_page.page.evaluate(DRAW, chance)


def test_a_slow_answer_is_explained_while_it_is_awaited(review_page: ReviewPage) -> None:
    review_page.page.clock.install()
    held: list[Route] = []
    review_page.handle(held.append)
    review_page.read(REVIEW)
    review_page.page.clock.run_for(200)
    review_page.wait_for("reading")
    assert review_page.text_of("#announcement") == "Reading the review."
    review_page.page.clock.run_for(3_000)
    assert "may have been asleep" in review_page.text_of("#card-text")
    held[0].fulfill(status=200, body=GOOD.body, headers=GOOD.headers)
    review_page.wait_for("result")


@pytest.mark.parametrize(
    ("trouble", "title", "seconds"),
    [
        (WAKING, "Warming up the projector", 10),
        (BUSY, "Full house", 2),
        (UNREACHABLE, "No line to the model", 5),
    ],
    ids=["waking", "busy", "unreachable"],
)
def test_a_passing_problem_counts_down_and_sends_the_review_again(
    review_page: ReviewPage, trouble: Fake, title: str, seconds: int
) -> None:
    review_page.page.clock.install()
    review_page.page.clock.pause_at(datetime.now() + timedelta(hours=1))
    draw(review_page, 0)
    review_page.fake(trouble, GOOD)
    review_page.read(REVIEW)
    review_page.wait_for("waiting")
    assert review_page.text_of("#card-title") == title
    assert f"again by itself in {seconds} seconds" in review_page.text_of("#announcement")
    assert review_page.text_of("#countdown") == str(seconds)
    review_page.page.clock.run_for(1_000)
    assert review_page.text_of("#countdown") == str(seconds - 1)
    review_page.page.clock.run_for(seconds * 1_000)
    review_page.wait_for("result")
    assert review_page.sent() == [REVIEW] * 2
    assert review_page.text_of("#mirror") == REVIEW


def test_a_throttled_review_is_answered_before_anybody_hears_of_it(review_page: ReviewPage) -> None:
    review_page.page.clock.install()
    review_page.page.clock.pause_at(datetime.now() + timedelta(hours=1))
    draw(review_page, 0.999)
    requests = review_page.fake(THROTTLED, GOOD)
    review_page.read(REVIEW)
    review_page.wait_for_requests(requests, 1)
    review_page.page.clock.run_for(990)
    assert review_page.text_of("#card-title") == "Reading…"
    assert review_page.text_of("#announcement") == ""
    assert len(requests) == 1
    review_page.page.clock.run_for(20)
    review_page.wait_for("result")


@pytest.mark.parametrize(
    ("trouble", "pauses", "title"),
    [(THROTTLED, (1, 2), "Full house"), (WAKING, (10, 10), "Still asleep")],
    ids=["throttled", "waking"],
)
def test_what_lasts_is_told_and_given_up_after_twelve_attempts(
    review_page: ReviewPage, trouble: Fake, pauses: tuple[int, int], title: str
) -> None:
    """A throttle's first pause is over before anybody hears of it."""
    review_page.page.clock.install()
    draw(review_page, 0.999 if trouble is THROTTLED else 0)
    requests = review_page.fake(trouble)
    review_page.read(REVIEW)
    for attempt in range(1, 12):
        # Until the next request has been sent, the screen may still show the wait before it.
        review_page.wait_for_requests(requests, attempt)
        pause = pauses[attempt > 1]
        if pause > 1:
            review_page.wait_for("waiting")
            assert f"again by itself in {pause} seconds" in review_page.text_of("#card-text")
        review_page.page.clock.run_for(pause * 1_000)
    review_page.wait_for_requests(requests, 12)
    review_page.wait_for("problem")
    assert review_page.text_of("#card-title") == title


def test_website_package_and_benchmark_come_back_at_the_same_time(
    review_page: ReviewPage, subtests: pytest.Subtests, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = (None, "soon", "-5", "0", "1", "2.5", "100000", "9" * 400)
    for chance in (0.0, 0.999):
        draw(review_page, chance)
        monkeypatch.setattr("random.random", lambda chance=chance: chance)
        for said, refusals in product(told, (1, 2, 12)):
            with subtests.test(said=said, refusals=refusals, chance=chance):
                pages = review_page.page.evaluate(PAUSE, [said, refusals])
                assert pages == pytest.approx(pause_of(said, refusals, LONGEST_GUESS))


def test_waiting_can_be_stopped_and_nothing_is_sent_afterwards(review_page: ReviewPage) -> None:
    review_page.page.clock.install()
    requests = review_page.fake(WAKING)
    review_page.read(REVIEW)
    review_page.wait_for("waiting")
    review_page.page.get_by_role("button", name="Stop waiting").click()
    review_page.page.clock.run_for(60_000)
    review_page.wait_for("stopped")
    assert review_page.text_of("#card-title") == "Stopped"
    assert len(requests) == 1
    assert review_page.box() == REVIEW
    assert review_page.page.evaluate("document.activeElement.id") == "screen"


LASTING = [
    (problem(422, "no-words", "No word in it."), "No words to read", "No word in it."),
    (problem(413, "too-long", "The review has 20,431 characters."), "Too long", "20,431"),
    (problem(400, "malformed-request", "review is null."), "Not accepted", "is null"),
    (problem(500, "set-up", "It is set up wrongly."), "Out of order", "set up wrongly"),
]
PASSING = [
    (problem(500, "internal-error", "Report it."), "Something broke", "Report it."),
    (problem(502, "bad-answer", "It cannot be read."), "Something broke", "cannot be read"),
    (HTML, "Something broke", "try again later"),
    (Fake(200, "{}", {}), "A garbled answer", "made no sense"),
    *((Fake(200, body, {}), "A garbled answer", "made no sense") for body in ("<html>", "", "[]")),
    (Fake(204, "", {}), "A garbled answer", "made no sense"),
    (answer(REVIEW, [1.0], words=None), "A garbled answer", "made no sense"),
    (answer(REVIEW, [1.0], probability=7), "A garbled answer", "made no sense"),
]


@pytest.mark.parametrize(("troubles", "may_pass"), [(LASTING, False), (PASSING, True)])
def test_a_problem_is_put_in_plain_words_and_the_text_is_kept(
    review_page: ReviewPage,
    subtests: pytest.Subtests,
    troubles: list[tuple[Fake, str, str]],
    may_pass: bool,
) -> None:
    review_page.fake(GOOD, *(each for fake, _, _ in troubles for each in (fake, GOOD)))
    for trouble, title, words in troubles:
        with subtests.test(title, body=trouble.body):
            review_page.read(REVIEW)
            review_page.wait_for("result")
            review_page.read(REVIEW)
            review_page.wait_for("problem")
            assert review_page.text_of("#card-title") == title
            assert words in review_page.text_of("#card-text")
            assert review_page.text_of("#announcement").startswith(title)
            assert review_page.page.locator("#again").is_visible() == may_pass
            assert (REQUEST_ID in review_page.text_of("#card-request")) == (
                REQUEST_ID in trouble.body
            )
            assert review_page.box() == REVIEW


def test_after_a_failure_the_review_can_be_sent_again(review_page: ReviewPage) -> None:
    review_page.fake(problem(502, "model-failed", "The model failed."), GOOD)
    review_page.read(REVIEW)
    review_page.wait_for("problem")
    review_page.page.get_by_role("button", name="Try again").click()
    review_page.wait_for("result")
    assert review_page.text_of("#mirror") == REVIEW


def test_a_call_that_breaks_once_is_made_again(review_page: ReviewPage) -> None:
    calls: list[Route] = []

    def break_the_first(route: Route) -> None:
        calls.append(route)
        if len(calls) == 1:
            route.abort("connectionreset")
        else:
            route.fulfill(status=200, body=GOOD.body, headers=GOOD.headers)

    review_page.handle(break_the_first)
    review_page.page.locator(".example").first.click()  # asks once, unlike a written text
    review_page.wait_for("result")
    assert len(calls) == 2


def test_without_a_connection_the_page_says_so(review_page: ReviewPage) -> None:
    review_page.handle(lambda route: route.abort("connectionrefused"))
    review_page.read(REVIEW)
    review_page.wait_for("problem")
    assert review_page.text_of("#card-title") == "No connection"
    assert review_page.box() == REVIEW


def test_offline_the_review_waits_for_the_connection(review_page: ReviewPage) -> None:
    review_page.faked = True  # the failed request is in the console
    context = review_page.page.context
    context.set_offline(True)
    review_page.type("A great and wonderful film.")
    review_page.wait_for("problem")
    assert review_page.text_of("#card-title") == "You are offline"
    context.set_offline(False)
    review_page.wait_for("result")
    assert review_page.text_of("#verdict") == "Positive"
    assert review_page.text_of("#mirror") == "A great and wonderful film."


def test_a_hanging_answer_can_be_called_off(review_page: ReviewPage) -> None:
    held: list[Route] = []
    review_page.handle(held.append)
    review_page.read(REVIEW)
    review_page.wait_for("reading")
    review_page.page.get_by_role("button", name="Cancel").click()
    review_page.wait_for("stopped")
    assert review_page.box() == REVIEW
    assert review_page.called_off() == [REVIEW]


def test_a_newer_review_ends_the_older_one_and_its_answer_is_dropped(
    review_page: ReviewPage,
) -> None:
    held: list[Route] = []
    review_page.handle(held.append)
    review_page.read("The older one.")
    review_page.wait_for("reading")
    review_page.read("The newer one.")
    review_page.page.wait_for_timeout(300)
    assert review_page.page.locator("#screen").get_attribute("data-state") == "reading"
    newer = answer("The newer one.", [-1.0], sentiment="negative", probability=0.1)
    held[1].fulfill(status=200, body=newer.body, headers=newer.headers)
    review_page.wait_for("result")
    older = answer("The older one.", [1.0])
    from playwright.sync_api import Error

    with suppress(Error):
        held[0].fulfill(status=200, body=older.body, headers=older.headers)
    review_page.page.wait_for_timeout(100)
    assert review_page.text_of("#verdict") == "Negative"
    assert review_page.text_of("#mirror") == "The newer one."
    assert review_page.called_off() == ["The older one."]


def test_a_newer_review_ends_the_wait_for_an_older_one(review_page: ReviewPage) -> None:
    review_page.page.clock.install()
    newer = "A newer film."
    requests = review_page.fake(WAKING, answer(newer, [1.0]))
    review_page.read("An older film.")
    review_page.wait_for("waiting")
    review_page.read(newer)
    review_page.wait_for("result")
    review_page.page.clock.run_for(60_000)
    assert len(requests) == 2
    assert review_page.text_of("#mirror") == newer


def test_nothing_and_too_much_are_noticed_before_anything_is_sent(review_page: ReviewPage) -> None:
    requests = review_page.fake(GOOD)
    review_page.read("")
    assert "Write or paste a review first" in review_page.text_of("#complaint")
    review_page.read("?! …")
    assert "There is no word in this text yet" in review_page.text_of("#complaint")
    review_page.read("o" + "🎬" * 20_430)
    assert review_page.text_of("#complaint") == "431 characters too many. Please shorten it."
    assert review_page.page.locator("#review").get_attribute("aria-invalid") == "true"
    assert review_page.page.evaluate("document.activeElement.id") == "review"
    assert review_page.box() == "o" + "🎬" * 20_430
    assert requests == []
    review_page.read("o" + "🎬" * 19_999)
    review_page.wait_for("result")
    assert not review_page.page.locator("#complaint").is_visible()


def test_an_example_or_clearing_never_costs_the_reviewer_their_own_text(
    review_page: ReviewPage,
) -> None:
    review_page.fake(GOOD)
    back = review_page.page.get_by_role("button", name="Bring my text back")
    review_page.write("My own thoughts.")
    review_page.page.locator(".example").first.click()
    review_page.page.locator(".example").last.click()
    back.click()
    assert review_page.box() == "My own thoughts."
    assert not back.is_visible()
    review_page.page.get_by_role("button", name="Clear").click()
    assert review_page.box() == ""
    back.click()
    assert review_page.box() == "My own thoughts."


def test_the_page_works_without_the_model_s_figures(review_page: ReviewPage) -> None:
    review_page.fake(GOOD)
    review_page.page.route("**/api/model", lambda route: route.fulfill(status=502, body=""))
    review_page.page.reload()
    review_page.page.get_by_text("figures could not be loaded").wait_for()
    review_page.read(REVIEW)
    review_page.wait_for("result")
    assert review_page.text_of("#mirror") == REVIEW


VERDICTS = [
    (0.9999, None, "Positive", "Fairly sure, over 99%"),
    (0.9312, None, "Positive", "Fairly sure, 93%"),
    (0.55, None, "Positive", "Almost a coin toss, 55%"),
    (0.32, None, "Negative", "Leaning, not sure, 68%"),
    (0.2, "negative", "Negative", "Fairly sure, 80%"),
    (0.0134, None, "Negative", "Fairly sure, 99%"),
    (0.0001, None, "Negative", "Fairly sure, over 99%"),
    (0.55, "mixed", "Mixed", "It speaks for the film and against it: 55% positive"),
    (0.9, "unclear", "Not enough to go on", "Leaning positive, 90%, but do not build on it"),
    (0.9, "unheard-of", "Positive", "Fairly sure, 90%"),
]


def test_the_verdict_says_no_more_than_is_known(
    review_page: ReviewPage, subtests: pytest.Subtests
) -> None:
    gauge = review_page.page.get_by_role("img", name="Probability that it is positive")
    for probability, verdict, title, confidence in VERDICTS:
        with subtests.test(probability=probability, verdict=verdict):
            text = f"Scored {probability}, {verdict}"  # as few words are right 84 times in 100
            values: dict[str, object] = {
                "sentiment": "positive" if probability >= 0.5 else "negative",
                "probability": probability,
                "confidence": max(probability, 1 - probability),
            }
            review_page.page.unroute_all()
            review_page.fake(
                answer(text, [1.0], **values, **({"verdict": verdict} if verdict else {}))
            )
            review_page.read(text)
            review_page.wait_for_text(text)
            assert review_page.text_of("#verdict") == title
            assert review_page.text_of("#confidence") == confidence
            assert "100%" not in review_page.text_of("main")
            assert gauge.is_visible()


def test_the_surer_the_wider_the_verdict_is_set(review_page: ReviewPage) -> None:
    widths = []
    for confidence in (0.55, 0.75, 0.99):
        text = f"Sure {confidence}. " + "And more to say of it. " * 6
        review_page.page.unroute_all()
        review_page.fake(answer(text, [1.0], probability=confidence, confidence=confidence))
        review_page.read(text)
        review_page.wait_for_text(text)
        widths.append(review_page.page.locator("#verdict").evaluate("word => word.offsetWidth"))
    assert widths[0] * 1.1 < widths[1] and widths[1] * 1.1 < widths[2]


def test_what_is_known_of_texts_of_this_length_is_said(review_page: ReviewPage) -> None:
    with urlopen(f"{review_page.url}api/model") as response:
        metrics = json.load(response)["metrics"]
    short = "A fine film."
    long = "A fine film, and more to say of it than that. " * 5
    (slice_,) = [each for each in metrics["slices"] if each["tokens"] == "1 to 100"]
    known = [
        (short, metrics["short_accuracy"], "texts as short as this"),
        (long, slice_["accuracy"], "reviews of about this length"),
    ]
    for text, accuracy, texts in known:
        review_page.page.unroute_all()
        review_page.fake(answer(text, [1.0]))
        review_page.read(text)
        review_page.wait_for_text(text)
        expected = f"On {texts} the model is right {accuracy * 100:.0f} times in 100."
        assert review_page.text_of("#grounds") == expected


def test_an_error_while_somebody_writes_keeps_the_last_verdict(review_page: ReviewPage) -> None:
    review_page.show(REVIEW, GOOD, problem(502, "model-failed", "The model failed."), GOOD)
    review_page.type("!")
    review_page.page.locator("#hiccup").wait_for()
    assert "The verdict is that on the text before." in review_page.text_of("#hiccup")
    assert review_page.page.locator("#verdict").is_visible()
    review_page.type("!")
    review_page.wait_for_text(REVIEW + "!!")
    assert not review_page.page.locator("#hiccup").is_visible()
