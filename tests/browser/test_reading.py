"""Reviews through everything that is real: browser, gateway, function, endpoint, model."""

from __future__ import annotations

import json
from urllib.request import urlopen

import pytest

from tests.browser.review_page import ReviewPage

pytestmark = pytest.mark.both_browsers

PRAISE = """A wonderful film! Superb acting, a moving story, and photography to fall in love with.

I laughed, I cried — one of the best of the year. 🎬👏 Don’t miss it: 10/10."""
SCORN = """What a waste of time. The script is awful, the acting is terrible & the jokes fall.<br />
Boring, ugly and far too long; the worst film I have seen in years. 1/10 👎🏽"""


@pytest.mark.parametrize(("review", "verdict"), [(PRAISE, "Positive"), (SCORN, "Negative")])
def test_a_review_gets_its_verdict_and_its_own_text_back_with_words_marked(
    review_page: ReviewPage, review: str, verdict: str
) -> None:
    review_page.read(review)
    review_page.wait_for("result")
    assert review_page.text_of("#verdict") == verdict
    assert review_page.text_of("#announcement").startswith(f"{verdict}. ")
    assert review_page.box() == review
    lit = {words for kind, words in review_page.marks() if kind.startswith(("for", "against"))}
    assert len(lit) > 2


def test_the_words_that_weigh_most_are_marked_most(review_page: ReviewPage) -> None:
    review_page.read(SCORN)
    review_page.wait_for("result")
    listed = review_page.page.locator("#strongest-against bdi").all_text_contents()
    assert {"worst", "awful", "waste", "terrible", "Boring"} & set(listed)
    assert set(listed) <= set(review_page.marked("against"))


def test_the_mood_has_a_frame_for_each_sentence(review_page: ReviewPage) -> None:
    praise = "Superb acting, a wonderful story, and the best music of the year!"
    review_page.read(f"{praise} Then it turns dull and stupid. The end is awful!")
    review_page.wait_for("result")
    frames = review_page.page.locator("#strip button")
    assert frames.count() == 3
    assert frames.first.get_attribute("aria-label") == "Sentence 1 of 3 speaks for the film"
    frames.first.hover()
    assert review_page.text_of("#sentence-share") == f"speaks for the film: {praise}"
    assert frames.last.get_attribute("aria-label") == "Sentence 3 of 3 speaks against it"


def test_every_example_is_read_at_one_press(review_page: ReviewPage) -> None:
    examples = review_page.page.locator(".example")
    verdicts: dict[str, str] = {}
    for index in range(examples.count()):
        examples.nth(index).click()
        review_page.wait_for_text(review_page.box())
        name = (examples.nth(index).text_content() or "").split(" ")[0]
        verdicts[name] = review_page.text_of("#verdict")
    assert len(verdicts) == examples.count() == 5
    assert (verdicts["Raveshort"], verdicts["Panshort"]) == ("Positive", "Negative")
    assert review_page.past() == []


def test_a_long_review_says_that_it_was_cut_and_is_shown_whole(review_page: ReviewPage) -> None:
    review = " ".join(f"Sentence {number} of a fine film." for number in range(200))
    review_page.read(review)
    review_page.wait_for("result")
    assert "longer than the model reads" in review_page.text_of("#truncated")
    assert review_page.text_of("#mirror") == review
    (skipped,) = review_page.marked("unread")
    assert len(review) / 4 < len(skipped) < len(review)


def test_markup_without_words_is_refused_and_kept(review_page: ReviewPage) -> None:
    review_page.faked = True  # the refusal is in the console
    review_page.read("<b>…</b> ?!")
    review_page.wait_for("problem")
    assert review_page.text_of("#card-title") == "No words to read"
    assert "Status 422" in review_page.text_of("#card-request")
    assert review_page.box() == "<b>…</b> ?!"


def test_the_model_s_figures_are_its_own_in_plain_words(review_page: ReviewPage) -> None:
    with urlopen(f"{review_page.url}api/model") as response:
        model = json.load(response)
    metrics = model["metrics"]
    right = round(metrics["accuracy"] * metrics["reviews"])
    assert review_page.text_of("#accuracy") == f"{metrics['accuracy']:.1%}"
    assert f"{right:,} of {metrics['reviews']:,} reviews" in review_page.text_of("#accuracy-text")
    assert f"{metrics['ece'] * 100:.1f} percentage points" in review_page.text_of("#calibration")
    assert f"{model['limits']['tokens']:,} words and marks" in review_page.text_of("#model")
    assert "Irony and sarcasm" in review_page.text_of("#model")
    assert model["version"] in review_page.text_of("#credits")
    assert f"{model['limits']['characters']:,} characters" in review_page.text_of("#count")
