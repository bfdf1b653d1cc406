"""Reviews of the real test split, as people wrote them."""

from __future__ import annotations

import os
import tarfile
from itertools import product
from pathlib import Path

import pytest

from tests.browser.review_page import ReviewPage
from tests.needs import need

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


PRAISE = ["The cast is great.", "I liked the music.", "It has its moments.", "It looks superb."]
BLAME = ["The plot is dull.", "It is far too long.", "But it is not good.", "What a mess it is!"]
AGAIN = ["The actors are fine, though.", "Still, see it once.", "And the end is bad.", "Perhaps."]


def test_verdicts_that_take_no_side_are_said_in_words(review_page: ReviewPage) -> None:
    """With the model's own answers: nobody knows which praise outweighs which blame."""
    texts = [" ".join(sentences) for sentences in product(PRAISE, BLAME, AGAIN)]
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
