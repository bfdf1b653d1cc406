"""Whatever somebody pastes into the box is text, comes back as such, and has its offsets."""

from __future__ import annotations

import json
import random

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


def test_hostile_text_comes_back_exactly_from_page_history_link_and_reload(
    review_page: ReviewPage, subtests: pytest.Subtests
) -> None:
    page = review_page.page
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.set_viewport_size({"width": 320, "height": 640})
    for name, text in TEXTS.items():
        with subtests.test(name):
            review_page.read(text)
            review_page.wait_for_text(text)
            assert review_page.box() == text
            assert set(page.evaluate(ELEMENTS)) <= OUR_ELEMENTS
            assert not review_page.scrolls_sideways()
            link = review_page.link()
            review_page.read("Something else.")
            review_page.wait_for_text("Something else.")
            assert review_page.past()[1]["text"] == text
            review_page.accept(link)
            review_page.wait_for_text(text)
            assert review_page.box() == text
            page.reload()
            assert review_page.box() == text
            assert set(page.evaluate(ELEMENTS)) <= OUR_ELEMENTS
    assert dialogs == []
    assert "owned" not in page.title()


def test_a_problem_s_words_are_shown_as_text(review_page: ReviewPage) -> None:
    markup = "<img src=x onerror=alert(1)>"
    review_page.fake(problem(400, "malformed-request", markup))
    review_page.read("fine")
    review_page.wait_for("problem")
    assert markup in review_page.text_of("#card-text")
    assert review_page.page.locator("main img").count() == 0


ALPHABET = [*"aé🎬ש𝒻 \n\x00", "e\u0301", "👍🏽", "\ud83d", "\ude00", "\u200d"]

SPLIT = """async json => {
  const { splitIntoPieces } = await import("/js/offsets.js");
  return JSON.stringify(JSON.parse(json).map(([text, words]) => splitIntoPieces(text, words)));
}"""
COUNT = """async json => {
  const { countCodePoints } = await import("/js/offsets.js");
  return JSON.parse(json).map(countCodePoints);
}"""


def make_texts(number: int) -> list[str]:
    """Texts of every sort, the same at each run; no two surrogates meet by accident as a pair."""
    source = random.Random(2711)
    texts = ["".join(source.choices(ALPHABET, k=source.randrange(40))) for _ in range(number)]
    return [json.loads(json.dumps(text)) for text in texts]


def make_words(text: str, source: random.Random) -> list[dict[str, float]]:
    """Stretches of a text that do not overlap, in order."""
    cuts = sorted(source.sample(range(len(text) + 1), min(len(text), 8)))
    ends = zip(cuts[::2], cuts[1::2], strict=False)
    return [{"start": start, "end": end, "contribution": 0.5} for start, end in ends]


@pytest.mark.chromium_alone
def test_characters_are_counted_as_the_api_counts_them(review_page: ReviewPage) -> None:
    texts = make_texts(500)
    counted = review_page.page.evaluate(COUNT, json.dumps(texts))
    assert counted == [len(text) for text in texts]


@pytest.mark.chromium_alone
def test_pieces_are_the_words_at_their_offsets_and_together_the_text(
    review_page: ReviewPage,
) -> None:
    source = random.Random(412)
    cases = [(text, make_words(text, source)) for text in make_texts(500)]
    answers = json.loads(review_page.page.evaluate(SPLIT, json.dumps(cases)))
    for (text, words), pieces in zip(cases, answers, strict=True):
        assert "".join(piece["text"] for piece in pieces) == text
        marked = [piece["text"] for piece in pieces if piece["contribution"] is not None]
        assert marked == [text[int(word["start"]) : int(word["end"])] for word in words]


@pytest.mark.chromium_alone
def test_words_in_the_same_place_become_one_piece_with_their_sum(review_page: ReviewPage) -> None:
    words = [
        {"start": 2, "end": 7, "contribution": 1.0},
        {"start": 2, "end": 7, "contribution": 0.5},
        {"start": 90, "end": 99, "contribution": 0.25},
    ]
    case = ["a &amp; b", words]
    (pieces,) = json.loads(review_page.page.evaluate(SPLIT, json.dumps([case])))
    assert [(piece["text"], piece["contribution"]) for piece in pieces] == [
        ("a ", None),
        ("&amp;", 1.5),
        (" b", None),
    ]
