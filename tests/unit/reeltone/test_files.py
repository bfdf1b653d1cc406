"""Files of reviews: what is read, what is refused, and in whose words."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from model_training.serving.bundle import read_json
from reeltone.files import FileError, Row, Writer, find_format, open_source

ROOT = Path(__file__).resolve().parents[3]
WORDS = json.loads((ROOT / "frontend/js/many/reading/refusals.json").read_text(encoding="utf-8"))


def read(path: Path, content: bytes | str, column: str | None = None) -> list[str]:
    """The reviews of a file, or in angle brackets why a row has none."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with open_source(str(path), find_format(str(path), None), column) as source:
        found = [row.review or f"<{row.problem}>" for row in source.rows]
        assert source.position() == 1
    return found


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'id,review\n1,Fine.\n2,"Dull, long"\n'),
        ("a.csv", "id;review\n1;Fine.\n2;Dull, long\n"),
        ("a.csv", "id|review\r1|Fine.\r2|Dull, long\r"),
        ("a.tsv", "id\treview\n1\tFine.\n2\tDull, long\n"),
        ("a.jsonl", '{"review": "Fine."}\n\n{"review": "Dull, long"}\n'),
        ("a.json", '[{"review": "Fine."}, {"review": "Dull, long"}]'),
        ("a.json", '{"reviews": [{"review": "Fine."}, {"review": "Dull, long"}]}'),
        ("a.json", '{"review": "Fine."}\n{"review": "Dull, long"}\n'),
        ("a.csv.gz", gzip.compress(b'id,review\n1,Fine.\n2,"Dull, long"\n')),
        ("a.csv", 'id,review\n1,Fine.\n2,"Dull, long"\n'.encode("utf-16")),
        ("a.csv", 'id,review\n1,Fine.\n2,"Dull, long"\n'.encode("utf-8-sig")),
        ("a.csv", 'id,review\n1,Fine.\n2,"Dull, long"\n'.encode("utf-16-be")),
        ("a.jsonl", '{"review": "Fine."}\n{"review": "Dull, long"}\n'.encode("utf-16-le")),
    ],
)
def test_formats_are_read(tmp_path: Path, name: str, content: bytes | str) -> None:
    assert read(tmp_path / name, content) == ["Fine.", "Dull, long"]


@pytest.mark.parametrize(
    ("content", "column", "words"),
    [
        ("review,text\na b,c d\n", None, 'there are 2 columns.*: "review", "text"'),
        # A file without names must not lose its first review to them.
        ("A fine film.\nA dull film.\n", None, 'there are no columns.*: "A fine film."'),
        ("film,opinion\na b,c d\n", None, 'there are no columns.*: "film", "opinion"'),
        ("review,rating,review\na b,1,c d\n", None, 'there are 2 columns.*"review", "rating"'),
        ("review,rating,review\na b,1,c d\n", "review", '2 columns called "review"'),
        ("Review,b\na b,c d\n", "review", 'no columns called "review".*"Review", "b"'),
    ],
)
def test_a_column_that_cannot_be_told_is_an_error_with_all_names(
    tmp_path: Path, content: str, column: str | None, words: str
) -> None:
    with pytest.raises(FileError, match=words):
        read(tmp_path / "a.csv", content, column)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "nothing"),
        ("a.csv", b"id,review\n", "only-names"),
        ("a.csv", b"review\n\x00\x01", "binary"),
        ("a.csv", b"review\nbon \xe8\n", "unknown-encoding"),
        ("a.csv", "id,review\n1,Очень хорошо\n".encode("cp1251"), "unknown-encoding"),
        ("a.json", b'[{"review": "Fi', "damaged-json"),
        ("a.json", b'{"review": "Fine."}', "no-records"),
        ("a.json", b" ", "nothing"),
        ("a.jsonl", b"[1]\n[2]\n", "no-records"),
    ],
)
def test_a_file_is_refused_in_the_websites_words(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(FileError) as error:
        read(tmp_path / name, content)
    assert str(error.value).endswith(WORDS["files"][reason].replace(" or as .xlsx", ""))


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl"])
@pytest.mark.parametrize(
    ("encoding", "notice"),
    [("utf-16-le", ""), ("utf-16", ""), ("cp1252", "Windows-1252"), ("mac-roman", "Mac OS Roman")],
)
def test_letters_are_told_as_the_website_tells_them(
    tmp_path: Path, name: str, encoding: str, notice: str
) -> None:
    review = "Très bien joué et déjà vu à Noël."
    text = json.dumps({"review": review}, ensure_ascii=False) if "json" in name else review
    content = ("" if "json" in name else "review\n") + text + "\n"
    data = content.encode(encoding)
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    with open_source(str(path), find_format(str(path), None), None) as source:
        assert [row.review for row in source.rows] == [review]
        assert notice in source.notice and bool(source.notice) == bool(notice)


@pytest.mark.parametrize("content", [b"PK\x03\x04...", b"%PDF-1.7"])
def test_other_kinds_of_file_are_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FileError, match=r"This is an? .*Save the table as CSV in UTF-8\.$"):
        read(tmp_path / "a.csv", content)


def test_a_name_that_says_nothing_and_a_file_that_is_not_there() -> None:
    with pytest.raises(FileError, match="say what it is with --format"):
        find_format("a.txt", None)
    with pytest.raises(FileError, match="No such file"):
        open_source("nowhere.csv", "csv", None).__enter__()


def test_rows_are_refused_in_the_websites_words(tmp_path: Path) -> None:
    content = 'id,review\n1,Fine.\n2,\n3,N/A\n4,7/10\n5,a,b\nid,review\n6,"a" b\n7,"open\n'
    found = read(tmp_path / "a.csv", content)
    words = WORDS["rows"]
    assert found == [
        "Fine.",
        f"<{words['empty']}>",
        f"<{words['missing'].format(value='N/A')}>",
        f"<{words['number']}>",
        f"<{words['misfit'].format(found=3, width=2)}>",
        f"<{words['names']}>",
        f"<{words['broken']}>",
        f"<{words['broken-end']}>",
    ]


def test_lines_that_are_no_objects_are_refused(tmp_path: Path) -> None:
    content = '{"review": "Fine."}\n[1]\n{"review": 7}\n{"review": null}\n{"id": 1}\n{"rev\n'
    found = read(tmp_path / "a.jsonl", content)
    empty, other = f"<{WORDS['rows']['empty']}>", f"<{WORDS['rows']['no-object']}>"
    assert found == ["Fine.", other, f"<{WORDS['rows']['number']}>", empty, empty, other]


def test_stray_quotes_swallow_no_lines(tmp_path: Path) -> None:
    lines = [
        "review\tlabel",
        '" A fine film.\t1',
        *["So so.\t0"] * 40,
        '"Awful.\t0',
        "Last one.\t1",
    ]
    found = read(tmp_path / "a.tsv", "\n".join(lines) + "\n")
    assert len(found) == len(lines) - 1
    assert found[:2] == ['" A fine film.', "So so."]


def write(form: str, names: list[str], row: Row) -> str:
    file = io.StringIO()
    writer = Writer(file, form, names)
    writer.begin()
    writer.write(row, {"sentiment": "positive", "probability": 0.75, "truncated": False})
    return file.getvalue()


def test_rows_are_written_as_they_came_with_what_was_found() -> None:
    row = Row(["1", 'a "b",\nc'], "", "")
    head, written = csv.reader(io.StringIO(write("csv", ["id", "verdict"], row), newline=""))
    assert head[:4] == ["id", "verdict", "sentiment", "probability"]
    assert "reeltone_verdict" in head
    assert written == ["1", 'a "b",\nc', "positive", "0.75", "", "", "false", ""]
    [line] = write("jsonl", ["id", "text"], row).splitlines()
    assert json.loads(line) == {
        **{"id": "1", "text": 'a "b",\nc', "sentiment": "positive", "probability": 0.75},
        **{"confidence": None, "verdict": None, "truncated": False, "problem": None},
    }


def test_parquet_is_read_and_written_as_it_came(tmp_path: Path) -> None:
    columns = {
        "text": ["Fine.", None, "N/A"],
        "stars": [4.5, float("nan"), float("inf")],
        "day": [datetime.date(2020, 1, 1), None, None],
        "tags": [["a", 'b"'], [], None],
    }
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path, row_group_size=2)
    words = WORDS["rows"]
    wrong = [f"<{words['empty']}>", f"<{words['missing'].format(value='N/A')}>"]
    assert read(path, path.read_bytes()) == ["Fine.", *wrong]
    with open_source(str(path), "parquet", None) as source:
        names, rows = source.names, list(source.rows)
    texts = [io.StringIO(write("csv", names, row), newline="") for row in rows]
    assert [list(csv.reader(text))[1][:4] for text in texts] == [
        ["Fine.", "4.5", "2020-01-01", '["a", "b\\""]'],
        ["", "nan", "", "[]"],
        ["N/A", "inf", "", ""],
    ]
    objects = [read_json(write("jsonl", names, row)) for row in rows]
    assert [item["stars"] for item in objects] == [4.5, None, "Infinity"]
    assert (objects[0]["day"], objects[0]["tags"]) == ("2020-01-01", ["a", 'b"'])


def test_parquet_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"a\.parquet: .*not a parquet file"):
        read(tmp_path / "a.parquet", "id,review\n1,Fine.\n")
    with pytest.raises(FileError, match="name the file"):
        open_source("-", "parquet", None).__enter__()
    doubled = pyarrow.Table.from_arrays([pyarrow.array(["a b"])] * 3, ["text", "x", "x"])
    pyarrow.parquet.write_table(doubled, tmp_path / "b.parquet")
    with pytest.raises(FileError, match="two columns have the same name"):
        open_source(str(tmp_path / "b.parquet"), "parquet", None).__enter__()


def test_what_would_be_lost_is_refused() -> None:
    with pytest.raises(FileError, match=r'"b".*write \.jsonl'):
        write("csv", ["a"], Row({"a": 1, "b": 2}, "", ""))
    with pytest.raises(FileError, match="same name"):
        write("jsonl", ["a", "a"], Row(["1", "2"], "", ""))
    with pytest.raises(FileError, match="json can't be written"):
        write("json", ["a"], Row(["1"], "", ""))
