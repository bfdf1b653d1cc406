"""Files of reviews: what is read out of them, and what comes back."""

from __future__ import annotations

import ast
import base64
import csv
import io
import json
import random
from typing import TYPE_CHECKING

import pytest

from tests.browser.file_kinds import workbook
from tests.browser.many_page import SCAN, ManyPage, csv_of, probability_of, some_reviews

if TYPE_CHECKING:
    pass

PIECES = ["a", "film", '"', '""', ",", ";", "\t", " ", "\n", "\r\n", "\r", "é", "🎬", "\x00", "="]


def scan(
    many: ManyPage, text: str, delimiter: str, dice: random.Random | None = None
) -> list[list[str]]:
    """The records that the page finds, its bytes coming at once, or in pieces of any size."""
    data, chunks = text.encode(), []
    while data:
        cut = dice.randint(1, max(1, min(len(data), 40))) if dice else len(data)
        chunks.append(base64.b64encode(data[:cut]).decode())
        data = data[cut:]
    task = {"delimiter": delimiter, "escape": False, "chunks": chunks}
    found: list[list[str]] = json.loads(many.page.evaluate(SCAN, task))
    return found


@pytest.mark.parametrize("delimiter", [",", ";", "\t", ""])
def test_any_text_is_split_alike_in_whatever_pieces_it_comes(
    many: ManyPage, delimiter: str
) -> None:
    dice = random.Random(delimiter)
    for _ in range(250):
        text = "".join(dice.choices([*PIECES, delimiter, '"', "\n"], k=dice.randint(0, 60)))
        assert scan(many, text, delimiter, dice) == scan(many, text, delimiter), repr(text)


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
        assert scan(many, written.getvalue(), ",", dice) == rows


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
}


@pytest.mark.parametrize("name", FILES)
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
    lines = [
        "A superb film, really.",
        '=HYPERLINK("http://x")',
        "",
        "-- dull",
        'So "so"',
        "Great film;=cmd|' /C calc'!A1",
        "Great film;\t@SUM(1)",
        "\uff1d1+1 is dull",
        "  +1 is superb",
        "Fun ;-)",
    ]
    api = many.pretend()
    many.score("reviews.txt", "\r\n".join(lines))
    assert api.reviews() == [line for line in lines if line]
    saved, data = many.download()
    assert saved == "reviews.scored.csv"
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert [row["review"] for row in rows] == [
        "A superb film, really.",
        """'=HYPERLINK("http://x")""",
        "'-- dull",
        'So "so"',
        "Great film;'=cmd|' /C calc'!A1",
        "Great film;'\t@SUM(1)",
        "'\uff1d1+1 is dull",
        "'  +1 is superb",
        "Fun ;-)",
    ]
    # Whatever a spreadsheet takes for the list separator, no cell begins as a formula.
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(data.decode(), newline=""), delimiter=separator):
            assert not [cell for cell in row if cell.lstrip().startswith(("=", "+", "@", "\uff1d"))]
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
    chosen = many.page.get_by_role("radio", name="review").element_handle()
    other = many.page.get_by_role("radio", name="note").element_handle()
    assert chosen and other and chosen.is_checked()
    chosen.focus()
    # However fast the keys come, each finds the focus on the radio that the last one chose.
    for radio in (other, chosen, other):
        many.page.keyboard.press("ArrowLeft")
        assert radio.evaluate("r => r.isConnected && r.checked && r === document.activeElement")
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


def test_a_column_without_a_name_is_chosen_by_its_number(many: ManyPage) -> None:
    many.choose("no-header.csv", "1,A film that I liked a lot.\n2,Another one. Dull!\n")
    assert many.page.get_by_role("radio", name="Column 2").is_checked()
    assert many.text_of("#start") == "Score 2 reviews"


def drop(many: ManyPage, *names: str) -> None:
    """Drop files of two reviews on the page."""
    many.page.evaluate(
        """names => {
          const dataTransfer = new DataTransfer();
          for (const name of names) {
            dataTransfer.items.add(new File(["A film\\nAnother film"], name));
          }
          const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
          document.querySelector("h1").dispatchEvent(event);
        }""",
        names,
    )


def test_a_file_can_be_dropped_anywhere_on_the_page(many: ManyPage) -> None:
    drop(many, "dropped.txt")
    many.page.get_by_text("Score 2 reviews").wait_for()
    assert many.text_of("#file-name") == "dropped.txt"
    assert many.page.evaluate("document.activeElement.id") == "file-name"


def test_a_refused_file_is_named_with_its_reason_and_makes_way_for_the_next(
    many: ManyPage,
) -> None:
    many.choose("reviews.csv", b"%PDF-1.7")
    reason = "reviews.csv: This is a PDF. Save the table as CSV in UTF-8 or as .xlsx."
    assert many.text_of("#trouble") == reason
    many.choose("empty.csv", "\n\r\n")
    assert many.text_of("#trouble") == "empty.csv: There is nothing in this file."
    many.choose("reviews.csv", "review\nA film\n")
    assert many.text_of("#start") == "Score 1 review"
    assert not many.page.locator("#trouble").is_visible()


@pytest.mark.parametrize("encoding", ["windows-1252", "mac-roman", "utf-16", "utf-16-be"])
def test_a_file_comes_back_in_the_encoding_that_it_came_in(many: ManyPage, encoding: str) -> None:
    content = 'id;review\r\n1;"Très bien; déjà vu"\r\n2;A superb film\r\n'
    api = many.pretend()
    many.score("reviews.csv", content.encode(encoding))
    assert api.reviews() == ["Très bien; déjà vu", "A superb film"]
    assert (
        many.page.locator("#warning")
        .evaluate("n => n.textContent")
        .startswith(
            "This file is not in UTF-8." if encoding in ("windows-1252", "mac-roman") else ""
        )
    )
    _, data = many.download()
    text = data.decode(encoding)
    assert data.startswith(content.encode(encoding)[:2])
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    assert [row["review"] for row in rows] == ["Très bien; déjà vu", "A superb film"]
    assert [float(row["probability"]) for row in rows] == [probability_of(r) for r in api.reviews()]


def test_a_workbook_comes_back_as_a_csv_with_all_of_its_columns(many: ManyPage) -> None:
    rows: list[list[str | float | None]] = [
        ["seen", "review", "stars", "note"],
        [45000.0, "A superb film.", 5, "=1+1"],
        [45001.0, "Dull, long.", -1, None],
    ]
    many.pretend()
    many.score("reviews.xlsx", workbook(rows))
    assert "The download will be a CSV" in many.text_of("#warning")
    saved, data = many.download()
    assert saved == "reviews.scored.csv"
    found = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert [row[:4] for row in found] == [
        ["seen", "review", "stars", "note"],
        ["2023-03-15", "A superb film.", "5", "'=1+1"],
        ["2023-03-16", "Dull, long.", "-1", ""],
    ]
    assert found[0][4:] == ["sentiment", "probability", "problem"]


def test_python_s_objects_and_lists_of_objects_come_back_as_they_came(many: ManyPage) -> None:
    many.pretend()
    lines = [str({"text": "It's superb, isn't it", "n": None}), str({"text": "Dull film", "n": 1})]
    many.score("old.txt", "\n".join(lines))
    _, data = many.download()
    for line, before in zip(data.decode().splitlines(), lines, strict=True):
        assert line.startswith(before[:-1])
        assert ast.literal_eval(line)["probability"] == probability_of(
            ast.literal_eval(before)["text"]
        )
    listed = json.dumps({"reviews": [{"text": "A superb film"}, {"text": "?!"}], "n": 2}, indent=2)
    many.score("list.json", listed)
    _, data = many.download()
    found = json.loads(data)
    assert found["n"] == 2
    assert found["reviews"][0]["probability"] == probability_of("A superb film")
    assert found["reviews"][1]["problem"] == "The review has no word in it."


def test_rows_above_a_table_are_kept_and_commas_without_quotes_are_put_right(
    many: ManyPage,
) -> None:
    content = "Club export\n\nid,review,stars\n1,Superb,5\n2,It is slow, but superb,4\n"
    api = many.pretend()
    many.score("club.csv", content)
    assert api.reviews() == ["Superb", "It is slow, but superb"]
    _, data = many.download()
    lines = data.decode().splitlines()
    assert lines[:3] == ["Club export", "", "id,review,stars,sentiment,probability,problem"]
    assert lines[3].startswith("1,Superb,5,")
    assert lines[4].startswith('2,"It is slow, but superb",4,')


def test_two_files_at_once_are_both_named(many: ManyPage) -> None:
    drop(many, "one.csv", "two.csv")
    expected = "2 files came at once: “one.csv”, “two.csv”. Choose one; the others can follow."
    many.page.locator("#trouble", has_text=expected).wait_for()
    many.choose("reviews.csv", "review\nA film\n")
    drop(many, "one.csv", "two.csv")
    many.page.locator("#trouble", has_text=expected).wait_for()
    assert many.page.get_by_text("Score 1 review").is_visible()


def test_a_file_above_the_page_is_seen_to_be_welcome(many: ManyPage) -> None:
    drag = """name => document.querySelector("h1").dispatchEvent(new DragEvent(name, {
      dataTransfer: new DataTransfer(), bubbles: true, cancelable: true }))"""
    many.page.evaluate(drag, "dragenter")
    assert many.page.locator("body[data-dragging]").count() == 1
    many.page.evaluate(drag, "dragleave")
    assert many.page.locator("body[data-dragging]").count() == 0


def test_cells_of_a_spreadsheet_can_be_pasted(many: ManyPage) -> None:
    many.page.evaluate(
        """() => {
          const clipboardData = new DataTransfer();
          clipboardData.setData(
            "text/plain", 'id\\treview\\n1\\t"A ""superb""\\nfilm"\\n2\\tDull film');
          const event = new ClipboardEvent("paste", { clipboardData, bubbles: true });
          document.body.dispatchEvent(event);
        }"""
    )
    many.page.get_by_text("Score 2 reviews").wait_for()
    api = many.pretend()
    many.start()
    many.wait_for("Done.")
    assert api.reviews() == ['A "superb"\nfilm', "Dull film"]


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
