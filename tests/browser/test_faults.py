"""The states of the page when the network and the API really go wrong, through a faulty gateway."""

from __future__ import annotations

import json

from tests.browser.faulty_site import HANG, RESET, FaultySite
from tests.browser.review_page import REQUEST_ID, Fake, ReviewPage, problem

REVIEW = "A wonderful film 🎬, superb to\nthe last frame."
WAKING = problem(503, "model-waking", "The model was asleep and is waking up.", retry_after=2)
THROTTLED = Fake(
    429, '{"message":"Too Many Requests"}', {"content-type": "application/json", "retry-after": "2"}
)
BROKEN = problem(500, "internal-error", "A fault in Reeltone; report the request id.")


def test_a_model_that_wakes_up_is_awaited_and_answers(
    faulty_page: ReviewPage, faulty: FaultySite
) -> None:
    faulty.faults += [WAKING, WAKING]
    faulty_page.read(REVIEW)
    faulty_page.wait_for("waiting")
    assert faulty_page.text_of("#card-title") == "Warming up the projector"
    assert faulty_page.text_of("#countdown") in ("1", "2", "3")
    faulty_page.wait_for("result")
    assert [json.loads(body)["review"] for body in faulty.seen] == [REVIEW] * 3
    assert faulty_page.text_of("#verdict") == "Positive"


def test_a_throttled_review_is_sent_again_when_the_api_says_so(
    faulty_page: ReviewPage, faulty: FaultySite
) -> None:
    faulty.faults.append(THROTTLED)
    faulty_page.read(REVIEW)
    faulty_page.wait_for("waiting")
    assert faulty_page.text_of("#card-title") == "Full house"
    faulty_page.wait_for("result")
    assert len(faulty.seen) == 2


def test_an_error_shows_its_request_id_and_another_try_helps(
    faulty_page: ReviewPage, faulty: FaultySite
) -> None:
    faulty.faults.append(BROKEN)
    faulty_page.read(REVIEW)
    faulty_page.wait_for("problem")
    assert faulty_page.text_of("#card-request") == f"Status 500, request {REQUEST_ID}"
    assert faulty_page.box() == REVIEW
    faulty_page.page.get_by_role("button", name="Try again").click()
    faulty_page.wait_for("result")


def test_a_connection_that_breaks_once_is_not_even_noticed(
    faulty_page: ReviewPage, faulty: FaultySite
) -> None:
    faulty.faults.append(RESET)
    faulty_page.read(REVIEW)
    faulty_page.wait_for("result")
    assert len(faulty.seen) >= 2


def test_a_connection_that_stays_broken_is_named_and_the_text_kept(
    faulty_page: ReviewPage, faulty: FaultySite
) -> None:
    faulty.faults += [RESET] * 8
    faulty_page.read(REVIEW)
    faulty_page.wait_for("problem")
    assert faulty_page.text_of("#card-title") == "No connection"
    assert faulty_page.box() == REVIEW
    faulty.faults.clear()
    faulty_page.page.get_by_role("button", name="Try again").click()
    faulty_page.wait_for("result")


def test_a_hanging_answer_can_be_called_off_and_overtaken(
    faulty_page: ReviewPage, faulty: FaultySite
) -> None:
    faulty.faults.append(HANG)
    faulty_page.read(REVIEW)
    faulty_page.wait_for("reading")
    faulty_page.page.get_by_role("button", name="Cancel").click()
    faulty_page.wait_for("stopped")
    assert faulty_page.box() == REVIEW
    faulty.faults.append(HANG)
    faulty_page.read(REVIEW)
    faulty_page.wait_for("reading")
    faulty_page.type(" More.")
    faulty_page.wait_for_text(f"{REVIEW} More.")


def test_writing_offline_goes_on_by_itself_when_the_connection_is_back(
    faulty_page: ReviewPage, faulty: FaultySite
) -> None:
    context = faulty_page.page.context
    context.set_offline(True)
    faulty_page.type("A wonderful film.")
    faulty_page.wait_for("problem")
    assert faulty_page.text_of("#card-title") == "You are offline"
    assert faulty.seen == []
    context.set_offline(False)
    faulty_page.wait_for("result")
    assert faulty_page.text_of("#mirror") == "A wonderful film."


def test_no_fault_leaves_the_page_blank_or_takes_the_text(
    faulty_page: ReviewPage, faulty: FaultySite
) -> None:
    html = Fake(502, "<html><b>Bad gateway</b></html>", {"content-type": "text/html"})
    for fault in (BROKEN, html, Fake(200, "", {}), Fake(204, "", {}), Fake(200, "[]", {})):
        faulty.faults.append(fault)
        faulty_page.read(REVIEW)
        faulty_page.wait_for("problem")
        assert faulty_page.text_of("#card-title")
        assert faulty_page.text_of("#card-text")
        assert faulty_page.box() == REVIEW
        faulty_page.page.reload()
        assert faulty_page.box() == REVIEW
