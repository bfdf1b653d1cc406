"""Files of reviews: what is read out of them, and what comes back."""

from __future__ import annotations

import base64
import csv
import io
import json
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.many_page import (
    SCAN,
    ManyPage,
    csv_of,
    open_many_page,
    probability_of,
    some_reviews,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PIECES = ["a", "film", '"', '""', ",", ";", "\t", " ", "\n", "\r\n", "\r", "é", "🎬", "\x00", "="]
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}


@pytest.fixture
def many(browser: Browser, site: str) -> Iterator[ManyPage]:
    """The open page."""
    with open_many_page(browser, site) as page:
        yield page


def scan(many: ManyPage, text: str, format_id: str, dice: random.Random) -> list[list[str]]:
    """The records that the page finds, its bytes coming in pieces of any size."""
    data, chunks = text.encode(), []
    while data:
        cut = dice.randint(1, max(1, min(len(data), 40)))
        chunks.append(base64.b64encode(data[:cut]).decode())
        data = data[cut:]
    found = json.loads(many.page.evaluate(SCAN, {"format": format_id, "chunks": chunks}))
    assert all(len(record["fields"]) == record["width"] for record in found)
    return [record["fields"] for record in found]


@pytest.mark.parametrize("format_id", DELIMITERS)
def test_any_text_is_split_as_python_s_csv_module_splits_it(many: ManyPage, format_id: str) -> None:
    dice = random.Random(format_id)
    delimiter = DELIMITERS[format_id]
    for _ in range(250):
        text = "".join(dice.choices([*PIECES, delimiter, '"', "\n"], k=dice.randint(0, 60)))
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        assert scan(many, text, format_id, dice) == [row for row in lines if row], repr(text)


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_any_rows_that_python_writes_are_read_back(
    many: ManyPage, quoting: int, line_end: str
) -> None:
    dice = random.Random(quoting)
    pieces = [piece for piece in PIECES if piece != "\r"]  # which Python itself forgets to quote
    for _ in range(100):
        width = dice.randint(2, 5)
        rows = [
            ["".join(dice.choices(pieces, k=dice.randint(0, 12))) for _ in range(width)]
            for _ in range(dice.randint(1, 8))
        ]
        written = io.StringIO(newline="")
        csv.writer(written, quoting=quoting, lineterminator=line_end).writerows(rows)  # type: ignore[arg-type]
        assert scan(many, written.getvalue(), "comma", dice) == rows


def test_quotes_are_text_where_the_format_says_so(many: ManyPage) -> None:
    dice = random.Random(3)
    text = 'one\t"two\nthree "four\tfive"'
    assert scan(many, text, "plain-tab", dice) == [["one", '"two'], ['three "four', 'five"']]


REVIEWS = [
    "A superb film, all in all.",
    'They call it "fine"; I don’t.',
    "Two lines\nof dull prose.",
]
ROWS = list(enumerate(REVIEWS))


def written(delimiter: str, *, quoting: int = csv.QUOTE_MINIMAL, line_end: str = "\n") -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=line_end)  # type: ignore[arg-type]
    writer.writerows([["id", "review"], *ROWS])
    return file.getvalue()


JSON_LINES = "".join(json.dumps({"id": n, "review": r}) + "\n" for n, r in ROWS)
FILES = {
    "reviews.csv": written(","),
    "dos.csv": written(",", line_end="\r\n"),
    "quoted.csv": written(",", quoting=csv.QUOTE_ALL),
    "excel.csv": "\ufeff" + written(";"),
    "reviews.tsv": written("\t"),
    "tabs.txt": written("\t"),
    "unnamed": written(","),
    "unended.csv": written(",").rstrip("\n"),
    "gaps.csv": "\n\n" + written(",").replace("\n0", "\n\n\r\n0") + "\n\n",
    "reviews.jsonl": JSON_LINES,
    "objects.txt": JSON_LINES,
    "spaced.ndjson": "\ufeff" + JSON_LINES.replace("\n", " \r\n\r\n"),
}


@pytest.mark.parametrize("name", FILES)
def test_each_format_is_recognised_with_its_column_and_its_header(
    many: ManyPage, name: str
) -> None:
    api = many.pretend()
    many.score(name, FILES[name])
    assert sorted(api.reviews()) == sorted(REVIEWS)


@pytest.mark.parametrize("name", [name for name in FILES if "{" not in FILES[name]])
def test_a_table_comes_back_byte_for_byte_with_columns_added(many: ManyPage, name: str) -> None:
    many.pretend()
    many.score(name, FILES[name])
    saved, data = many.download()
    stem, dot, ending = name.partition(".")
    assert saved == f"{stem}.scored{dot}{ending}"
    text, expected = data.decode(), FILES[name]
    delimiter = expected[expected.index("review") - 1].replace('"', ",")
    for n, review in ROWS:
        probability = probability_of(review)
        sentiment = "positive" if probability >= 0.5 else "negative"
        added = delimiter.join(["", sentiment, f"{probability:g}", ""])
        assert text.count(added) == 1, (n, added)
        text = text.replace(added, "")
    assert text.replace(delimiter.join(["", "sentiment", "probability", "problem"]), "") == expected
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig").lstrip()), delimiter=delimiter))
    assert [row["review"] for row in rows] == REVIEWS
    assert [float(row["probability"]) for row in rows] == list(map(probability_of, REVIEWS))


def test_json_lines_come_back_with_two_fields_added_and_all_others_untouched(
    many: ManyPage,
) -> None:
    lines = [
        '{"id": 1.0, "n": 1234567890123456789, "review": "A superb \\ud83d film.", "x": {"y": 1} }',
        '{"review":"Dull.","id":1e5}   ',
        "",
        "not an object",
        "{}",
        '{"review": "?!"}',
        '{"review": 7}',
    ]
    many.pretend()
    many.score("reviews.jsonl", "\n".join(lines))
    saved, data = many.download()
    after = data.decode().split("\n")
    assert saved == "reviews.scored.jsonl"
    assert [json.loads(line) for line in after[:2]] == [
        json.loads(line)
        | {
            "sentiment": "positive" if probability_of(review) >= 0.5 else "negative",
            "probability": probability_of(review),
        }
        for line, review in zip(lines[:2], ["A superb \ud83d film.", "Dull."], strict=True)
    ]
    assert after[0].startswith(lines[0][: lines[0].rindex("}")])
    assert after[1].startswith('{"review":"Dull.","id":1e5, "sentiment"')
    assert after[2:4] == ["", "not an object"]
    reasons = ["There is no text in this row.", "The review has no word in it."] * 2
    for line, before, reason in zip(after[4:], lines[4:], reasons, strict=False):
        added = {"sentiment": None, "probability": None, "problem": reason}
        assert json.loads(line) == json.loads(before) | added


def test_a_text_file_becomes_a_csv_in_which_no_cell_is_a_formula(many: ManyPage) -> None:
    lines = ["A superb film, really.", '=HYPERLINK("http://x")', "", "-- dull", 'So "so"', "+1"]
    api = many.pretend()
    many.score("reviews.txt", "\r\n".join(lines))
    assert api.reviews() == [line for line in lines if line]
    saved, data = many.download()
    assert saved == "reviews.scored.csv"
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    expected = [f"'{line}" if line[0] in "=-+" else line for line in lines if line]
    assert [row["review"] for row in rows] == expected
    assert [float(row["probability"]) for row in rows] == [probability_of(x) for x in lines if x]


def test_cells_that_look_like_formulas_come_back_as_they_were(many: ManyPage) -> None:
    content = 'id,review\n=1+1,"=SUM(A1) is a dull film, really"\n@x,-- no\n'
    many.pretend()
    many.score("reviews.csv", content)
    _, data = many.download()
    assert [line.split(",")[0] for line in data.decode().splitlines()] == ["id", "=1+1", "@x"]


def test_rows_without_a_result_have_empty_fields_and_a_reason(many: ManyPage) -> None:
    many.pretend()
    long = "word " * 4001
    many.score("reviews.csv", csv_of(["A superb film.", "?!", "", long[:20_001], long[:20_000]]))
    _, data = many.download()
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert [row["problem"] for row in rows] == [
        "",
        "The review has no word in it.",
        "There is no text in this row.",
        "The review has 20,001 characters; the limit is 20,000.",
        "",
    ]
    assert [row["sentiment"] == "" for row in rows] == [False, True, True, True, False]
    assert "3 can’t be read" in many.text_of("#status")


def test_short_rows_are_filled_up_and_names_in_use_are_left_alone(many: ManyPage) -> None:
    content = "review,sentiment,year\nA superb film,good\nA dull film,bad,1999\n"
    many.pretend()
    many.score("reviews.csv", content)
    _, data = many.download()
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert rows[0]["sentiment"] == "good" and rows[0]["year"] == ""
    assert float(rows[0]["reeltone_probability"]) == probability_of("A superb film")
    assert float(rows[1]["reeltone_probability"]) == probability_of("A dull film")


def test_another_column_another_header_another_format_can_be_chosen(many: ManyPage) -> None:
    api = many.pretend()
    many.choose("reviews.csv", "note,review\nfirst,A superb film\nsecond,A dull film\n")
    assert many.text_of("#start") == "Score 2 reviews"
    assert many.page.get_by_role("radio", name="review").is_checked()
    many.page.get_by_role("radio", name="note").check()
    assert many.page.get_by_role("radio", name="note").evaluate("r => r === document.activeElement")
    many.page.get_by_label("First row names the columns").uncheck()
    assert many.text_of("#start") == "Score 3 reviews"
    many.start()
    many.wait_for("Done.")
    assert api.reviews() == ["note", "first", "second"]
    many.download()
    many.page.get_by_role("button", name="Another file").click()
    many.choose("reviews.csv", "note,review\nfirst,A superb film\n")
    many.page.get_by_label("Format").select_option("One review a line")
    many.page.get_by_text("Score 2 reviews").click()
    many.wait_for("Done.")
    assert api.reviews()[3:] == ["note,review", "first,A superb film"]


def test_the_likeliest_column_is_chosen(many: ManyPage, subtests: pytest.Subtests) -> None:
    files = {
        "review": "title,review,url\nFine,Good,https://a.example/some/long/address/of/a/page\n",
        "body": "id,subject,body\n1,Hello there all of you,A film\n2,More of it,Dull long film\n",
        "c": "a,b,c\n1,x,A film that has many words in it\n2,y,Another film with words\n",
    }
    for column, content in files.items():
        with subtests.test(column):
            many.choose("some.csv", content)
            assert many.page.get_by_role("radio", name=column, exact=True).is_checked()
    many.choose("no-header.csv", "1,A film that I liked a lot.\n2,Another one. Dull!\n")
    assert many.page.get_by_role("radio", name="Column 2").is_checked()
    assert many.text_of("#start") == "Score 2 reviews"


def test_a_file_can_be_dropped_anywhere_on_the_page(many: ManyPage) -> None:
    many.page.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["A film\\nAnother film"], "dropped.txt"));
          const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
          document.querySelector("h1").dispatchEvent(event);
        }"""
    )
    many.page.get_by_text("Score 2 reviews").wait_for()
    assert many.text_of("#file-name") == "dropped.txt"
    assert many.page.evaluate("document.activeElement.id") == "file-name"


NOT_TEXT = {
    "windows-1252": "review\nTrès bien\n".encode("windows-1252"),
    "utf-16": "review\nA film\n".encode("utf-16"),
    "workbook": b"PK\x03\x04\x14\x00\x08\x08" + bytes(range(256)),
}


@pytest.mark.parametrize("kind", NOT_TEXT)
def test_a_file_that_is_not_utf_8_is_refused_with_a_way_out(many: ManyPage, kind: str) -> None:
    many.choose("reviews.csv", NOT_TEXT[kind])
    trouble = many.text_of("#trouble")
    assert trouble.startswith("reviews.csv: This is not text in UTF-8. Save it as UTF-8")
    many.choose("reviews.csv", "review\nA film\n")
    assert many.text_of("#start") == "Score 1 review"
    assert not many.page.locator("#trouble").is_visible()


def test_an_empty_file_and_an_open_quote_are_pointed_out(many: ManyPage) -> None:
    many.choose("empty.csv", "\n\r\n")
    assert many.text_of("#trouble") == "empty.csv: There is nothing in this file."
    many.choose("open.csv", 'id,review\n1,"never closed\n2,b\n')
    assert "never closed" in many.text_of("#warning")


def test_the_file_may_change_on_the_disk_while_the_page_works(
    many: ManyPage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("files") / "reviews.csv"
    reviews = some_reviews(50)
    path.write_text(csv_of(reviews), newline="")
    api = many.pretend()
    many.page.locator("#file").set_input_files(path)
    many.page.locator("#setup").wait_for()
    path.write_text("gone")
    many.start()
    many.wait_for("Done.")
    assert sorted(api.reviews()) == sorted(reviews)
