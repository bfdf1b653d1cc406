"""Runs through many reviews: whatever happens on the way, no review is lost."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from tests.browser.many_page import ManyPage, csv_of, probability_of, some_reviews
from tests.browser.review_page import problem

if TYPE_CHECKING:
    from playwright.sync_api import Dialog

REVIEWS = some_reviews(300)
FILE = csv_of(REVIEWS)
WAKING = problem(503, "model-waking", "The model is waking up.", retry_after=2)
BUSY = problem(429, "too-many-requests", "Too Many Requests", retry_after=1)
BROKEN = problem(502, "model-failed", "The model took the request and failed.")
SET_UP = problem(500, "set-up", "The endpoint does not exist.")


def assert_all_is_there(many: ManyPage) -> None:
    """The download has each review with its own probability."""
    _, data = many.download()
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert [row["review"] for row in rows] == REVIEWS
    assert [float(row["probability"]) for row in rows] == list(map(probability_of, REVIEWS))


def test_every_review_is_asked_for_once_and_within_the_limits(many: ManyPage) -> None:
    api = many.pretend()
    many.score("reviews.csv", FILE)
    assert sorted(api.reviews()) == sorted(REVIEWS)
    assert max(map(len, api.asked)) <= 100
    assert_all_is_there(many)


def test_long_reviews_make_small_requests(many: ManyPage) -> None:
    reviews = [f"{n} " + "🎬" * 19_990 for n in range(60)] + ["\x00\x01" * 9_990 + " film"] * 40
    api = many.pretend()
    many.score("reviews.csv", csv_of(reviews))
    assert sorted(api.reviews()) == sorted(reviews)
    assert max(map(len, api.asked)) < 60


def test_it_waits_as_long_as_the_api_says_and_goes_on_by_itself(many: ManyPage) -> None:
    api = many.pretend(WAKING, "score", BUSY)
    many.choose("reviews.csv", FILE)
    many.start()
    many.wait_for("Waiting.")
    assert "waking up" in many.text_of("#status")
    assert "It goes on by itself in" in many.text_of("#status")
    assert "Waiting." in many.text_of("#announcement")
    many.wait_for("Done.")
    assert len(api.reviews()) > len(REVIEWS)
    assert_all_is_there(many)


def test_a_broken_connection_is_tried_again(many: ManyPage) -> None:
    many.pretend("score", "abort", "abort")
    many.score("reviews.csv", FILE)
    assert_all_is_there(many)


def test_it_waits_while_the_browser_is_offline(many: ManyPage) -> None:
    many.choose("reviews.csv", FILE)
    many.page.context.set_offline(True)
    many.start()
    many.wait_for("You are offline. It goes on by itself when the connection is back.")
    many.pretend()
    many.page.context.set_offline(False)
    many.wait_for("Done.")
    assert_all_is_there(many)


def test_a_call_that_fails_once_costs_nothing(many: ManyPage) -> None:
    api = many.pretend("score", BROKEN, "score", BROKEN)
    many.score("reviews.csv", FILE)
    assert "failed" not in many.text_of("#status")
    assert set(api.reviews()) == set(REVIEWS)
    assert_all_is_there(many)


def test_a_review_that_breaks_its_calls_fails_alone_and_can_be_tried_again(many: ManyPage) -> None:
    api = many.pretend()
    api.poison = {REVIEWS[123]}
    many.score("reviews.csv", FILE)
    assert "1 failed and can be tried again" in many.text_of("#status")
    many.page.get_by_label("Show").select_option("Failed or unreadable")
    rows = many.wait_for_rows(lambda rows: len(rows) == 1)
    assert rows[0][0] == "124"
    assert rows[0][2].startswith("Failed. The model took the request and failed. Status 502")
    _, data = many.download()
    problems = [row["problem"] for row in csv.DictReader(io.StringIO(data.decode(), newline=""))]
    assert [bool(problem) for problem in problems] == [n == 123 for n in range(300)]
    api.poison = set()
    many.page.get_by_role("button", name="Try the 1 failed again").click()
    many.wait_for("Done. 300 of 300")
    assert_all_is_there(many)


@pytest.mark.parametrize("before", [[], ["score", "score"]], ids=["at once", "on the way"])
def test_a_server_that_fails_pauses_the_run_marks_nothing_failed_and_go_on_goes_on(
    many: ManyPage, before: list[str]
) -> None:
    api = many.pretend(*before, *[BROKEN] * 6)
    many.choose("reviews.csv", FILE)
    many.start()
    many.wait_for("Paused. The model took the request and failed.")
    asked = len(api.asked)
    many.page.wait_for_timeout(300)
    assert len(api.asked) == asked <= len(before) + 4
    many.page.get_by_label("Show").select_option("Failed or unreadable")
    many.wait_for_rows(lambda rows: rows == [])
    many.page.get_by_role("button", name="Go on").click()
    many.wait_for("Paused.")
    many.page.get_by_role("button", name="Go on").click()
    many.wait_for("Done. 300 of 300 reviews are scored.")
    assert_all_is_there(many)


def test_a_single_review_on_a_server_that_fails_is_not_lost(many: ManyPage) -> None:
    many.pretend(*[BROKEN] * 3)
    many.choose("reviews.csv", "review\nA superb film.\n")
    many.start()
    many.wait_for("Paused.")
    many.page.get_by_role("button", name="Go on").click()
    many.wait_for("Done. 1 of 1 review is scored.")


def test_a_wrong_set_up_stops_it_at_once(many: ManyPage) -> None:
    api = many.pretend(SET_UP)
    many.choose("reviews.csv", FILE)
    many.start()
    many.wait_for("Paused. The endpoint does not exist.")
    assert len(api.asked) == 1


def test_a_pause_holds_and_going_on_goes_on(many: ManyPage) -> None:
    api = many.pretend()
    api.hold = True
    many.choose("reviews.csv", FILE)
    many.start()
    many.wait_for("Scoring")
    many.page.get_by_role("button", name="Pause").click()
    many.wait_for("Paused.")
    many.page.wait_for_timeout(200)
    api.release()
    many.page.wait_for_timeout(700)
    assert len(api.asked) == 1
    assert "20 of 300" in many.text_of("#done")
    api.hold = False
    many.page.get_by_role("button", name="Go on").click()
    many.wait_for("Done.")
    assert sorted(api.reviews()) == sorted(REVIEWS)
    assert_all_is_there(many)


def test_what_was_found_survives_cancelling_and_the_rest_can_be_scored(many: ManyPage) -> None:
    api = many.pretend()
    many.choose("reviews.csv", FILE)
    api.hold = True
    many.start()
    many.wait_for("Scoring")
    many.page.wait_for_timeout(300)
    api.release()
    many.page.locator("#done", has_text="20 of 300").wait_for()
    many.page.get_by_role("button", name="Cancel").click()
    many.wait_for("Stopped.")
    scored = many.text_of("#done").split(" ")[0]
    _, data = many.download()
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert str(sum(row["sentiment"] != "" for row in rows)) == scored
    assert {row["problem"] for row in rows} == {"", "Not scored."}
    api.hold = False
    many.page.get_by_role("button", name="Go on").click()
    many.wait_for("Done. 300 of 300")
    assert_all_is_there(many)


def test_leaving_asks_while_there_is_something_to_lose(many: ManyPage) -> None:
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    many.page.on("dialog", accept)
    many.pretend()
    many.score("reviews.csv", FILE)
    many.page.reload()
    assert asked == ["beforeunload"]
    many.score("reviews.csv", FILE)
    many.page.get_by_role("button", name="Another file").click()
    assert asked == ["beforeunload", "confirm"]
    many.score("reviews.csv", FILE)
    many.download()
    many.page.reload()
    assert asked == ["beforeunload", "confirm"]


def test_the_title_tells_how_far_it_is_and_the_end_is_announced(many: ManyPage) -> None:
    api = many.pretend()
    api.hold = True
    many.choose("reviews.csv", FILE)
    many.start()
    many.wait_for("Scoring")
    assert many.page.title().startswith("0% · ")
    api.hold = False
    api.release()
    many.wait_for("Done.")
    announced = "Done. 300 of 300 reviews are scored."
    many.page.locator("#announcement", has_text=announced).wait_for(state="attached")
