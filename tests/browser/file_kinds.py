"""Files as people have them, small: what each holds, or why it is refused."""

# ruff: noqa: E501  A line of a file is easier to read than its parts.

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from dataclasses import dataclass
from xml.sax.saxutils import escape

A = "<<A wonderful, moving film. I loved it.>>"
B = "<<Dull and far too long; I walked out.>>"
C = '<<They call it "fine". It is not.>>'
ACCENTED = "<<Très bien joué: a naïve café scene – that’s “all”.>>"


@dataclass(frozen=True)
class Kind:
    """A file and what has to come of it: its reviews, and rows with a reason; or a refusal's key."""

    name: str
    content: bytes
    reviews: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    refusal: str = ""
    column: str = ""


def kind(
    name: str,
    content: object,
    *reviews: str,
    encoding: str = "utf-8",
    problems: tuple[str, ...] = (),
    refusal: str = "",
    column: str = "",
) -> Kind:
    """A file of bytes, of a text, or of what becomes JSON. The reviews that are to be found in it
    are marked in the text, or are given."""
    if isinstance(content, bytes):
        return Kind(name, content, tuple(map(plain, reviews)), problems, refusal, column)
    text = content if isinstance(content, str) else json.dumps(content)
    marked = [] if refusal else re.findall("<<(.*?)>>", text, re.DOTALL)
    found = reviews or [re.sub(r'""|\\"', '"', review) for review in marked]
    data = plain(text).encode(encoding)
    return Kind(name, data, tuple(map(plain, found)), problems, refusal, column)


def plain(text: str) -> str:
    """A text without the marks of its reviews."""
    return text.replace("<<", "").replace(">>", "")


def csv_cell(text: str) -> str:
    """A quoted cell."""
    return '"' + text.replace('"', '""') + '"'


QA, QB, QC = csv_cell(A), csv_cell(B), csv_cell(C)


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip archive of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def workbook(*sheets: list[list[str | float | None]], inline: bool = False) -> bytes:
    """An .xlsx as Excel writes it: shared strings, or inline ones; style 1 is a date."""
    shared: list[str] = []

    def cell(value: str | float | None, row: int, column: int) -> str:
        place = f"{chr(65 + column)}{row}"
        if value is None:
            return ""
        if isinstance(value, float) and value > 40000:
            return f'<c r="{place}" s="1"><v>{value:g}</v></c>'
        if isinstance(value, (int, float)):
            return f'<c r="{place}"><v>{value:g}</v></c>'
        if value.startswith("#"):
            return f'<c r="{place}" t="e"><v>{value}</v></c>'
        text = escape(plain(value))
        if inline:
            return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
        shared.append(f"<si><r><t>{text[:4]}</t></r><r><rPr><b/></rPr><t>{text[4:]}</t></r></si>")
        return f'<c r="{place}" t="s"><v>{len(shared) - 1}</v></c>'

    def sheet(rows: list[list[str | float | None]]) -> bytes:
        lines = (
            f'<row r="{n}">{"".join(cell(v, n, c) for c, v in enumerate(row))}</row>'
            for n, row in enumerate(rows, 1)
        )
        return f"<worksheet><sheetData>{''.join(lines)}</sheetData></worksheet>".encode()

    parts = {f"xl/worksheets/sheet{n}.xml": sheet(rows) for n, rows in enumerate(sheets, 1)}
    names = "".join(
        f'<sheet name="Sheet{n}" sheetId="{n}" r:id="rId{n}"/>' for n in range(1, len(sheets) + 1)
    )
    targets = "".join(
        f'<Relationship Id="rId{n}" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    styles = '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    return zipped(
        {
            "[Content_Types].xml": b"<Types/>",
            "xl/workbook.xml": f"<workbook><sheets>{names}</sheets></workbook>".encode(),
            "xl/_rels/workbook.xml.rels": f"<Relationships>{targets}</Relationships>".encode(),
            "xl/styles.xml": styles.encode(),
            "xl/sharedStrings.xml": f"<sst>{''.join(shared)}</sst>".encode(),
            **parts,
        }
    )


def stray_quotes() -> str:
    """Sentences with a tab and a label, a few of which have a quote that nothing closes."""
    sentences = [f"Sentence {n} says that it was fine." for n in range(60)]
    sentences[5] = '" A fine film.'
    sentences[17] = 'The so-called "hero" is not one.'
    sentences[45] = '"Awful.'
    sentences[50] = 'A screen of 5"'
    return "".join(f"<<{sentence}>>\t{n % 2}\n" for n, sentence in enumerate(sentences))


STRAY = stray_quotes()
JSON_LINES = "".join(json.dumps({"id": n, "review": r}) + "\n" for n, r in enumerate((A, B, C)))

HEADERS = [
    kind(
        "kaggle.csv",
        f",review,sentiment\n0,{QA},positive\n1,{QB},negative\n2,{QC},negative\n",
        column="review",
    ),
    kind(
        "dotted.csv",
        f"id,reviews.rating,reviews.text,reviews.title\n1,5,{QA},Great\n2,1,{QB},Bad\n",
        column="reviews.text",
    ),
    kind("spam.csv", f"v1,v2,,,\nham,{QA},,,\nspam,{QB},,,\nham,{QC},,,\n", column="v2"),
    kind(
        "form.csv",
        f"Timestamp,What did you think of the film?,How many stars? (1-5)\n2024/05/01 10:00:00,{QA},5\n2024/05/02 11:30:00,{QB},1\n",
        column="What did you think of the film?",
    ),
    kind(
        "question.csv",
        f"id,Please describe in your own words what you liked or disliked\n1,{QA}\n2,{QB}\n",
        column="Please describe in your own words what you liked or disliked",
    ),
    kind(
        "one-question.csv",
        f'"Date","Tell us, in a few words, what you thought"\n2024-01-01,{QA}\n2024-01-02,{QB}\n',
    ),
    kind("shop.csv", f"S.No,Review,Label\n1,{QA},1\n2,{QB},0\n", column="Review"),
    kind("doubles.csv", f"review,rating,review\n{QA},5,x\n{QB},1,y\n", column="review"),
    kind("sep.csv", f"sep=,\nid,review\n1,{QA}\n2,{QB}\n", column="review"),
    kind("sep-semicolon.csv", f"sep=;\r\nid;review\r\n1;{QA}\r\n2;{QB}\r\n", column="review"),
    kind("only-header.csv", "id,review\n", refusal="only-names"),
    kind("only-header-one.csv", "review\n", refusal="only-names"),
    kind(
        "letterboxd-list.csv",
        f"Letterboxd list export v7\nDate,Name,Tags,URL,Description\n2024-05-01,My list,,https://boxd.it/aaa,Films\n\nPosition,Name,Year,URL,Review\n1,Alien,1979,https://boxd.it/bbb,{QA}\n2,Cats,2019,https://boxd.it/ccc,{QB}\n3,Heat,1995,https://boxd.it/ddd,{QC}\n",
        column="Review",
    ),
    kind(
        "letterboxd-list-simple.csv",
        f"Letterboxd list export v7\n\nPosition,Name,Year,Review\n1,Alien,1979,{QA}\n2,Cats,2019,{QB}\n",
        column="Review",
    ),
    kind(
        "club.csv",
        f"Film club export 2024,,\n,,\nid,review,rating\n1,{QA},5\n2,{QB},1\n",
        column="review",
    ),
    kind(
        "club-prose.csv",
        f"Exported by Anna, on a Monday\nid,review,rating\n1,{QA},5\n2,{QB},1\n",
        column="review",
    ),
    kind("r-tabs.txt", f'"review"\t"rating"\n"1"\t{QA}\t5\n"2"\t{QB}\t1\n', column="review"),
    kind("r-blanks.txt", f'"review" "rating"\n"1" {QA} 5\n"2" {QB} 1\n', column="review"),
    kind("r-commas.csv", f'"review","rating"\n"1",{QA},5\n"2",{QB},1\n', column="review"),
    kind("trailing.csv", f"id,review,rating\n1,{QA},5,\n2,{QB},1,\n", column="review"),
    kind("no-header.csv", f"1,{QA}\n2,{QB}\n"),
    kind("no-header-labels.csv", f"positive,{QA}\nnegative,{QB}\n"),
    kind("one-column.csv", f"review\n{QA}\n{QB}\n{QC}\n", column="review"),
    kind("one-column-none.csv", f"{QA}\n{QB}\n"),
    kind(
        "short-first.csv",
        "<<Great>>\n<<The film goes on and on and on for ever.>>\n<<It is a fine film all the same.>>\n",
    ),
    kind(
        "camel.csv",
        f"reviewerID,asin,reviewText,overall,summary\nA1,B0001,{QA},5.0,Great film\nA2,B0002,{QB},1.0,Awful film\n",
        column="reviewText",
    ),
    kind(
        "uber.csv",
        f'"Unnamed: 0","Review Text","Rating"\n0,{QA},5\n1,{QB},2\n',
        column="Review Text",
    ),
    kind("name-and-nothing.csv", f"review,,,\n{QA},,,\n{QB},,,\n", column="review"),
    kind(
        "spilt.csv",
        f'v1,v2,,\nham,{QA},,\nspam,"Dull, and", so on,\nspam,{QB},,\n',
        problems=("misfit",),
        column="v2",
    ),
    kind(
        "numbered-questions.csv",
        f"Q1. Which film did you see?,Q2. Anything else you would like to tell us about it?\nAlien,{QA}\nCats,{QB}\n",
    ),
    kind("one-question-alone.csv", f"How did you like it?\n{QA}\n{QB}\n"),
    kind("question-and-commas.csv", "What did you think?\n<<Slow, but good>>\n<<Bad, bad film>>\n"),
    kind(
        "qualtrics.csv",
        f'StartDate,Q3_TEXT\nStart Date,Please tell us what you thought of the film.\n"{{""ImportId"":""startDate""}}","{{""ImportId"":""QID3_TEXT""}}"\n2024-05-01,{QA}\n2024-05-02,{QB}\n',
        problems=("names", "names"),
        column="Q3_TEXT",
    ),
    kind(
        "qualtrics-labels.csv",
        f'Q1,Q2\nWhich film?,What did you think of it?\n"{{""ImportId"":""QID1""}}","{{""ImportId"":""QID2_TEXT""}}"\nAlien,{QA}\nCats,{QB}\n',
        problems=("names", "names"),
        column="Q2",
    ),
    kind("sep-one-column.csv", f"sep=,\nreview\n{QA}\n{QB}\n", column="review"),
    kind("title-one-column.csv", f"Films that I saw\nreview\n{QA}\n{QB}\n", column="review"),
    kind(
        "names-and-blanks.csv",
        "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Review,Tags,Watched Date\n\n\n",
        refusal="only-names",
    ),
    kind("names-of-pandas.csv", ",review,sentiment\n", refusal="only-names"),
    kind("question-alone.csv", "What did you think of the film?\n", refusal="only-names"),
    kind(
        "keys-above.csv",
        f"Name:,Anna\nDate:,2024-05-01\nid,review\n1,{QA}\n2,{QB}\n",
        column="review",
    ),
    kind("r-one-column.csv", f'"review"\n"1",{QA}\n"2",{QB}\n', column="review"),
    kind("r-one-column.txt", f'"review"\n"1" {QA}\n"2" {QB}\n', column="review"),
]

STRANGE = [
    kind("labels.txt", f"__label__2 {A}\n__label__1 Dull.\n", refusal="strange-table"),
    kind(
        "replies.csv",
        f'userName,content,score,at,replyContent\nAnna M,{QA},5,2020-10-27,"Thank you for your review, we are so glad that you like the film."\nBen,{QB},1,2020-10-28,\n',
        column="content",
    ),
    kind("joined.csv", f"id,review\n1,{QA}\nid,review\n2,{QB}\n", problems=("names",)),
    kind("colons.dat", f"1::{A}::5\n2::Dull::1\n", refusal="strange-table"),
    kind("names.txt", f"review: {A}\nreview: {B}\n", refusal="strange-table"),
    kind("list.yml", f"- review: {A}\n- review: {B}\n", refusal="strange-table"),
    kind("tags.txt", f"<review>{A}</review>\n<review>{B}</review>\n", refusal="strange-table"),
    kind(
        "script.js", 'window.part0 = [ {"tweet":{"full_text":"A film"}} ]', refusal="strange-table"
    ),
    kind(
        "aligned.txt",
        f"id   review                     stars\n---- -------------------------- -----\n1    {A}      5\n2    Dull                        1\n",
        refusal="strange-table",
    ),
    kind("no-quotes.txt", "review rating\n1 fine 5\n2 bad 1\n", refusal="strange-table"),
    kind("wide.csv", f"review,stars\n{QA},5,extra\n{QB},1\n", B, problems=("misfit",)),
    kind("comments.csv", f"# Source: a club, 2024\n# Rows: 2\nid,review\n1,{QA}\n2,{QB}\n"),
    kind("report.csv", f'"Report of 2024-01-01"\n"Film club"\n\nid;review\n1;{QA}\n2;{QB}\n'),
    kind("numbered.csv", f"1. Film,2. What did you like?,3. Score\nAlien,{QA},5\nCats,{QB},1\n"),
    kind("footer.txt", f" id | review\n----+-------\n 1 | {A}\n 2 | {B}\n(2 rows)\n"),
    kind(
        "total.csv", f"id,review,stars\n1,{QA},5\n2,{QB},1\n\nTotal: 2 rows\n", problems=("misfit",)
    ),
    kind("empty-rows.csv", f"id,review\n1,{QA}\n,\n,\n2,{QB}\n,\n"),
    kind(
        "bad-line.jsonl",
        json.dumps({"review": A}) + '\n{"review": "Cut\n' + json.dumps({"review": B}),
        problems=("no-object",),
    ),
    kind(
        "labels.csv", f"review,text\npositive,{QA}\nnegative,{QB}\npositive,{QA}\n", column="text"
    ),
]

JSONS = [
    kind(
        "named-rows.json",
        {"a1": {"review": A, "stars": 5}, "a2": {"review": B, "stars": 1}},
        column="review",
    ),
    kind("no-object.json", [{"review": A}, None], refusal="no-records"),
    kind("array.json", [{"review": A}, {"review": B}]),
    kind(
        "array-lines.json",
        '[{"review": ' + json.dumps(A) + '},\n{"review": ' + json.dumps(B) + "}]\n",
    ),
    kind("array-pretty.json", json.dumps([{"review": A}, {"review": B}, {"review": C}], indent=2)),
    kind(
        "steam.json",
        {
            "success": 1,
            "query_summary": {"num_reviews": 2},
            "reviews": [
                {
                    "recommendationid": "1",
                    "author": {"steamid": "7"},
                    "language": "english",
                    "review": A,
                    "voted_up": True,
                },
                {
                    "recommendationid": "2",
                    "author": {"steamid": "8"},
                    "language": "english",
                    "review": B,
                    "voted_up": False,
                },
            ],
            "cursor": "x",
        },
    ),
    kind("wrapped.json", {"reviews": [{"text": A}]}),
    kind(
        "deep.json",
        {"data": {"film": {"reviews": {"edges": [{"node": {"body": A}}, {"node": {"body": B}}]}}}},
    ),
    kind(
        "feed.json",
        {
            "feed": {
                "entry": [
                    {"content": {"label": A}, "im:rating": {"label": "5"}},
                    {"content": {"label": B}, "im:rating": {"label": "1"}},
                ]
            }
        },
    ),
    kind("pandas.json", {"review": {"0": A, "1": B}}),
    kind("pandas-more.json", {"id": {"0": 7, "1": 8}, "review": {"0": A, "1": B}}),
    kind("pandas-index.json", {"0": {"id": 7, "review": A}, "1": {"id": 8, "review": B}}),
    kind(
        "pandas-split.json",
        {"columns": ["id", "review"], "index": [0, 1], "data": [[7, A], [8, B]]},
    ),
    kind(
        "pandas-table.json",
        {
            "schema": {
                "fields": [
                    {"name": "index", "type": "integer"},
                    {"name": "review", "type": "string"},
                ]
            },
            "data": [{"index": 0, "review": A}, {"index": 1, "review": B}],
        },
    ),
    kind("pandas-values.json", [["id", "review"], [7, A], [8, B]]),
    kind("lists.json", {"review": [A, B], "rating": [5, 1]}),
    kind("strings.json", [A, B, C]),
    kind("wrapped-strings.json", {"reviews": [A, B]}),
    kind("one.json", {"id": 1, "review": A}),
    kind(
        "sequence.json",
        json.dumps({"review": A}, indent=1) + "\n" + json.dumps({"review": B}, indent=1),
    ),
    kind("lines.json", JSON_LINES),
    kind("lines.jsonl", JSON_LINES),
    kind("objects.txt", JSON_LINES),
    kind("spaced.ndjson", "\ufeff" + JSON_LINES.replace("\n", " \r\n\r\n")),
    kind("lines-commas.json", JSON_LINES.replace("}\n", "},\n")),
    kind(
        "nan.json", '[{"review": "' + A + '", "rating": NaN}, {"review": "' + B + '", "rating": 1}]'
    ),
    kind(
        "python.txt",
        repr({"reviewText": A, "overall": 5.0})
        + "\n"
        + repr({"reviewText": C, "overall": 1.0, "ok": None})
        + "\n",
    ),
    kind(
        "python.json",
        repr({"reviewText": A, "overall": 5.0})
        + "\n"
        + repr({"reviewText": "<<It's dull, isn't it?>>", "overall": 1.0})
        + "\n",
    ),
    kind(
        "python-list.txt", repr([{"text": A, "stars": 5}, {"text": "<<It's dull.>>", "stars": 1}])
    ),
    kind("cut.json", json.dumps([{"review": A}, {"review": B}])[:-32], refusal="damaged-json"),
    kind("numbers.json", [1, 2, 3], refusal="no-records"),
    kind("empty.json", "[]", refusal="no-records"),
    kind("no-text.json", [{"id": 1}, {"id": 2}], refusal="no-text"),
    kind("bracket.txt", "<<[Spoilers] The hero dies, sadly.>>\n<<[None] A fine film.>>\n"),
    kind(
        "by-film.json",
        {"Alien": [{"review": A}], "Cats": [{"review": B}, {"review": C}]},
    ),
    kind("by-name.json", {"Alien": A, "Cats": B, "Heat": C}),
    kind("by-key.json", {"data": {"reviews": {"1": {"text": A}, "2": {"text": B}}}}),
    kind(
        "films-and-reviews.json",
        {
            "films": [{"title": "Alien", "overview": "A ship meets a monster. " * 9}],
            "reviews": [{"film": 1, "text": A}, {"film": 1, "text": B}],
        },
    ),
    kind(
        "reviews-in-films.json",
        [{"title": "Alien", "reviews": [{"text": A}]}, {"title": "Cats", "reviews": []}],
        refusal="no-text",
    ),
    kind("lists-by-line.json", "".join(json.dumps([n, r]) + "\n" for n, r in enumerate((A, B, C)))),
    kind("tuples.txt", "".join(f"{(r, 'pos')!r}\n" for r in (A, C))),
    kind("python-lists.csv", "".join(f"{[r, 5]!r}\n" for r in (A, C))),
]

QUOTING = [
    kind(
        "unquoted.csv",
        "id,review\n1,<<A fine film.>>\n2,<<It is slow, but I loved it>>\n3,<<No, no, and no>>\n",
    ),
    kind("unquoted-all.csv", "id,review\n2,<<It is slow, but I loved it>>\n"),
    kind(
        "unquoted-middle.csv",
        "id,review,rating\n1,<<A fine film.>>,5\n2,<<It is slow, but I loved it>>,4\n3,<<Dull.>>,1\n",
    ),
    kind(
        "unquoted-tight.csv",
        "id,review,rating\n1,<<A fine film.>>,5\n2,<<Slow,dull and long>>,1\n3,<<I liked it a lot.>>,5\n",
    ),
    kind(
        "unquoted-title.csv",
        "title,review\nThe Thing is,<<A fine film I saw.>>\nMe, You and All of It,<<A great film it was.>>\nSlow and long,Dull,dull and dull.\n",
        problems=("misfit",),
    ),
    kind(
        "one-column-commas.csv",
        "review\n<<It is slow, but I loved it>>\n<<No, no, and no>>\n<<Fine.>>\n",
    ),
    kind("prose.csv", "<<Well, it was fine.>>\n<<Sadly, no.>>\n<<Yes, a fine film.>>\n"),
    kind(
        "prose.txt",
        "<<Great film, loved it.>>\n<<An awful film, hated it.>>\n<<A fine film, on the whole.>>\n",
    ),
    kind(
        "backslash.csv",
        'id,review\n1,"<<She said \\"no\\", then left, and I cried with joy>>"\n2,"<<Fine>>"\n',
    ),
    kind("backslash-none.csv", '1,"<<She said \\"no\\", then left, and I cried with joy>>"\n'),
    kind(
        "blank.csv",
        'id, review, rating\n1, "<<A wonderful, moving film>>", 5\n2, "<<Dull, long>>", 1\n',
    ),
    kind("blank-none.csv", '1, "<<A wonderful, moving film>>", 5\n2, "<<Dull, long>>", 1\n'),
    kind(
        "inner.csv",
        'id,review,rating\n1,"<<She said "no", then left>>",5\n2,"<<A fine, fine film>>",4\n',
    ),
    kind(
        "inner-end.csv",
        'id,review,rating\n1,"<<They call it "fine">>",2\n2,"<<A fine, fine film>>",4\n',
    ),
    kind("pipes.csv", f"id|review|rating\n1|{A}|5\n2|{B}|1\n3|{C}|1\n"),
    kind("pipes.txt", f"id|review|rating\n1|{A}|5\n2|{B}|1\n"),
    kind(
        "mysql.txt",
        f"+----+----------+\n| id | review   |\n+----+----------+\n|  1 | {A} |\n|  2 | {B} |\n+----+----------+\n",
    ),
    kind(
        "psql.txt", f" id | review | stars\n----+--------+-------\n  1 | {A} | 5\n  2 | {B} | 1\n"
    ),
    kind("control.txt", f"1\x01{A}\x01pos\n2\x01{B}\x01neg\n"),
    kind("uci.txt", STRAY),
    kind("uci.tsv", STRAY),
    kind("uci.csv", STRAY),
    kind("uci-dos.txt", STRAY.replace("\n", "\r\n")),
    kind(
        "stray.csv",
        "id,review,stars\n"
        + "".join(f"{n},<<Film number {n} was fine.>>,{n % 5}\n" for n in range(1, 40))
        + '40,<<"Unclosed and bad.>>,1\n'
        + "".join(f"{n},<<Film number {n} was fine.>>,{n % 5}\n" for n in range(41, 60))
        + '60,<<A 5">>,2\n',
    ),
    kind(
        "many-lines.csv",
        'id,review,stars\n1,"<<One line, and\nanother one, too\nand a third>>",5\n2,"<<Fine\n\nreally>>",4\n',
    ),
    kind(
        "broken-lines.csv",
        "id,review,stars\n1,<<A fine film.>>,5\n2,This film is great\nand I loved it,5\n3,<<Dull.>>,1\n",
        problems=("broken", "misfit"),
    ),
    kind(
        "cut-off.csv",
        'id,review\n1,"<<A fine, fine film.>>"\n2,"The last one is cut',
        problems=("broken-end",),
    ),
    kind(
        "unquoted-none.csv",
        "1,<<It is slow, but I loved it>>\n2,<<Bad, really bad, awful>>\n3,<<A fine film>>\n",
    ),
    kind(
        "one-column-tight.csv", "Comments\n<<Good,bad,ugly: all of it>>\n<<I, for one, liked it>>\n"
    ),
    kind(
        "stray-with-commas.csv",
        "id,review\n"
        + "".join(f"{n},<<Film {n} was fine>>\n" for n in range(20))
        + '20,<<"The one" with a start, and more>>\n21,<<He is 6\'2", and tall>>\n'
        + "".join(f"{n},<<Film {n} was fine>>\n" for n in range(22, 40)),
    ),
    kind("line-like-a-row.csv", 'id,review\n1,"<<One, two\n2, three>>"\n2,<<Dull>>\n'),
]

COLUMNS = [
    kind("counts.csv", f"Title,Reviews,Comment\nAlien,120,{QA}\nCats,7,{QB}\n", column="Comment"),
    kind(
        "addresses.csv",
        "url,opinion\nhttps://example.org/some/very/long/path/to/a/page/of/a/film/with-many-words-in-it,<<Fine film>>\nhttps://example.org/some/other/very/long/path/to/another/page-with-many-words,<<Bad film>>\n",
        column="opinion",
    ),
    kind(
        "plots.csv",
        f"title,plot_url,user,review\nThe Long Title of a Film,https://a.example/x,Anna Maria,{QA}\nAnother Long Title of a Film,https://a.example/y,Ben Smith,{QB}\n",
        column="review",
    ),
    kind("numbers.csv", "id,rating\n1,5\n2,4\n", refusal="no-text"),
    kind(
        "ids.csv",
        "review_id,review_date,stars\n1,2024-01-01,5\n2,2024-01-02,4\n",
        refusal="no-text",
    ),
    kind(
        "missing.csv",
        "id,review\n1,<<A fine film.>>\n2,nan\n3,NULL\n4,#NAME?\n5,N/A\n6,\n7,\\N\n8,None\n9,<<Dull.>>\n",
        problems=("missing",) * 4 + ("empty",) + ("missing",) * 2,
    ),
    kind("missing-one.txt", "<<A fine film.>>\nnan\n<<Dull.>>\n", problems=("missing",)),
    kind("one-review.csv", "id,review\n1,<<A fine film.>>\n"),
    kind("one-review.txt", "<<A fine film.>>"),
    kind("films.csv", "Title,Stars\nAlien,5\nCats,1\n", refusal="no-text"),
    kind("people.csv", "user,city\nAnna,Rome\nBen,Paris\n", refusal="no-text"),
    kind(
        "missing-words.csv",
        "id,review\n1,(blank)\n2,[deleted]\n3,<<A fine film.>>\n4,#ERROR!\n5,n.a.\n",
        problems=("missing",) * 4,
    ),
    kind(
        "dicts.csv",
        f"id,review\n1,{csv_cell(repr({'text': A}))}\n2,{QB}\n",
        B,
        problems=("structure",),
    ),
]

WIDE = f"id\treview\r\n1\t{A}\r\n2\t{ACCENTED}\r\n"
ACCENTS = f"id,review\n1,{ACCENTED}\n2,{QA}\n"
OLD = "id,review\n1,Très bien joué. C'était déjà vu à Noël.\n2,Ein schöner Film für mich.\n"
ENCODINGS = [
    kind("unicode.txt", WIDE, encoding="utf-16"),
    kind("unmarked.txt", WIDE, encoding="utf-16-le"),
    kind("unmarked-big.csv", ACCENTS, encoding="utf-16-be"),
    kind("excel.csv", ACCENTS, encoding="windows-1252"),
    kind(
        "latin.csv",
        OLD,
        "Très bien joué. C'était déjà vu à Noël.",
        "Ein schöner Film für mich.",
        encoding="latin-1",
    ),
    kind(
        "mac.csv",
        OLD,
        "Très bien joué. C'était déjà vu à Noël.",
        "Ein schöner Film für mich.",
        encoding="mac-roman",
    ),
    kind("bom.csv", ACCENTS, encoding="utf-8-sig"),
    kind(
        "russian.csv",
        "id,review\n1,Очень хороший фильм\n2,Плохой фильм\n",
        encoding="windows-1251",
        refusal="unknown-encoding",
    ),
    kind(
        "japanese.csv",
        "id,review\n1,とても良い映画でした。\n2,つまらない映画。\n",
        encoding="shift-jis",
        refusal="unknown-encoding",
    ),
    kind("utf-32.csv", ACCENTS, encoding="utf-32", refusal="unknown-encoding"),
    kind("bytes.csv", bytes(range(1, 32)) * 50, refusal="binary"),
    kind(
        "quotes.csv",
        "id,review\n1,<<It’s “fine” – I don’t like it…>>\n2,<<Dull>>\n",
        encoding="windows-1252",
    ),
    kind("pound.csv", "id,review\n1,<<£10 for this?>>\n2,<<Dull>>\n", encoding="latin-1"),
    kind(
        "spanish-mac.csv",
        "id,review\n1,<<El niño está aquí en su país>>\n2,<<Así que comió más>>\n",
        encoding="mac-roman",
    ),
    kind(
        "polish.csv",
        "id,review\n1,Świetny film, żółty\n2,Źle\n",
        encoding="windows-1250",
        refusal="unknown-encoding",
    ),
]

TABLE = plain(f"id,review,rating\n1,{QA},5\n2,{QB},1\n3,{QC},2\n").encode()
ROWS: list[list[str | float | None]] = [
    ["date", "review", "stars"],
    [45000.0, A, 5],
    [45001.0, B, None],
    [45002.0, C, 1],
]
CONTAINERS = [
    kind("reviews.csv.gz", gzip.compress(TABLE), A, B, C, column="review"),
    kind("reviews.csv.zip", zipped({"reviews.csv": TABLE}), A, B, C, column="review"),
    kind(
        "mac.zip",
        zipped({"reviews.csv": TABLE, "__MACOSX/._reviews.csv": b"x", ".DS_Store": b"x"}),
        A,
        B,
        C,
    ),
    kind("folder.zip", zipped({"export/": b"", "export/reviews.csv": TABLE}), A, B, C),
    kind("nested.zip", zipped({"reviews.csv.gz": gzip.compress(TABLE)}), A, B, C),
    kind("misnamed.csv", gzip.compress(TABLE), A, B, C),
    kind("two.zip", zipped({"a.csv": TABLE, "b.csv": TABLE}), refusal="several-files"),
    kind("none.zip", zipped({}), refusal="empty-archive"),
    kind("cut.csv.gz", gzip.compress(TABLE * 100)[:-40], refusal="damaged-container"),
    kind("cut.zip", zipped({"reviews.csv": TABLE})[:60], refusal="damaged-container"),
    kind("shared.xlsx", workbook(ROWS), A, B, C, column="review"),
    kind("inline.xlsx", workbook(ROWS, inline=True), A, B, C, column="review"),
    kind("second.xlsx", workbook([], ROWS), A, B, C, column="review"),
    kind("notes.xlsx", workbook([["note"], ["see the other"]], ROWS), A, B, C, column="review"),
    kind("title.xlsx", workbook([["Film club"], [], *ROWS]), A, B, C, column="review"),
    kind("misnamed-workbook.csv", workbook(ROWS), A, B, C),
    kind("one-column.xlsx", workbook([["review"], [A], [B], [C]]), A, B, C),
    kind(
        "errors.xlsx",
        workbook([["id", "review"], [1, A], [2, "#NAME?"], [3, B]]),
        A,
        B,
        problems=("missing",),
    ),
    kind("empty.xlsx", workbook([]), refusal="empty-workbook"),
    kind("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), refusal="known-kind"),
    kind("letter.docx", zipped({"word/document.xml": b"<w/>"}), refusal="known-kind"),
    kind("table.ods", zipped({"mimetype": b"x", "content.xml": b"<w/>"}), refusal="known-kind"),
    kind("paper.pdf", b"%PDF-1.7\n", refusal="known-kind"),
    kind("data.parquet", b"PAR1" + bytes(100), refusal="known-kind"),
    kind(
        "page.csv", b"<!DOCTYPE html><html><table><tr><td>A</td></tr></table>", refusal="known-kind"
    ),
    kind("page.xls", b"<html><table><tr><td>A</td></tr></table>", refusal="known-kind"),
    kind("empty.csv", b"", refusal="nothing"),
    kind("blank.csv", b"\n\r\n  \n", refusal="nothing"),
    kind(
        "films.xlsx",
        workbook([["Title", "Stars"], ["Alien", 5]], [["review"], [A], [B]]),
        A,
        B,
        column="review",
    ),
]

KEPT = [
    kind("imdb.csv", f"review,sentiment\n{QA},positive\n{QB},negative\n", column="review"),
    kind(
        "letterboxd.csv",
        f"Date,Name,Year,Letterboxd URI,Rating,Rewatch,Review,Tags,Watched Date\n2024-05-01,Alien,1979,https://boxd.it/aaa,4.5,,{QA},,2024-04-30\n2024-05-02,Cats,2019,https://boxd.it/bbb,0.5,Yes,{QB},,2024-05-01\n",
        column="Review",
    ),
    kind(
        "sst2.tsv",
        "sentence\tlabel\n<<hide new secretions from the parental units >>\t0\n<<contains no wit , only labored gags >>\t0\n<<a fine film >>\t1\n",
        column="sentence",
    ),
    kind(
        "rotten.tsv",
        "PhraseId\tSentenceId\tPhrase\tSentiment\n1\t1\t<<A series of escapades that is good for the goose .>>\t1\n2\t1\t<<A series of escapades>>\t2\n3\t2\t<<A fine film>>\t3\n",
        column="Phrase",
    ),
    kind(
        "labeledTrainData.tsv",
        'id\tsentiment\treview\n"5814_8"\t1\t"<<With all this \\"stuff\\" going down, I liked it.>>"\n"2381_9"\t0\t"<<A dull film.>>"\n',
        column="review",
    ),
    kind("cr.csv", f"id,review\r1,{QA}\r2,{QB}\r"),
    kind("mixed-ends.csv", f"id,review\r\n1,{QA}\n2,{QB}\r3,{QC}\r\n"),
    kind("nul.csv", "id,review\n1,<<A fine\x00film>>\n2,<<Dull film>>\n"),
    kind("gaps.csv", f"\n\nid,review\n\n1,{QA}\n\r\n\n2,{QB}\n\n"),
    kind("decimal.csv", f"id;review;rating\n1;{A};4,5\n2;<<Dull>>;0,5\n"),
    kind("wrong-ending.tsv", f"id,review\n1,{QA}\n2,{QB}\n"),
    kind("tabs.csv", f"id\treview\n1\t{A}\n2\t{B}\n"),
    kind("lines.txt", f"{A}\n{B}\n{C}\n"),
    kind("paragraph.txt", "<<Not bad at all.>>\n<<A fine film; I liked it.>>\n\n<<No.>>\n"),
]

KINDS = HEADERS + STRANGE + JSONS + QUOTING + COLUMNS + ENCODINGS + CONTAINERS + KEPT
