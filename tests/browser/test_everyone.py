"""For everyone: by keyboard alone, with a screen reader, on any display, on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import launch_firefox
from tests.browser.review_page import ReviewPage, answer, problem

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Playwright

pytestmark = pytest.mark.both_browsers

REVIEW = "A fine film with a dull, dull end and one superb song in it."
GOOD = answer(REVIEW, [0.9, 0.05, -0.6, 0.3], truncated=True)
BAD = answer(REVIEW, [-0.9, -0.2], sentiment="negative", probability=0.04, confidence=0.96)
WAKING = problem(503, "model-waking", "The model is waking up.", retry_after=100)
BROKEN = problem(502, "model-failed", "The model took the request and failed to answer it.")
STATES = [("result", GOOD), ("result", BAD), ("waiting", WAKING), ("problem", BROKEN)]


def test_everything_can_be_done_by_keyboard_alone(review_page: ReviewPage) -> None:
    page = review_page.page
    keys = page.keyboard
    review_page.fake(answer("Fine film.\nDull end.", [0.9, 0.5, -0.8, -0.3]))
    press_tab_until(review_page, page.locator("#review"))
    keys.type("Fine film.")
    keys.press("Enter")
    keys.type("Dull end.")
    assert review_page.box() == "Fine film.\nDull end."
    review_page.wait_for_text("Fine film.\nDull end.")
    assert page.evaluate("document.activeElement.id") == "review"
    keys.press("Control+Home")
    page.locator("#share", has_text="Fine speaks strongly for the film").wait_for()
    keys.press("Control+End")
    page.locator("#share", has_text="end. speaks a little against it").wait_for()
    press_tab_until(review_page, page.locator("#strike"))
    keys.press("Enter")
    assert review_page.text_of("#share") == "end. is struck out"
    press_tab_until(review_page, page.locator("#put-back"))
    keys.press("Enter")
    assert not page.locator("#put-back").is_visible()
    press_tab_until(review_page, page.locator("#strip button").first)
    assert review_page.text_of("#sentence-share") == "speaks for the film: Fine film."
    keys.press("ArrowRight")
    assert review_page.text_of("#sentence-share") == "speaks against it: Dull end."
    keys.press("Enter")
    assert review_page.marked("chosen") == ["Dull end."]


def press_tab_until(review_page: ReviewPage, wanted: Locator) -> None:
    """Press Tab until an element has the focus; each one on the way must show that it has it."""
    for _ in range(20):
        review_page.page.keyboard.press("Tab")
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert review_page.page.evaluate(outline) == "solid"
        if wanted.evaluate("element => element === document.activeElement"):
            return
    pytest.fail("20 presses of Tab did not reach the element")


def test_only_what_stands_out_is_marked(review_page: ReviewPage) -> None:
    text = "One two three four five six."
    contributions = [1.0, 0.8, -0.55, 0.3, 0.2, -0.1]
    review_page.fake(answer(text, contributions))
    review_page.read(text)
    review_page.wait_for_text(text)
    expected = [("for-3", "One"), ("for-3", "two"), ("against-2", "three"), ("for-1", "four")]
    assert review_page.marks() == expected
    assert review_page.page.locator("#strongest-for bdi").all_text_contents() == [
        *("One", "two", "four")
    ]
    assert review_page.page.locator("#strongest-against bdi").all_text_contents() == ["three"]


def test_words_are_marked_by_their_effect_where_it_was_measured(review_page: ReviewPage) -> None:
    text = "The superb end."
    spans = [(0, 3, -0.9, -0.01), (4, 10, -0.2, 1.4), (11, 15, -0.8, -0.05)]
    words = [
        {"start": start, "end": end, "contribution": contribution, "effect": effect}
        for start, end, contribution, effect in spans
    ]
    review_page.fake(answer(text, [1.0], words=words))
    review_page.read(text)
    review_page.wait_for_text(text)
    assert review_page.marks() == [("for-3", "superb")]
    review_page.point_at("The")
    assert review_page.text_of("#share") == "The hardly speaks either way"


def test_of_a_long_review_the_strongest_sentences_are_listed(review_page: ReviewPage) -> None:
    sentences = [f"Sentence {number} of many." for number in range(12)]
    text = " ".join(sentences)
    starts = [text.index(sentence) for sentence in sentences]
    spans = [
        {"start": start, "end": start + len(sentence), "contribution": weight}
        for start, sentence, weight in zip(
            starts, sentences, [0.1, 0.9, -0.2, 0.5, -1.2] + [0.01] * 7, strict=True
        )
    ]
    review_page.fake(answer(text, [0.1], sentences=spans))
    review_page.read(text)
    review_page.wait_for_text(text)
    listed = review_page.page.locator("#strongest-for bdi").all_text_contents()
    assert listed == [sentences[1], sentences[3], sentences[0]]
    review_page.page.locator("#strongest-against button").first.click()
    assert review_page.marked("chosen") == [sentences[4]]


def test_choosing_what_is_in_sight_does_not_move_the_page(review_page: ReviewPage) -> None:
    text = "A fine film, and more to say of it. " * 30
    review_page.show(text, answer(text, [0.9]))
    review_page.page.evaluate("document.querySelector('#strip button').focus()")
    review_page.page.evaluate("document.querySelector('#strip button').click()")
    assert review_page.page.evaluate("scrollY") == 0


def test_a_frame_quotes_its_sentence_and_marks_it(review_page: ReviewPage) -> None:
    review_page.show(REVIEW, GOOD)
    frame = review_page.page.locator("#strip button").last
    second = " ".join(REVIEW.split()[len(REVIEW.split()) // 2 :])
    frame.hover()
    assert review_page.text_of("#sentence-share").endswith(f": {second}")
    frame.click()
    assert frame.get_attribute("aria-current") == "true"
    assert review_page.marked("chosen") == [second]


def test_verdict_and_film_stay_in_view_wherever_one_has_scrolled(review_page: ReviewPage) -> None:
    text = "A fine film, and more to say of it. " * 80
    review_page.show(text, answer(text, [0.9]))
    review_page.page.evaluate("scrollTo(0, 900)")
    inside = "element => { const { top, bottom } = element.getBoundingClientRect();"
    inside += " return top >= 0 && bottom <= innerHeight; }"
    for part in ("#verdict", "#gauge", "#strip"):
        assert review_page.page.locator(part).evaluate(inside)


@pytest.mark.parametrize("size", [(1280, 860), (360, 640), (360, 330)], ids=str)
def test_the_line_one_writes_is_never_below_verdict_or_film(
    review_page: ReviewPage, size: tuple[int, int]
) -> None:
    review_page.fake(GOOD)
    review_page.page.set_viewport_size({"width": size[0], "height": size[1]})
    review_page.write("One line of many.\n" * 60)
    review_page.page.evaluate("scrollTo(0, 0)")
    review_page.type("The last")
    last, verdict, film = review_page.page.evaluate(LINES)
    assert verdict <= last
    assert last <= film


LINES = """() => {
  const text = document.getElementById("mirror").firstChild;
  const range = document.createRange();
  range.setStart(text, text.length - 2);
  range.setEnd(text, text.length);
  const place = (id) => document.getElementById(id).getBoundingClientRect();
  const film = Math.min(place("mood").top, innerHeight);
  return [range.getBoundingClientRect().bottom, place("gauge").bottom, film];
}"""


def test_for_and_against_differ_by_more_than_colour(review_page: ReviewPage) -> None:
    style = "kind => getComputedStyle(document.querySelector(`#legend .${kind}`))"
    for kind, line in (("for-3", "solid"), ("against-3", "wavy")):
        assert review_page.page.evaluate(f"({style})('{kind}').textDecorationStyle") == line


MEDIA: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced": {"forced_colors": "active"},
}


@pytest.mark.chromium_alone
@pytest.mark.parametrize("media", MEDIA.values(), ids=MEDIA)
def test_axe_finds_nothing_in_any_state(
    review_page: ReviewPage, check_axe: Callable[[Page], None], media: dict[str, Any]
) -> None:
    review_page.page.emulate_media(**media)
    check_all_states(review_page, check_axe)


FIREFOX: dict[str, dict[str, str | float | bool]] = {
    "(prefers-color-scheme: dark)": {"layout.css.prefers-color-scheme.content-override": 0},
    "(forced-colors: active)": {"browser.display.document_color_use": 2},
}
"""What a reader of Firefox may want, and the preference that says so."""


@pytest.mark.parametrize(("wish", "preferences"), FIREFOX.items(), ids=FIREFOX)
def test_axe_finds_nothing_in_firefox_either(
    playwright: Playwright,
    site: str,
    tmp_path: Path,
    check_axe: Callable[[Page], None],
    wish: str,
    preferences: dict[str, str | float | bool],
) -> None:
    with launch_firefox(playwright, tmp_path, preferences) as firefox:
        page = ReviewPage(firefox.new_page(), site)
        page.open()
        assert page.page.evaluate("wish => matchMedia(wish).matches", wish)
        page.show(REVIEW, GOOD)
        page.strike("fine")
        check_axe(page.page)
        assert page.faults == []


def check_all_states(review_page: ReviewPage, check_axe: Callable[[Page], None]) -> None:
    """Look at the page with each kind of answer, at an offer, and at the developers' page."""
    page = review_page.page
    page.locator("#past-summary").click()
    check_axe(page)
    for state, fake in STATES:
        page.unroute_all()
        review_page.fake(fake)
        review_page.read(REVIEW)
        review_page.wait_for(state)
        if state == "result":
            review_page.strike("dull,")
            review_page.strike("fine")
            page.locator("#strip button").last.click()
            link = review_page.link()
        check_axe(page)
    review_page.follow(link)
    check_axe(page)
    page.unroute_all()
    page.goto(review_page.url + "developers.html")
    page.get_by_role("button", name="Send").click()
    page.locator("#response-line", has_text="200").wait_for()
    check_axe(page)


@pytest.mark.parametrize("width", [320, 768, 1920])
def test_no_display_is_too_narrow(review_page: ReviewPage, width: int) -> None:
    page = review_page.page
    page.set_viewport_size({"width": width, "height": 700})
    assert not review_page.scrolls_sideways()
    for state, fake in STATES:
        page.unroute_all()
        review_page.fake(fake)
        review_page.read(REVIEW)
        review_page.wait_for(state)
        assert not review_page.scrolls_sideways()
        if state == "result":
            review_page.strike("fine")
            page.locator("#make-link").click()
            page.locator("#link").wait_for()
            assert not review_page.scrolls_sideways()
            review_page.read(REVIEW)
            page.locator("#put-back").wait_for(state="hidden")


def test_a_long_strip_scrolls_in_itself(review_page: ReviewPage) -> None:
    text = " ".join(["Fine."] * 60)
    spans = [{"start": 6 * n, "end": 6 * n + 5, "contribution": (-1) ** n} for n in range(60)]
    review_page.fake(answer(text, [1.0], sentences=spans))
    review_page.page.set_viewport_size({"width": 320, "height": 700})
    review_page.read(text)
    review_page.wait_for("result")
    assert not review_page.scrolls_sideways()
    frame = review_page.page.locator("#strip button").first.bounding_box()
    assert frame and min(frame["width"], frame["height"]) >= 24


@pytest.mark.chromium_alone
def test_dark_and_light_follow_the_reader_s_wish(review_page: ReviewPage) -> None:
    brightness = """() => getComputedStyle(document.body).backgroundColor
        .match(/\\d+/g).slice(0, 3).map(Number).reduce((sum, part) => sum + part) / 3"""
    review_page.page.emulate_media(color_scheme="light")
    assert review_page.page.evaluate(brightness) > 190
    review_page.page.emulate_media(color_scheme="dark")
    assert review_page.page.evaluate(brightness) < 40


@pytest.mark.chromium_alone
def test_nothing_moves_for_those_who_want_no_motion(review_page: ReviewPage) -> None:
    review_page.fake(WAKING)
    review_page.read(REVIEW)
    review_page.wait_for("waiting")
    running = "() => document.getAnimations().length"
    assert review_page.page.evaluate(running) == 0
    review_page.page.emulate_media(reduced_motion="no-preference")
    assert review_page.page.evaluate(running) > 0


@pytest.mark.chromium_alone
def test_on_paper_there_is_the_verdict_and_no_form(review_page: ReviewPage) -> None:
    review_page.show(REVIEW, GOOD)
    review_page.page.emulate_media(media="print")
    assert review_page.page.locator("#verdict").is_visible()
    assert review_page.page.locator("#mirror").is_visible()
    for part in ("#review", "nav", ".examples", "#strike"):
        assert not review_page.page.locator(part).first.is_visible()


def test_a_verdict_is_one_sheet_of_paper_with_its_words_marked(
    review_page: ReviewPage, print_page: Callable[[Page], list[str]]
) -> None:
    review_page.show(REVIEW, GOOD)
    page, before = review_page.page, review_page.marks()
    # Firefox prints no highlights: spans stand for them while it does.
    page.evaluate("""() => addEventListener("beforeprint", () => {
      const marks = document.querySelectorAll("#mirror .mark");
      window.printed = Array.from(marks, (mark) => mark.textContent);
    })""")
    [sheet] = print_page(page)
    assert "".join(REVIEW.split()) in "".join(sheet.split())
    assert "Copy a link" not in sheet and "characters" not in sheet
    assert page.evaluate("window.printed") == [words for _, words in before]
    assert review_page.marks() == before


def test_the_way_to_the_model_leads_there(review_page: ReviewPage) -> None:
    page = review_page.page
    page.goto(f"{review_page.url}many.html")
    page.get_by_role("link", name="The model").click()
    page.locator("#accuracy", has_text="%").wait_for()
    page.wait_for_function("document.getElementById('model').getBoundingClientRect().top < 250")


def test_on_a_phone_what_strikes_a_word_is_within_reach(review_page: ReviewPage) -> None:
    page = review_page.page
    page.set_viewport_size({"width": 360, "height": 640})
    review_page.show(REVIEW, GOOD)
    review_page.point_at("superb")
    place = page.locator("#strike").bounding_box()
    assert place and place["y"] + place["height"] <= 640 and place["x"] + place["width"] <= 360
    assert min(place["width"], place["height"]) >= 24


def test_text_is_selected_with_the_mouse(review_page: ReviewPage) -> None:
    review_page.show(REVIEW, GOOD)
    place = review_page.page.locator("#review").bounding_box()
    assert place
    mouse = review_page.page.mouse
    mouse.move(place["x"] + 20, place["y"] + 25)
    mouse.down()
    mouse.move(place["x"] + 260, place["y"] + 25, steps=5)
    mouse.up()
    chosen = "box => box.value.slice(box.selectionStart, box.selectionEnd)"
    selected = review_page.page.locator("#review").evaluate(chosen)
    assert len(selected) > 10 and selected in REVIEW


def test_without_highlights_the_words_are_marked_all_the_same(browser: Browser, site: str) -> None:
    text = "A superb 🎬 film with\na dull, dull end."
    with browser.new_context(viewport={"width": 1280, "height": 860}) as context:
        page = ReviewPage(context.new_page(), site)
        page.page.add_init_script("delete window.Highlight")
        page.open()
        page.fake(answer(text, [0.0, 0.9, 0.0, 0.0, 0.0, 0.0, -0.8, -0.8, 0.0]))
        page.read(text)
        page.wait_for_text(text)
        assert page.page.locator("#mirror .for-3").all_text_contents() == ["superb"]
        assert page.page.locator("#mirror .against-3").all_text_contents() == ["dull,", "dull"]
        page.type(" And")
        assert page.text_of("#mirror") == text + " And"
        assert page.faults == []


SMALL = """() => [...document.querySelectorAll("button, summary, select, nav a, .colophon a")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.getBoundingClientRect(), each.textContent.trim()])
  .filter(([{ width, height }]) => Math.min(width, height) < 24)
  .map(([{ width, height }, text]) => [text, width, height])"""


@pytest.mark.parametrize("name", ["", "developers.html"])
def test_what_is_touched_is_large_enough(review_page: ReviewPage, name: str) -> None:
    page = review_page.page
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(review_page.url + name)
    if not name:
        review_page.show(REVIEW, GOOD)
        review_page.strike("superb")
    assert page.evaluate(SMALL) == []


def test_the_page_is_named_described_and_in_a_language(review_page: ReviewPage) -> None:
    page = review_page.page
    assert page.title() == "Reeltone: rave or pan?"
    assert page.locator("html").get_attribute("lang") == "en"
    assert "film review" in (page.locator("meta[name=description]").get_attribute("content") or "")
    assert page.get_by_label("Film review, in English").count() == 1
    review_page.show(REVIEW, GOOD)
    assert page.title() == "Positive, 93% · Reeltone"


def test_a_screen_reader_hears_the_verdict_once_the_writer_pauses(review_page: ReviewPage) -> None:
    review_page.page.clock.install()
    review_page.page.evaluate(LISTEN)
    text = "A fine film."
    review_page.fake(answer(text, [0.9]))
    for end in range(1, len(text) + 1):
        review_page.write(text[:end])
        review_page.page.clock.run_for(700)  # slow enough to be read each time
        review_page.wait_for("result")
    assert heard(review_page) == []
    review_page.page.clock.run_for(3_000)
    assert heard(review_page) == ["Positive. Fairly sure, 93%."]


LISTEN = """() => {
  window.heard = [];
  const listen = (changes) => window.heard.push(...changes.map((each) => each.target.textContent));
  for (const live of document.querySelectorAll("[role=status], [role=alert], [aria-live]")) {
    new MutationObserver(listen).observe(live, { childList: true });
  }
}"""


def heard(review_page: ReviewPage) -> list[str]:
    """What live regions have said since LISTEN."""
    said: list[str] = review_page.page.evaluate("window.heard.filter((text) => text !== '')")
    return said
