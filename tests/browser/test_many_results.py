"""The results of many reviews: found, sorted, filtered, by anybody, at any size."""

from __future__ import annotations

import importlib.util
import os
import tarfile
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from tests.browser.many_page import (
    ManyPage,
    csv_of,
    open_many_page,
    probability_of,
    some_reviews,
    take_screenshots,
)
from tests.needs import need

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

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


@pytest.fixture
def many(browser: Browser, site: str) -> Iterator[ManyPage]:
    """The open page."""
    with open_many_page(browser, site) as page:
        yield page


def test_the_sample_goes_through_everything_that_is_real(many: ManyPage) -> None:
    many.page.get_by_role("button", name="Try it with a sample").click()
    many.start()
    many.wait_for("Done. 94 of 96 reviews are scored. 2 can’t be read")
    assert many.text_of("#positive").endswith("%")
    # Which words come first is the model's to say; some plain ones are among them for any.
    praise, blame = many.text_of("#words-for"), many.text_of("#words-against")
    assert any(word in praise for word in ("wonderful", "superb", "excellent", "loved"))
    assert any(word in blame for word in ("mess", "clumsy", "waste", "awful", "dull"))
    assert praise != blame
    _, data = many.download()
    assert data.count(b"\r\n") == 97


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


def test_frequent_words_that_say_little_come_after_those_that_say_much(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of([f"{'a ' * 200}superb film {n}" for n in range(20)]))
    listed = many.page.locator("#words-for bdi").all_text_contents()
    assert listed[0] == "superb"  # though "a" weighs more in all
    assert set(listed) == {"a", "superb", "film"}
    assert "By their mean weight" in many.text_of("#sample-note")


def test_the_table_is_put_in_order_and_its_pages_turned(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of([*REVIEWS, "?!"]))
    assert many.column(0) == [str(n) for n in range(1, 51)]
    many.page.get_by_role("button", name="Next").click()
    many.wait_for_rows(lambda rows: rows[0][0] == "51")
    assert many.text_of("#where") == "51 to 100 of 201 reviews"
    by = many.page.get_by_label("Order")
    ranked = sorted(REVIEWS, key=probability_of)
    by.select_option("Most positive first")
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == ranked[::-1][:50])
    by.select_option("Most negative first")
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == ranked[:50])
    by.select_option("Least sure first")
    unsure = sorted(REVIEWS, key=lambda review: abs(probability_of(review) - 0.5))
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == unsure[:50])
    for _ in range(4):
        many.page.get_by_role("button", name="Next").click()
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == ["?!"])


def test_the_table_is_filtered(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of([*REVIEWS, "?!"]))
    page = many.page
    page.get_by_label("Show").select_option("Positive")
    page.get_by_label("Contains").fill("DULL")
    wanted = [r for r in REVIEWS if probability_of(r) >= 0.5 and "dull" in r]
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == wanted)
    assert many.text_of("#where").endswith(f" of {len(wanted)} reviews")
    page.get_by_label("Show").select_option("All")
    page.get_by_label("Contains").fill("")
    many.wait_for_rows(lambda rows: len(rows) == 50)
    page.get_by_label("Show").select_option("Failed or unreadable")
    unreadable = ["201", "?!", "The review has no word in it."]
    many.wait_for_rows(lambda rows: rows == [unreadable])


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_way(many: ManyPage, scheme: str) -> None:
    installed = importlib.util.find_spec("axe_playwright_python") is not None
    need(installed, "axe-playwright-python is not installed")
    from axe_playwright_python.sync_playwright import Axe

    def check() -> None:
        results = Axe().run(many.page)
        assert results.violations_count == 0, results.generate_report()

    many.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    many.pretend()
    check()
    many.choose("broken.csv", b"\xff\xfe")
    check()
    many.choose("reviews.csv", csv_of([*REVIEWS, "?!"]))
    check()
    many.start()
    many.wait_for("Done.")
    check()
    many.page.set_viewport_size({"width": 320, "height": 700})
    check()


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_no_display_is_too_narrow_for_any_step(many: ManyPage, width: int) -> None:
    many.page.set_viewport_size({"width": width, "height": 700})
    many.pretend()
    assert not many.scrolls_sideways()
    columns = ",".join(f"column{n}" for n in range(40))
    many.choose(f"{'very-long-name-' * 9}.csv", f"review,{columns}\nA film,{columns}\n")
    assert not many.scrolls_sideways()
    many.start()
    many.wait_for("Done.")
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
    press_until("#next")
    keys.press("Enter")
    many.wait_for_rows(lambda rows: len(rows) == 46)


def test_on_paper_there_are_figures_and_no_buttons(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of(REVIEWS))
    many.page.emulate_media(media="print")
    assert many.page.locator("#positive").is_visible()
    assert many.page.locator("#rows tr").first.is_visible()
    assert not many.page.locator("#download").is_visible()


def test_nothing_is_kept_in_the_browser(many: ManyPage) -> None:
    many.pretend()
    many.score("reviews.csv", csv_of(REVIEWS))
    assert many.page.context.cookies() == []
    assert many.page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_50_000_reviews_leave_the_tab_responsive_and_its_memory_flat(many: ManyPage) -> None:
    api = many.pretend()
    reviews = [f"{n} " + "a film that goes on and on " * 8 for n in range(50_000)]
    before = many.heap()
    many.measure_tasks()
    many.choose("reviews.csv", csv_of(reviews))
    many.start()
    many.wait_for("Done. 50,000 of 50,000", timeout=200_000)
    many.page.get_by_label("Order").select_option("Least sure first")
    many.page.get_by_label("Contains").fill("49999")
    many.wait_for_rows(lambda rows: [row[0] for row in rows] == ["50,000"])
    assert many.longest_task() < 400
    # The file has 12 MB; what stays is some bytes a review.
    assert many.heap() - before < 8
    assert sum(map(len, api.asked)) == 50_000
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


def test_pictures_can_be_taken(browser: Browser, site: str, tmp_path: Path) -> None:
    with browser.new_context() as context:
        paths = take_screenshots(context.new_page(), site, tmp_path)
    assert all(path.stat().st_size > 20_000 for path in paths)
