"""Text without its markup, and the way back: where each character stood in the submitted text.

Reviews come with ``<br />``, now and then with other tags and entities. What is text and what is
markup is what BeautifulSoup says of a well-formed page; the tests hold the two equal, on made-up
pages and on real reviews. BeautifulSoup itself is not used: it forgets positions, and the website
has to mark words in the reviewer's own text; and the parser under it needs time that grows with
the square of a text's length where markup is broken on purpose (19 s for 20,000 characters). Here
the time is linear: no piece of markup is looked for twice, and a tag has a greatest length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from html import unescape
from html.entities import html5
from itertools import accumulate

Span = tuple[int, int]
"""Start and end."""
Piece = tuple[str, int, int]
"""Text, and the start and end of what it stands for in the source."""

LINE_BREAK = "<br />"
_OTHER_MARKUP = re.compile(r"<(?!br />)|&[#A-Za-z]")
_MARKUP = re.compile(
    r"<!--|</?[A-Za-z]|<[!?/]"
    r"|&(?:\#[0-9]+|\#[xX][0-9A-Fa-f]+|[A-Za-z][-.A-Za-z0-9]*);?"
)
# Quotes count after an equals sign only, and only where they close: <p class="a>b">, <p it's>.
_TAG = re.compile(r"""<(/?)([A-Za-z][^\s/>]*+)(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+>""")
_LONGEST_TAG = 1_000

# BeautifulSoup keeps the text of these elements out of what it calls a page's text.
_UNREAD_ELEMENTS = frozenset({"script", "style", "template", "rt", "rp"})
# Inside these, nothing is markup but their own end.
_RAW_ELEMENTS = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style")}


class PlainText:
    """Plain text made of pieces of a source text; ``source_spans`` lead back to the source."""

    __slots__ = ("_ends", "_shown", "_starts", "text")

    def __init__(self, pieces: list[Piece]) -> None:
        """``pieces`` in the order of the source, none of them empty."""
        self.text = "".join(text for text, _, _ in pieces)
        self._shown = list(accumulate((len(text) for text, _, _ in pieces), initial=0))
        self._starts = [start for _, start, _ in pieces]
        self._ends = [end for _, _, end in pieces]

    def source_spans(self, spans: Iterable[Span]) -> list[Span]:
        """Start and end, in the source, of each part of ``text``: none empty, in order."""
        found: list[Span] = []
        piece, shift = -1, 0
        stop = literal_stop = 0  # where the piece ends in the text, and where a literal one does
        for start, end in spans:
            while start >= stop:
                piece += 1
                stop = self._shown[piece + 1]
                shift = self._starts[piece] - self._shown[piece]
                literal_stop = stop if self._ends[piece] - shift == stop else -1
            if end <= literal_stop:
                found.append((start + shift, end + shift))
            else:
                found.append((self._locate(start)[0], self._locate(end - 1)[1]))
        return found

    def _locate(self, position: int) -> Span:
        piece = bisect_right(self._shown, position) - 1
        start, end = self._starts[piece], self._ends[piece]
        if self._shown[piece + 1] - self._shown[piece] != end - start:
            return start, end  # an entity: its characters cannot be told apart in the source
        at = start + position - self._shown[piece]
        return at, at + 1


class _Unread:
    """The open elements whose text is not read. To look for one takes no longer among many."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._counts: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._names)

    def open(self, name: str) -> None:
        self._names.append(name)
        self._counts[name] += 1

    def close(self, name: str) -> None:
        """Close the innermost element of that name and all in it; without one, nothing."""
        while self._counts[name]:
            innermost = self._names.pop()
            self._counts[innermost] -= 1
            if innermost == name:
                break


def is_free_of_markup(source: str) -> bool:
    """Whether the text has no markup but ``<br />``, which most reviews have."""
    return _OTHER_MARKUP.search(source) is None


def join_pieces(source: str) -> list[Piece]:
    """What BeautifulSoup calls the text: all tags gone, nothing in their place."""
    if not is_free_of_markup(source):
        return list(_scan(source))
    pieces, start = [], 0
    for text in source.split(LINE_BREAK):
        if text:
            pieces.append((text, start, start + len(text)))
        start += len(text) + len(LINE_BREAK)
    return pieces


def separate_pieces(source: str) -> list[Piece]:
    """The text with a space in the place of each tag, so that no two words run together."""
    pieces: list[Piece] = []
    previous_end = 0
    for text, start, end in _scan(source):
        if start > previous_end:
            pieces.append((" ", previous_end, start))
        pieces.append((text, start, end))
        previous_end = end
    return pieces


def blank_line_breaks(source: str) -> str:
    """``source`` with each ``<br />`` made a line end of the same length: offsets stay true."""
    return source.replace(LINE_BREAK, "\n     ")


def _scan(source: str) -> Iterator[Piece]:
    """The text between the markup, and the characters that entities stand for."""
    unread = _Unread()
    absent: set[str] = set()  # what does not come any more, so as not to look for it again
    at = written = 0
    while match := _MARKUP.search(source, at):
        start, kind = match.start(), match.group()
        tag = None
        if kind[0] == "&":
            end = match.end()
        elif kind[-1].isalpha():
            tag = _TAG.match(source, start, start + _LONGEST_TAG)
            end = tag.end() if tag else 0
        else:
            closing = "-->" if kind == "<!--" else ">"
            end = 0 if closing in absent else source.find(closing, match.end()) + len(closing)
            if end < start:
                absent.add(closing)
        if end <= start:  # nothing closes it, so it is text
            at = start + 1
            continue
        if not unread:
            if start > written:
                yield source[written:start], written, start
            if kind[0] == "&":
                yield _character(kind.rstrip(";")), start, end
        at = written = end if tag is None else _follow(tag, source, unread)
    if not unread and written < len(source):
        yield source[written:], written, len(source)


def _follow(tag: re.Match[str], source: str, unread: _Unread) -> int:
    """Note what a tag does to ``unread``; where reading goes on."""
    closes, name = tag.group(1), tag.group(2).lower()
    if closes:
        unread.close(name)
    elif name in _UNREAD_ELEMENTS and not tag.group().endswith("/>"):
        unread.open(name)
        if name in _RAW_ELEMENTS:
            end = _RAW_ELEMENTS[name].search(source, tag.end())
            return end.start() if end else len(source)
    return tag.end()


def _character(entity: str) -> str:
    """What an entity stands for, by the rules of HTML 5: &#146; is an apostrophe. An entity that
    does not exist stands for itself."""
    if entity[1] != "#":
        return html5.get(entity[1:] + ";", entity)
    # No code point has so many digits, and Python refuses to read numbers of some thousand.
    return unescape(entity + ";") if len(entity) < 20 else "\N{REPLACEMENT CHARACTER}"
