"""What an analyst asks of many reviews, and the report that comes of it."""

from __future__ import annotations

import csv
import io
import math
import re
import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.many_page import ManyPage, open_many_page, probability_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FILMS = ["Alien", "Cats", "Heat"]
DATES = ["2024-01-31", "2024-02-01", "2024-02-29"]


def review_of(n: int) -> str:
    """A review; those of Cats speak of whiskers."""
    return f"{n} a film {'of whiskers' if n % 3 == 1 else 'that goes on'}"


ROWS = [
    {"film": FILMS[n % 3], "rating": str(n % 5 + 1), "seen": DATES[n % 3], "review": review_of(n)}
    for n in range(120)
]


def written(rows: list[dict[str, str]]) -> str:
    """The rows as a CSV file."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The interval of a share at 95 % confidence, as textbooks write it."""
    z, share = 1.96, part / whole
    middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    margin = z / (1 + z * z / whole)
    margin *= math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    return middle - margin, middle + margin


@pytest.fixture
def many(browser: Browser, site: str) -> Iterator[ManyPage]:
    """The page with the results of the rows above."""
    with open_many_page(browser, site) as page:
        page.pretend()
        page.score("reviews.csv", written(ROWS))
        yield page


def groups(many: ManyPage) -> dict[str, list[str]]:
    """The cells of each group by its name."""
    rows: list[list[str]] = many.page.locator("#group-rows tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    return {name.removesuffix(" Words"): cells for name, *cells in rows}


def ask(many: ManyPage, label: str, column: str) -> None:
    """Choose a column for a question."""
    many.page.get_by_label(label).select_option(column)


def test_groups_have_their_number_share_interval_and_mean(many: ManyPage) -> None:
    ask(many, "Group by", "film")
    many.page.locator("#group-rows tr").nth(2).wait_for()
    found = groups(many)
    assert sorted(found) == FILMS
    for film in FILMS:
        chances = [probability_of(row["review"]) for row in ROWS if row["film"] == film]
        positive = sum(chance >= 0.5 for chance in chances)
        least, most = (f"{share:.0%}" for share in wilson(positive, len(chances)))
        assert found[film] == [
            "40",
            f"{positive / 40:.1%}",
            f"{least} to {most}",
            f"{sum(chances) / 40:.1%}",
        ]


def test_a_group_narrows_the_rows_to_its_own(many: ManyPage) -> None:
    ask(many, "Group by", "film")
    many.page.locator("#group-rows").get_by_role("button", name="Cats", exact=True).click()
    many.wait_for_rows(lambda rows: len(rows) == 40 and {row[4] for row in rows} == {"Cats"})
    assert many.page.evaluate("document.activeElement.id") == "list"
    many.page.get_by_role("button", name="film: Cats: show others again").click()
    many.wait_for_rows(lambda rows: len(rows) == 50)


def test_groups_are_put_in_order_by_their_heads(many: ManyPage) -> None:
    ask(many, "Group by", "film")
    ask(many, "Compare with", "rating")
    many.page.locator("#group-heads").get_by_role("button", name="Stars").click()
    stars = [float(cells[-1]) for cells in groups(many).values()]
    assert stars == sorted(stars, reverse=True)
    head = many.page.locator("#group-heads").get_by_role("button", name="Group")
    head.click()
    assert list(groups(many)) == FILMS
    head.click()
    assert list(groups(many)) == FILMS[::-1]
    assert head.locator("..").get_attribute("aria-sort") == "descending"


def test_stars_are_compared_and_the_rows_that_disagree_are_listed(many: ManyPage) -> None:
    ask(many, "Compare with", "rating")
    sides = [(int(row["rating"]), probability_of(row["review"]) >= 0.5) for row in ROWS]
    disagree = sum((stars > 3) != positive for stars, positive in sides if stars != 3)
    button = many.page.get_by_role("button", name=f"Disagrees in {disagree} rows")
    button.wait_for()
    both = sum(stars != 3 for stars, _ in sides)
    assert many.text_of("#agree") == (
        f"Agrees with rating in {(both - disagree) / both:.1%} of {both} rows."
    )
    assert "24 rows at 3 are left out" in many.text_of("#stars-note")
    button.click()
    expected = [
        row["review"]
        for row, (stars, positive) in zip(ROWS, sides, strict=True)
        if stars != 3 and (stars > 3) != positive
    ]
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == expected[:50])


def test_change_over_time_is_drawn_by_month(many: ManyPage) -> None:
    ask(many, "Over time by", "seen")
    chart = many.page.get_by_role("img", name="Positive by month of seen").first
    chart.wait_for()
    assert chart.locator("circle").count() == 2
    ask(many, "Group by", "seen")
    many.page.locator("#group-rows tr").nth(1).wait_for()
    assert {name: cells[0] for name, cells in groups(many).items()} == {
        "2024-01": "40",
        "2024-02": "80",
    }


def test_the_words_of_a_group_are_told_against_the_rest(many: ManyPage) -> None:
    ask(many, "Group by", "film")
    many.page.get_by_role("button", name="Words of Cats against the rest").click()
    words = many.page.locator("#group-words li bdi")
    words.first.wait_for()
    assert set(words.all_text_contents()) == {"whiskers", "of"}
    assert "100% of its reviews, 0% of the others" in many.text_of("#group-words li >> nth=0")


def test_day_and_month_are_told_apart_by_all_of_a_column(many: ManyPage) -> None:
    code = """async cells => {
      const { monthReader } = await import("/js/many/values.js");
      return cells.map(monthReader(cells));
    }"""
    for cells, expected in (
        (["05/31/2024", "06/01/2024"], ["2024-05", "2024-06"]),
        (["31/05/2024", "01/06/2024"], ["2024-05", "2024-06"]),
        (["31.05.24", "1.6.24"], ["2024-05", "2024-06"]),
        (["May 31, 2024", "1 June 2024"], ["2024-05", "2024-06"]),
        (["2024-05-31T10:00:00Z", "soon"], ["2024-05", ""]),
    ):
        assert many.page.evaluate(code, cells) == expected


def saved(many: ManyPage, button: str) -> tuple[str, bytes]:
    """What a button of the report gives."""
    with many.page.expect_download() as waiting:
        many.page.get_by_role("button", name=button).click()
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()


def test_charts_are_saved_as_svg_and_as_png(many: ManyPage) -> None:
    ask(many, "Group by", "film")
    ask(many, "Over time by", "seen")
    many.page.locator("#report-charts li").nth(2).wait_for()
    name, svg = saved(many, "Charts as SVG")
    assert name == "reviews.charts.svg"
    root = ElementTree.fromstring(svg)
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Alien", "Cats", "Heat", "2024-01", "40"} <= texts
    # It must look the same where there is no style sheet.
    assert b"class=" not in svg and b"var(" not in svg and b"light-dark" not in svg
    name, png = saved(many, "Charts as PNG")
    assert name == "reviews.charts.png"
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == (
        3 * int(root.attrib["width"]),
        3 * int(root.attrib["height"]),
    )
    assert len(png) > 10_000


def test_the_summary_has_all_figures(many: ManyPage) -> None:
    ask(many, "Group by", "film")
    ask(many, "Compare with", "rating")
    many.page.locator("#agree").wait_for()
    name, data = saved(many, "Summary as CSV")
    assert name == "reviews.summary.csv"
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    positive = sum(probability_of(row["review"]) >= 0.5 for row in ROWS)
    whole = rows[0]
    assert (whole["part"], whole["reviews"], whole["positive"]) == ("all", "120", str(positive))
    assert float(whole["share_positive"]) == pytest.approx(positive / 120, abs=1e-6)
    interval = [float(whole["interval_low"]), float(whole["interval_high"])]
    assert interval == pytest.approx(wilson(positive, 120), abs=1e-6)
    assert [row["name"] for row in rows if row["part"] == "film"] == FILMS
    assert sum(int(row["reviews"]) for row in rows if row["part"] == "probability") == 120


def test_rows_are_saved_as_they_are_filtered_and_ordered(many: ManyPage) -> None:
    many.page.get_by_label("Show").select_option("Positive")
    many.page.get_by_label("Order").select_option("Most positive first")
    wanted = sorted(
        (row["review"] for row in ROWS if probability_of(row["review"]) >= 0.5),
        key=probability_of,
        reverse=True,
    )
    many.wait_for_rows(lambda rows: [row[1] for row in rows] == wanted[:50])
    name, data = saved(many, "Rows as filtered, as CSV")
    assert name == "reviews.rows.csv"
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert [row["review"] for row in rows] == wanted
    assert list(rows[0]) == ["film", "rating", "seen", "review", "row", "verdict", "probability"]


def test_on_paper_there_is_the_report_and_what_its_figures_can_bear(many: ManyPage) -> None:
    ask(many, "Compare with", "rating")
    many.page.emulate_media(media="print")
    report = many.page.locator(".report")
    facts = report.locator("dd").all_text_contents()
    assert facts[0] == "reviews.csv"
    assert re.search(r"\b20\d\d$", facts[1])
    assert facts[2] == "modern-0123456789ab"
    assert facts[3] == "120 scored of 120"
    assert "at 95% confidence" in facts[4]
    report.get_by_text("With rating, it agrees in").wait_for()
    assert "takes about" in report.inner_text()
    assert report.locator("svg").first.is_visible()
    for selector in ("#download", "#rows", "#report-files", "nav"):
        assert not many.page.locator(selector).first.is_visible(), selector


@pytest.mark.both_browsers
def test_the_report_is_one_page_of_paper(
    browser: Browser, site: str, print_page: Callable[[Page], list[str]]
) -> None:
    with open_many_page(browser, site) as many:
        many.score("reviews.csv", written(ROWS))
        ask(many, "Group by", "film")
        ask(many, "Compare with", "rating")
        ask(many, "Over time by", "seen")
        many.page.locator("#report-charts svg").nth(2).wait_for()
        [sheet] = print_page(many.page)
        assert "The model is right on" in sheet
        assert "Rows as filtered" not in sheet


def test_forced_colours_leave_the_bars_and_the_marks(many: ManyPage) -> None:
    many.page.emulate_media(forced_colors="active")
    assert (
        many.page.locator("#bins i").first.evaluate(
            "bar => getComputedStyle(bar).forcedColorAdjust"
        )
        == "none"
    )
    ask(many, "Group by", "film")
    many.page.locator("#group-rows svg").first.wait_for()
