"""How a file's letters are written: told as the website tells it, by the same files."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from review_text import encodings
from review_text.encodings import find_encoding
from review_text.errors import TableError
from review_text.tables import Table
from tests.browser.file_kinds import ENCODINGS, Kind

ROOT = Path(__file__).resolve().parents[3]


def read(content: bytes) -> list[str]:
    file = io.BytesIO(content)
    return [row.review for row in Table(find_encoding(file).open(file)).rows()]


@pytest.mark.parametrize("kind", ENCODINGS, ids=lambda kind: kind.name)
def test_a_file_is_read_or_refused_as_the_website_does(kind: Kind) -> None:
    if kind.refusal:
        with pytest.raises(TableError) as raised:
            read(kind.content)
        assert raised.value.refusal.reason == kind.refusal
    else:
        assert tuple(read(kind.content)) == kind.reviews


def test_all_of_a_file_is_looked_at_and_not_its_beginning_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encodings, "_BLOCK", 16)
    text = "review\n" + "A fine film\n" * 20 + "Très bien joué\n"
    for codec in ("cp1252", "mac-roman", "utf-8"):
        assert read(text.encode(codec))[-1] == "Très bien joué"
    with pytest.raises(TableError):
        read(text.encode() + b"\xe8\n")


@pytest.mark.parametrize(
    ("content", "codec", "notice"),
    [
        ("review\nTrès bon\n".encode(), "utf-8", ""),
        ("review\nTrès bon\n".encode("utf-16-le"), "utf-16-le", ""),
        ("review\nTrès bon\n".encode("cp1252"), "cp1252", "It was read as Windows-1252"),
        ("review\nTrès bon\n".encode("mac-roman"), "mac-roman", "It was read as Mac OS Roman"),
        (b"review\nA\0 fine film\n", "utf-8", ""),
        (b"", "utf-8", ""),
    ],
)
def test_what_leaves_a_doubt_is_said(content: bytes, codec: str, notice: str) -> None:
    encoding = find_encoding(io.BytesIO(content))
    assert encoding.codec == codec
    assert notice in encoding.notice
    assert bool(encoding.notice) == bool(notice)


def test_bytes_without_a_letter_are_kept_as_in_browsers() -> None:
    text = "review\n" + "Très bien et déjà vu à Noël. " * 5
    assert read(text.encode("cp1252") + b"\x81\n") == [text.partition("\n")[2] + "\x81"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfer\0\x00\xd8x\0", "damaged-encoding"),
        (b"\xef\xbb\xbfreview\nTr\xe8s bon\n", "damaged-encoding"),
        (b"review\nTr\xc3\xa8s bon, d\xe9j\xe0\n", "unknown-encoding"),
        (b"review\nbon \xe8\n", "unknown-encoding"),  # either alphabet has a letter for it
        (b"\x00\x01\x02\x03 review", "binary"),
        (b"PK\x03\x04\0\0", "known-kind"),
        (b"%PDF-1.7", "known-kind"),
    ],
)
def test_what_cannot_be_told_for_certain_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(TableError) as raised:
        find_encoding(io.BytesIO(content))
    assert raised.value.refusal.reason == reason


def test_the_end_of_a_beginning_may_cut_a_letter() -> None:
    start = "review\nTrès".encode()[:-2]
    assert find_encoding(io.BytesIO(start), is_whole=False).codec == "utf-8"
    with pytest.raises(TableError):
        find_encoding(io.BytesIO(start))


def test_kinds_of_files_that_hold_no_text_are_the_websites() -> None:
    script = (ROOT / "frontend/js/many/reading/containers.js").read_text(encoding="utf-8")
    theirs = re.findall(r'^  \[/(.+)/(s?i?), "(.+)"\],$', script, re.MULTILINE)
    assert len(theirs) > 15
    ours = [(re.sub(r"\(\?i:(.*)\)", r"(\1)", pattern), kind) for pattern, kind in encodings._KINDS]
    for pattern, _, kind in theirs:
        plain = re.sub(r"^\^\\s\*\((.*)\)$|^\^\\s\*(.*)$", r"^\\s*(\1\2)", pattern)
        assert (plain, kind) in ours
    assert len(ours) == len(theirs) + 2  # a zip and a gzip file, which the website unpacks
