"""Reviews through everything that is real: browser, gateway, function, endpoint, model."""

from __future__ import annotations

import json
import os
import tarfile
from itertools import product
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.browser.review_page import ReviewPage
from tests.needs import need

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


EACH_SIDE = 8


@pytest.fixture(scope="module")
def real_reviews() -> list[tuple[str, str]]:
    """(verdict, review) from the test split. REELTONE_ARCHIVE names the data's archive."""
    archive = os.environ.get("REELTONE_ARCHIVE", "")
    need(Path(archive).is_file(), "REELTONE_ARCHIVE names no copy of aclImdb_v1.tar.gz")
    found: dict[str, list[str]] = {"neg": [], "pos": []}
    with tarfile.open(archive, "r|*") as members:
        for number, member in enumerate(members):
            _, split, side, *_ = [*member.name.split("/"), "", "", ""]
            if split == "train":
                break
            if split == "test" and side in found and member.isfile() and number % 1_500 == 7:
                file = members.extractfile(member)
                assert file
                found[side].append(file.read().decode())
    verdicts = {"neg": "Negative", "pos": "Positive"}
    return [(verdicts[side], text) for side in found for text in found[side][:EACH_SIDE]]


def test_real_reviews_are_shown_whole_and_most_are_judged_right(
    review_page: ReviewPage, real_reviews: list[tuple[str, str]]
) -> None:
    assert len(real_reviews) == 2 * EACH_SIDE
    right = 0
    for verdict, review in real_reviews:
        review_page.read(review)
        review_page.wait_for_text(review)
        right += review_page.text_of("#verdict") == verdict
        assert review_page.marks()
        assert review_page.page.locator("#strip button").count() >= 1
    assert right >= 2 * EACH_SIDE * 0.75


def test_real_reviews_survive_a_link(
    review_page: ReviewPage, real_reviews: list[tuple[str, str]]
) -> None:
    for _, review in real_reviews[::4]:
        review_page.read(review)
        review_page.wait_for_text(review)
        review_page.accept(review_page.link())
        review_page.wait_for_text(review)
        assert review_page.box() == review


MERITS = ["The cast is great.", "I liked the music.", "It has its moments.", "It looks superb."]
FLAWS = ["The plot is dull.", "It is far too long.", "But it is not good.", "What a mess it is!"]
ENDINGS = ["The actors are fine, though.", "Still, see it once.", "And the end is bad.", "Perhaps."]


def test_verdicts_that_take_no_side_are_said_in_words(review_page: ReviewPage) -> None:
    """With the model's own answers: nobody knows which praise outweighs which blame."""
    texts = [" ".join(sentences) for sentences in product(MERITS, FLAWS, ENDINGS)]
    texts.append("Xqwz vvk zzrt.")
    url = f"{review_page.url}api/sentiments"
    results = review_page.page.request.post(url, data={"reviews": texts}).json()["results"]
    found = {result["verdict"]: text for text, result in zip(texts, results, strict=True)}
    for verdict, words, confidence in (
        ("mixed", "Mixed", "It speaks for the film and against it"),
        ("unclear", "Not enough to go on", "but do not build on it"),
    ):
        review_page.read(found[verdict])
        review_page.wait_for_text(found[verdict])
        assert review_page.text_of("#verdict") == words
        assert confidence in review_page.text_of("#confidence")
        assert not review_page.scrolls_sideways()
