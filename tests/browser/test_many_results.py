"""The results of many reviews: found, sorted, filtered, by anybody, at any size."""

from __future__ import annotations

import os
import re
import tarfile
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.many_page import ManyPage, csv_of, probability_of, some_reviews, take_screenshot

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

REVIEWS = [f"{n} a {'superb' if n % 3 else 'dull'} film" for n in range(200)]
HOSTILE = [
    "<script>document.title = 'owned'</script> <img src=x onerror=alert(1)> film",
    "a \u202eneddih\u202c film שלום فيلم",
    "good\x00film\x1b[31m",
    "👩‍👩‍👧‍👦 film \u200b\ufeff",
    "o" * 20_001,
    "f" * 20_000,
    "?!",
]


@pytest.mark.both_browsers
def test_the_sample_goes_through_everything_that_is_real(many: ManyPage) -> None:
    many.page.get_by_role("button", name="Try it with a sample").click()
    many.start()
    many.wait_for("Done. 28 of 30 reviews are scored. 2 can’t be read")
    assert many.text_of("#positive").endswith("%")
    # Which words come first is the model's to say; some plain ones are among them for any.
    praise, blame = many.text_of("#words-for"), many.text_of("#words-against")
    assert any(word in praise for word in ("wonderful", "superb", "excellent", "loved"))
    assert any(word in blame for word in ("mess", "clumsy", "waste", "awful", "dull"))
    assert praise != blame
    many.page.get_by_label("Group by").select_option("film")
    many.page.locator("#group-rows tr").nth(5).wait_for()
    many.page.get_by_label("Compare with").select_option("stars")
    many.page.get_by_role("button", name=re.compile(r"Disagrees in \d rows?")).click()
    many.wait_for_rows(lambda rows: 0 < len(rows) < 10)
    many.page.locator("#rows button").first.click()
    many.page.locator(".opened .word").first.wait_for()
    many.page.get_by_label("Over time by").select_option("date")
    many.page.locator("#report-charts li").nth(2).wait_for()


def test_the_sample_comes_back_with_all_of_its_rows(many: ManyPage) -> None:
    many.pretend()
    many.page.get_by_role("button", name="Try it with a sample").click()
    many.start()
    many.wait_for("Done.")
    _, data = many.download()
    assert data.count(b"\r\n") == 31


def test_figures_histogram_and_words_add_up(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of(REVIEWS))
    positive = sum(probability_of(review) >= 0.5 for review in REVIEWS)
    assert many.text_of("#positive") == f"{positive / 2:.1f}%"
    assert many.text_of("#positive-text") == f"positive: {positive} of 200 scored"
    tenths = [min(int(probability_of(review) * 10), 9) for review in REVIEWS]
    bars = many.page.locator("#bins li").all_text_contents()
    assert bars == [f"{n * 10} to {n * 10 + 10}%: {tenths.count(n)}" for n in range(10)]
    assert many.page.locator("#words-for li").first.text_content() == "superbin 133"
    assert many.page.locator("#words-against li").all_text_contents() == ["dullin 67"]
    assert "at 95% confidence" in many.text_of("#interval")


def test_frequent_words_that_say_little_are_not_listed(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of([f"{'a ' * 200}superb film {n}" for n in range(20)]))
    listed = many.page.locator("#words-for bdi").all_text_contents()
    assert listed == ["superb"]  # though "a" weighs more in all
    assert "By what they add to the verdict on average" in many.text_of("#sample-note")


def test_the_table_is_put_in_order_and_its_pages_turned(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of([*REVIEWS, "?!"]))
    assert many.column(0) == [str(n) for n in range(1, 51)]
    following = many.page.get_by_role("button", name="Next")
    following.first.click()
    many.wait_for_rows(lambda rows: rows[0][0] == "51")
    assert many.page.locator(".where").all_text_contents() == ["51 to 100 of 201 reviews"] * 2
    by = many.page.get_by_label("Order")
    ranked = sorted(REVIEWS, key=probability_of)
    by.select_option("Most positive first")
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == ranked[::-1][:50])
    by.select_option("Most negative first")
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == ranked[:50])
    by.select_option("Least sure first")
    unsure = sorted(REVIEWS, key=lambda review: abs(probability_of(review) - 0.5))
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == unsure[:50])
    for start in ("51", "101", "151", "201"):
        following.last.click()
        many.page.locator(".where", has_text=f"{start} to ").first.wait_for()
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == ["?!"])
    # The button that has lost its use still has the focus, and the new rows are in sight.
    assert many.page.evaluate("document.activeElement.className") == "button next"
    assert following.last.get_attribute("aria-disabled") == "true"
    following.last.press("Enter")
    assert many.column(1) == ["?!"]


def test_next_brings_the_first_of_the_next_rows_into_sight(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of(REVIEWS))
    many.page.locator("#table").evaluate("table => table.scrollTo(0, 9999)")
    many.page.get_by_role("button", name="Next").last.click()
    many.wait_for_rows(lambda rows: rows[0][0] == "51")
    first = many.page.locator("#rows tr").first
    many.page.wait_for_timeout(100)
    assert first.evaluate(
        """row => {
          const { top, bottom } = row.getBoundingClientRect();
          return top >= 0 && bottom <= innerHeight;
        }"""
    )


COLUMNS = "film,stars,seen,review\n" + "".join(
    f"{['Alien', 'Cats', 'Heat'][n % 3]},{n % 5 + 1},2024-{n % 4 + 1:02}-0{n % 9 + 1},{review}\n"
    for n, review in enumerate(REVIEWS)
)


def test_the_file_s_own_columns_are_shown_and_put_the_rows_in_order(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", COLUMNS)
    heads = many.page.locator("#heads th").all_text_contents()
    assert heads == ["Row", "review", "Verdict", "Positive", "film", "stars", "seen"]
    assert many.rows()[1][4:] == ["Cats", "2", "2024-02-02"]
    stars = many.page.locator("#heads").get_by_role("button", name="stars")
    stars.click()
    many.wait_for_rows(lambda rows: {row[5] for row in rows[:40]} == {"1"})
    stars.click()
    many.wait_for_rows(lambda rows: {row[5] for row in rows[:40]} == {"5"})
    assert stars.locator("..").get_attribute("aria-sort") == "descending"
    many.page.locator("#heads").get_by_role("button", name="film").click()
    many.wait_for_rows(lambda rows: {row[4] for row in rows} == {"Alien"})
    many.page.locator("#heads").get_by_role("button", name="Positive").click()
    ranked = sorted(REVIEWS, key=probability_of)
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == ranked[:50])


def test_the_heads_stay_while_the_table_scrolls(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", COLUMNS)
    table = many.page.locator("#table")
    table.evaluate("table => table.scrollTo(0, 900)")
    tops = table.evaluate(
        """table => [table.getBoundingClientRect().top,
          document.querySelector("#heads th").getBoundingClientRect().top]"""
    )
    assert abs(tops[0] - tops[1]) < 3


def test_the_table_is_filtered(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of([*REVIEWS, "?!"]))
    page = many.page
    page.get_by_label("Show").select_option("Positive")
    page.get_by_label("Contains").fill("DULL")
    wanted = [r for r in REVIEWS if probability_of(r) >= 0.5 and "dull" in r]
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == wanted)
    assert many.text_of(".where >> nth=0").endswith(f" of {len(wanted)} reviews")
    assert page.locator("#rows mark").all_text_contents() == ["dull"] * len(wanted)
    page.get_by_label("Show").select_option("All")
    page.get_by_label("Contains").fill("")
    many.wait_for_rows(lambda rows: len(rows) == 50)
    page.get_by_label("Show").select_option("Failed or unreadable")
    unreadable = ["201", "?!", "The review has no word in it.", "200"]
    many.wait_for_rows(lambda rows: rows == [unreadable])


def test_a_bar_and_a_word_filter_the_rows_and_can_be_taken_away(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of([*REVIEWS, "superbly made"]))
    bar = many.page.locator("#bins button").nth(7)
    bar.click()
    tenth = [r for r in [*REVIEWS, "superbly made"] if int(probability_of(r) * 10) == 7]
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == tenth)
    assert bar.get_attribute("aria-pressed") == "true"
    many.page.get_by_role("button", name="70 to 80% positive: show others again").click()
    many.wait_for_rows(lambda rows: len(rows) == 50)
    many.page.locator("#words-for button").first.click()
    many.wait_for_rows(lambda rows: all("superb" in row[1].split() for row in rows))
    assert many.text_of(".where >> nth=0").endswith(" of 133 reviews")


def test_a_row_opens_to_its_whole_review_with_its_words_marked(many: ManyPage) -> None:
    many.pretend()
    answer = {
        "sentiment": "positive", "probability": 0.97, "confidence": 0.97, "truncated": False,
        "model": "m", "sentences": [],
        "words": [
            {"start": 0, "end": 1, "contribution": 0.9, "effect": 0.1},
            {"start": 2, "end": 8, "contribution": 0.2, "effect": 2.0},
            {"start": 9, "end": 13, "contribution": -0.1, "effect": -1.0},
        ],
    }  # fmt: skip
    many.page.route("**/api/sentiment", lambda route: route.fulfill(json=answer))
    long = "A superb dull film" + ", and on it goes" * 60
    many.score("reviews.csv", f'id,review\n7,"{long}"\n8,Other\n')
    opener = many.page.get_by_role("button", name="Row 1: the whole review")
    opener.focus()
    many.page.keyboard.press("Enter")
    opened = many.page.locator(".opened")
    opened.get_by_text("Positive, 97%.").wait_for()
    assert opened.locator(".review").text_content() == long
    assert opened.locator(".for").all_text_contents() == ["superb"]
    assert opened.locator(".against").all_text_contents() == ["dull"]
    assert opened.locator("dd").all_text_contents() == ["7"]
    assert opener.get_attribute("aria-expanded") == "true"
    opener.press("Enter")
    assert opened.count() == 0


def test_verdicts_are_shown_and_shown_alone_where_the_api_gives_them(many: ManyPage) -> None:
    api = many.pretend()
    api.verdicts = {REVIEWS[0]: "mixed", REVIEWS[1]: "unclear", REVIEWS[2]: "unclear"}
    many.score("reviews.csv", csv_of(REVIEWS))
    assert many.column(2)[:3] == ["Mixed", "Not enough to go on", "Not enough to go on"]
    assert many.text_of("#verdicts") == "1 mixed, 2 not enough to go on"
    many.page.get_by_label("Show").select_option("Not enough to go on")
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == REVIEWS[1:3])
    many.page.get_by_label("Show").select_option("Mixed")
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == REVIEWS[:1])


def test_hostile_rows_are_shown_as_text(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of(HOSTILE))
    rows = many.wait_for_rows(lambda rows: len(rows) == len(HOSTILE))
    assert [row[1] for row in rows[:4]] == HOSTILE[:4]
    assert rows[4][2] == "The review has 20,001 characters; the limit is 20,000."
    for width in (320, 1280):
        many.page.set_viewport_size({"width": width, "height": 700})
        assert not many.scrolls_sideways()
    assert many.page.title() == "Many reviews · Reeltone"
    assert many.page.locator("#rows img, #rows script").count() == 0


MEDIA: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced": {"forced_colors": "active"},
}


@pytest.mark.parametrize("media", MEDIA.values(), ids=MEDIA)
def test_axe_finds_nothing_on_the_way(
    many: ManyPage, check_axe: Callable[[Page], None], media: dict[str, Any]
) -> None:
    check = partial(check_axe, many.page)
    many.page.emulate_media(**media)
    many.pretend()
    check()
    many.choose("broken.csv", b"%PDF-")
    check()
    many.choose("reviews.csv", COLUMNS + "Alien,1,2024-01-01,?!\n")
    check()
    many.start()
    many.wait_for("Done.")
    check()
    many.page.get_by_label("Group by").select_option("film")
    many.page.get_by_label("Compare with").select_option("stars")
    many.page.get_by_label("Over time by").select_option("seen")
    many.page.locator("#time-chart svg").wait_for()
    many.page.locator("#rows button").first.click()
    check()
    many.page.set_viewport_size({"width": 320, "height": 700})
    check()


@pytest.mark.parametrize("width", [320, 768, 1920])
def test_no_display_is_too_narrow_for_any_step(many: ManyPage, width: int) -> None:
    many.page.set_viewport_size({"width": width, "height": 700})
    many.pretend()
    assert not many.scrolls_sideways()
    columns = ",".join(f"column{n}" for n in range(40))
    many.choose(f"{'very-long-name-' * 9}.csv", f"review,{columns}\nA film,{columns}\n")
    assert not many.scrolls_sideways()
    many.choose("columns.csv", COLUMNS)
    many.start()
    many.wait_for("Done.")
    many.page.get_by_label("Group by").select_option("film")
    many.page.get_by_label("Over time by").select_option("seen")
    many.page.locator("#group-rows svg").first.wait_for()
    assert not many.scrolls_sideways()


def test_it_can_be_done_by_keyboard_alone(many: ManyPage) -> None:
    many.pretend()
    keys = many.page.keyboard

    def press_until(selector: str) -> None:
        for _ in range(80):
            keys.press("Tab")
            if many.page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        pytest.fail(f"the keyboard does not reach {selector}")

    press_until("#sample")
    keys.press("Enter")
    many.page.locator("#setup").wait_for()
    press_until("#preview input")
    keys.press("ArrowLeft")
    keys.press("ArrowRight")
    press_until("#start")
    keys.press("Enter")
    many.wait_for("Done.")
    press_until("#order")
    first = many.column(1)[0]
    keys.press("ArrowDown")
    many.wait_for_rows(lambda rows: rows[0][1] != first)
    press_until(".next")
    press_until("#rows button")
    keys.press("Enter")
    many.page.locator(".opened").wait_for()


def test_nothing_is_kept_in_the_browser(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of(REVIEWS))
    assert many.page.context.cookies() == []
    assert many.page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_100_000_reviews_leave_the_tab_responsive_and_its_memory_flat(many: ManyPage) -> None:
    api = many.pretend()
    reviews = [f"{n} " + "a film that goes on and on " * 8 for n in range(100_000)]
    before = many.heap()
    many.measure_tasks()
    many.choose("reviews.csv", csv_of(reviews))
    many.start()
    many.wait_for("Done. 100,000 of 100,000", timeout=400_000)
    during = many.longest_task()
    many.page.get_by_label("Order").select_option("Least sure first")
    many.page.get_by_label("Contains").fill("99999")
    many.wait_for_rows(lambda rows: [row[0] for row in rows] == ["100,000"])
    assert during < 200 * float(os.environ.get("REELTONE_PATIENCE", "1"))
    # The file has 24 MB; what stays is some bytes a review.
    assert many.heap() - before < 16
    assert sum(map(len, api.asked)) == 100_000
    assert sum(len(asked) for asked, e in zip(api.asked, api.explained, strict=True) if e) == 500


def real_reviews(number: int) -> list[str] | None:
    """Reviews of the test split, if the data set is at hand."""
    archive = os.environ.get("REELTONE_ARCHIVE", "")
    if not os.path.isfile(archive):
        return None
    with tarfile.open(archive) as tar:
        members = (m for m in tar if "/test/pos/" in m.name or "/test/neg/" in m.name)
        files = (tar.extractfile(m) for m in islice((m for m in members if m.isfile()), number))
        return [file.read().decode() for file in files if file]


def test_10_000_lines_come_back_in_their_order(many: ManyPage) -> None:
    reviews = real_reviews(10_000) or some_reviews(10_000)
    api = many.pretend()
    content = csv_of(reviews)
    many.choose("reviews.csv", content)
    many.start()
    many.wait_for("Done. 10,000 of 10,000", timeout=200_000)
    assert sorted(api.reviews()) == sorted(reviews)
    _, data = many.download()
    added = ["sentiment,probability,problem"] + [
        f"{'positive' if probability_of(r) >= 0.5 else 'negative'},{probability_of(r):.6g},"
        for r in reviews
    ]
    expected = iter(added)
    lines = []
    for line in data.decode().split("\r\n")[:-1]:
        following = next(expected)
        stem = line.rsplit(",", 3)[0]
        assert line[len(stem) + 1 :].split(",")[0] == following.split(",")[0]
        lines.append(stem)
    assert "\r\n".join(lines) + "\r\n" == content


def test_a_picture_can_be_taken(browser: Browser, site: str, tmp_path: Path) -> None:
    with browser.new_context() as context:
        path = take_screenshot(context.new_page(), site, tmp_path)
    assert path.stat().st_size > 20_000
