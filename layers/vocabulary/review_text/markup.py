"""Text without its markup, and the way back: where each character stood in the submitted text.

Reviews come with ``<br />``, now and then with other tags and entities. What is text and what is
markup is what BeautifulSoup says of a well-formed page; the tests hold the two equal, on made-up
pages and on real reviews. BeautifulSoup itself is not used: it forgets positions, and the website
has to mark words in the reviewer's own text; and the parser under it needs time that grows with
the square of a text's length where markup is broken on purpose (19 s for 20,000 characters). Here
the time is linear: no piece of markup is looked for twice, and a tag that another one begins in,
outside its quotes, is none.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from html import unescape
from html.entities import html5
from itertools import accumulate

Span = tuple[int, int]
"""Start and end."""
Piece = tuple[str, int, int]
"""Text, and the start and end of what it stands for in the source."""

LINE_BREAK = "<br />"
_OTHER_MARKUP = re.compile(r"<(?!br />)|&[#A-Za-z]")
# No entity has a name of one letter: R&D; is text.
_ENTITY = re.compile(r"&(?:\#[0-9]+|\#[xX][0-9A-Fa-f]+|[A-Za-z][-.A-Za-z0-9]{1,40});?")
_MARKUP = re.compile(
    r"</?[A-Za-z]+>"  # most tags: to see their end at once only saves time
    rf"|</?[A-Za-z]|<!--|<[!?/]|{_ENTITY.pattern}"
)
# Quotes count after an equals sign only, and only where they close: <p class="a>b">, <p it's>.
# HTML lets an attribute's name have a "<". Here that ends the search for the tag's own end, which
# would otherwise go over the same text again from each of many tags that nothing closes.
_TAG = re.compile(r"""<(/?)([A-Za-z][^\s/<>]*+)(?:[^<>=]++|=[\s=]*+(?:"[^"]*+"|'[^']*+')?+)*+>""")
_MAX_TAG = 1_000  # characters
_MAX_ENTITY = 44  # characters: longer ones are numbers, and 40 digits are as far from any character

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
        if self._starts == [0] and self._ends == [len(self.text)]:
            return list(spans)
        found: list[Span] = []
        piece, shift = -1, 0
        stop, is_literal = 0, False  # where the piece ends in the text; whether it is the source's
        for start, end in spans:
            if start >= stop:
                piece = bisect_right(self._shown, start, piece + 1) - 1
                stop = self._shown[piece + 1]
                shift = self._starts[piece] - self._shown[piece]
                is_literal = self._ends[piece] - shift == stop
            if end > stop:
                found.append((self._locate(start)[0], self._locate(end - 1)[1]))
            elif is_literal:
                found.append((start + shift, end + shift))
            else:
                found.append((self._starts[piece], self._ends[piece]))
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
    """Say whether the text has no markup but ``<br />``, which most reviews have."""
    return _OTHER_MARKUP.search(source) is None


def join_pieces(source: str) -> list[Piece]:
    """Give what BeautifulSoup calls the text: all tags gone, nothing in their place."""
    if not is_free_of_markup(source):
        return list(_scan(source))
    pieces, start = [], 0
    for text in source.split(LINE_BREAK):
        if text:
            pieces.append((text, start, start + len(text)))
        start += len(text) + len(LINE_BREAK)
    return pieces


def separate_pieces(source: str) -> list[Piece]:
    """Give the text with a space in the place of each tag, so that no two words run together."""
    pieces: list[Piece] = []
    previous_end = 0
    for text, start, end in _scan(source):
        if start > previous_end:
            pieces.append((" ", previous_end, start))
        pieces.append((text, start, end))
        previous_end = end
    return pieces


def blank_line_breaks(source: str) -> str:
    """Give ``source`` with each ``<br />`` made a line end of the same length: offsets stay
    true."""
    return source.replace(LINE_BREAK, "\n     ")


def _scan(source: str) -> Iterator[Piece]:
    """The text between the markup, and the characters that entities stand for."""
    unread = _Unread()
    # What does not come any more is not looked for again.
    lasts = {closing: source.rfind(closing) for closing in (">", "-->")}
    at = written = 0
    while match := (_MARKUP if at < lasts[">"] else _ENTITY).search(source, at):
        start, end = match.span()
        kind, character, tag = match.group(), "", None
        if kind[0] == "&":
            character = _character(kind[:_MAX_ENTITY])
            end = end if character != kind else 0
        elif kind[-1] == ">":
            if kind.strip("</>").lower() in _UNREAD_ELEMENTS:
                tag = _TAG.match(source, start)
        elif kind[-1].isalpha():
            tag = _TAG.match(source, start, start + _MAX_TAG)
            end = tag.end() if tag else 0
        else:
            closing = "-->" if kind == "<!--" else ">"
            end = source.find(closing, end) + len(closing) if end <= lasts[closing] else 0
        if end <= start:  # nothing closes it, or it stands for itself: it is text
            at = start + 1
            continue
        if not unread:
            if start > written:
                yield source[written:start], written, start
            if character:
                yield character, start, end
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


@lru_cache(4_096)
def _character(entity: str) -> str:
    """What an entity stands for, by the rules of HTML 5: &#146; is an apostrophe. An entity that
    does not exist stands for itself, without its semicolon."""
    bare = entity.rstrip(";")
    return unescape(bare + ";") if bare[1] == "#" else html5.get(bare[1:] + ";", bare)
