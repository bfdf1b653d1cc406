"""How a file's letters are written, told by the website's rule (frontend/js/many/reading)."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import BinaryIO
from unicodedata import category

from review_text.errors import Refusal, TableError, say

_BLOCK = 256 * 1024
"""Bytes that are looked at in one go. The first so many are a file's beginning."""
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAMES = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16, big-endian",
    "cp1252": "Windows-1252",
    "mac-roman": "Mac OS Roman",
}
_SINGLE_BYTE = ("cp1252", "mac-roman")
_FOREIGN = 0.3
"""Share of letters that may be outside ASCII in English or French; beyond it, the alphabet is
another."""
_MAX_ODD = 0.1
"""Share of characters outside ASCII that may stand where no word has them."""
_TYPOGRAPHIC = "‘’“”–—…•€™"
"""What most English has beyond ASCII."""
_LETTERS = bytes([*range(65, 91), *range(97, 123)])
_CONTROLS = bytes([*range(9), *range(14, 27)])
_HIGH = bytes(range(128, 256))
_KINDS = (
    (r"^PK(\x03\x04|\x05\x06)", "an Excel workbook or a ZIP archive"),
    (r"^\x1f\x8b", "a gzip file"),
    (r"^%PDF-", "a PDF"),
    (r"^\xd0\xcf\x11\xe0", "an old Excel or Word file (.xls, .doc), or one with a password"),
    (r"^PAR1", "a Parquet file"),
    (r"^ARROW1|^FEA1", "an Arrow or Feather file"),
    (r"^SQLite format 3", "a SQLite database"),
    (r"^BZh\d1AY", "a bzip2 archive"),
    (r"^7z\xbc\xaf", "a 7z archive"),
    (r"^Rar!", "a RAR archive"),
    (r"^\xfd7zXZ", "an xz archive"),
    (r"^\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (r"^.{257}ustar", "a tar archive"),
    (r"^\x89PNG|^\xff\xd8\xff|^GIF8|^RIFF.{4}WEBP", "a picture"),
    (r"^\x80[\x02-\x05]", "a Python pickle"),
    (r"^\x89HDF", "an HDF5 file"),
    (r"^\x93NUMPY", "a NumPy file"),
    (r"^(RDX\d|RDA\d|X)\n", "an R data file"),
    (r"^\$FL[23]@", "an SPSS file"),
    (r"^<stata_dta>", "a Stata file"),
    (r"^\{\\rtf", "a Rich Text file"),
    (r"^\s*(?i:<!doctype html|<html|<table)", "a web page"),
    (r"^\s*(?i:<\?xml)", "an XML file"),
)
"""What files of no table begin with, as text of a character a byte. The first two are read by the
website."""


def _keep_unassigned(error: UnicodeError) -> tuple[str, int]:
    """Decode a byte that Windows-1252 has no letter for as browsers do."""
    assert isinstance(error, UnicodeDecodeError)
    return chr(error.object[error.start]), error.start + 1


codecs.register_error("reeltone.unassigned", _keep_unassigned)


@dataclass(frozen=True)
class Encoding:
    """How a file's letters are written."""

    codec: str
    mark: int
    """Bytes at the beginning that say so."""

    @property
    def notice(self) -> str:
        """Say what the reader should look at; empty where the file leaves no doubt."""
        if self.codec not in _SINGLE_BYTE:
            return ""
        return say("notices", Refusal("encoding", {"encoding": _NAMES[self.codec]}))

    @property
    def errors(self) -> str:
        """Name the handler of bytes that are no letters."""
        return "reeltone.unassigned" if self.codec == "cp1252" else "strict"

    def open(self, file: BinaryIO) -> TextIOWrapper:
        """Read a file as text from behind its mark, with its line ends as they are."""
        file.read(self.mark)
        return TextIOWrapper(file, self.codec, self.errors, newline="")


def find_encoding(file: BinaryIO, is_whole: bool = True) -> Encoding:
    """Tell how the letters of a file are written, all of which is looked at; it is read from
    its beginning and left there. ``is_whole``: its last letter is not cut off.

    Raises:
        TableError: it is not text in an encoding that can be told for certain.
    """
    file.seek(0)
    head = file.read(_BLOCK)
    mark, marked = next(((m, codec) for m, codec in _MARKS if head.startswith(m)), (b"", ""))
    _refuse_kind(head[len(mark) :])
    codec = marked or _find_wide(head) or "utf-8"
    if codec == "utf-32":
        raise TableError("unknown-encoding")
    if codec == "utf-8":
        _refuse_binary(head)
    encoding = Encoding(codec, len(mark))
    if not _is_text(file, encoding, is_whole):
        if mark or codec != "utf-8":
            raise TableError("damaged-encoding", encoding=_NAMES[codec])
        encoding = Encoding(_find_single_byte(file), 0)
    file.seek(0)
    return encoding


def _refuse_kind(start: bytes) -> None:
    text = start[:512].decode("latin-1")
    for pattern, kind in _KINDS:
        if re.match(pattern, text, re.DOTALL):
            raise TableError("known-kind", kind=kind)


def _find_wide(head: bytes) -> str:
    """Tell UTF-16 without a mark: in English, every other byte is 0."""
    zeros, half = [head[at::2].count(0) for at in (0, 1)], len(head) / 2
    if half < 2:
        return ""
    if zeros[1] > half * 0.4 and zeros[0] < half * 0.05:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] > half * 0.4 and zeros[1] < half * 0.05 else ""


def _refuse_binary(head: bytes) -> None:
    """Some NUL bytes are a fault that files of text have; other control characters are not."""
    if _count(head, _CONTROLS) > len(head) * 0.1:
        raise TableError("binary")


def _is_text(file: BinaryIO, encoding: Encoding, is_whole: bool) -> bool:
    decoder = codecs.getincrementaldecoder(encoding.codec)(encoding.errors)
    try:
        for block in _blocks(file, encoding.mark):
            decoder.decode(block)
        decoder.decode(b"", final=is_whole)
    except UnicodeDecodeError:
        return False
    return True


def _find_single_byte(file: BinaryIO) -> str:
    """Tell Windows-1252 from Mac OS Roman, whichever makes better words; other alphabets can't be
    told apart.

    Raises:
        TableError: neither makes words.
    """
    ours, high, before = 0, 0, b" "
    around = Counter[bytes]()
    for block in _blocks(file, 0):
        ours += _count(block, _LETTERS)
        high += _count(block, _HIGH)
        padded = before + block + b" "
        places = (match.start() for match in re.finditer(rb"[\x80-\xff]", block))
        around.update(padded[at : at + 3] for at in places)
        before = block[-1:]
    (fewest, best), (other, _) = sorted((_count_oddities(around, c), c) for c in _SINGLE_BYTE)
    is_told = fewest != other or all(_is_typographic(place[1:2]) for place in around)
    if high > (ours + high) * _FOREIGN or fewest > high * _MAX_ODD or not is_told:
        raise TableError("unknown-encoding")
    return best


def _is_typographic(byte: bytes) -> bool:
    """Tell whether it is a quote, dash or sign of Windows-1252, or the same letter in both."""
    windows, mac = (byte.decode(codec, "reeltone.unassigned") for codec in _SINGLE_BYTE)
    return windows in _TYPOGRAPHIC or windows == mac


def _count_oddities(around: Counter[bytes], codec: str) -> int:
    """Count characters where no word has them: a capital or a sign within small letters."""
    faults = 0
    for place, count in around.items():
        before, letter, after = list(place.decode(codec, "reeltone.unassigned"))
        is_small = category(letter) == "Ll"
        is_in_word = category(before) == category(after) == "Ll"
        is_sign = letter in "’‘-–—…\xad" or not (is_in_word or "\x80" <= letter <= "\x9f")
        is_rare = letter in "ƒˆ˜¸˛ˇ˚ˋ¬Ω∂∑∏π∫√≈∆◊≤≥"
        # A capital at a word's end is as odd as one inside.
        is_glued = category(letter) == "Lu" and category(before) == "Ll"
        if is_rare or is_glued or not (is_small or is_sign):
            faults += count
    return faults


def _count(block: bytes, wanted: bytes) -> int:
    return len(block) - len(block.translate(None, wanted))


def _blocks(file: BinaryIO, start: int) -> Iterator[bytes]:
    file.seek(start)
    while block := file.read(_BLOCK):
        yield block
