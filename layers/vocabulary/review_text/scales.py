"""Ratings, however they are written, as tenths: "4 out of 5", "★★★★" and "80%" are all ``8/10``.

Reviews say most ratings in tenths, so those are the words that a model knows best. A number is a
rating only where it stands on a scale: dates, counts and shares of something are left alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from itertools import islice

DATE = "<date>"
"""The word for a date that could be taken for a rating: "on 7/10"."""

Phrase = tuple[int, int, str]
"""Start and end in the text, and the word that stands for it."""

_Read = Callable[["re.Match[str]"], "Phrase | None"]

_MAX_NUMBERS = 512
"""Numbers of a kind that are looked at, as many as tokens that a model reads. To read one takes as
long as to find dozens of tokens, and a text may hold 10,000."""

_NAMES: dict[str, float] = {
    **{"zero": 0, "half": 0.5, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5},
    **{"six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "hundred": 100},
}
_GRADES = {"A": 9.5, "B": 8.0, "C": 5.5, "D": 3.0, "E": 2.0, "F": 1.0}
_SCALES = frozenset({4.0, 5.0, 6.0, 10.0, 20.0, 100.0})
_USUAL_SCALES = frozenset({5.0, 10.0, 100.0})
"""Scales that people rate on; "3/4" or "1/6" are more often shares of something."""
_STARS = 5.0
"""A star without a scale is one of so many, as long as there are no more."""

_NAMED = rf"\b(?:{'|'.join(_NAMES)})\b"
_HALF = r"(?:\s?½|[ -]1[/⁄]2(?!\d)|\sand\s(?:a|one)\shalf\b)"
_AMOUNT = rf"(?<![\w/⁄∕／.,$£€-])(?:\d{{1,3}}(?:[.,]\d{{1,2}})?|{_NAMED}){_HALF}?"
_SCALE = rf"(?:\d{{1,3}}(?!\w|[.,]\d)|{_NAMED}|\*{{4,5}}(?!\*)|★{{4,5}}(?!★))"
_AT_END = r"(?=\s?(?:stars?\b|[.!?,;:)\]\"”…]|-\s|$))"
_NOT_MORE = r"(?![/⁄∕／-]\d|\s?%|\s(?:of|hours?|minutes?|times|years?|days?|people|[ap]m)\b)"

_NUMBER = re.compile(
    rf"(?P<amount>{_AMOUNT})(?:"
    rf"\s?(?P<slash>[/⁄∕／])\s?(?P<below>{_SCALE}){_NOT_MORE}"
    rf"|\s?(?:out\sof|outta)\s(?:a\spossible\s)?(?P<outof>{_SCALE}){_NOT_MORE}"
    rf"|[ -]?(?P<stars>stars?)\b(?:\s\(?(?:out\s)?of\s(?P<outof_stars>{_SCALE})\)?)?"
    r"(?!-?studded|\s(?:who|are|is|were|was|have|has|had|that|whose|of)\b)"
    r"|\s?(?P<percent>%|percent\b)(?=\s?(?:$|[.!?,;:)]|(?:on|from|at|score|rating|fresh)\b))"
    r")(?:\s?stars?\b)?",
    re.IGNORECASE,
)
_SHORT = re.compile(
    rf"(?P<amount>{_AMOUNT})\s(?:of|on)\s(?P<outof>5|10|100|five|ten)\b{_AT_END}(?:\s?stars?\b)?",
    re.IGNORECASE,
)
_GLYPHS = re.compile(
    r"(?P<full>[★⭐🌟](?:\ufe0f?\s?[★⭐🌟]){0,9})\ufe0f?(?P<half>\s?(?:½|1[/⁄]2))?(?P<empty>(?:\s?☆){0,9})"
)
_ASTERISKS = re.compile(
    rf"(?<![\w*])(?P<full>\*{{1,5}})(?P<half>\s?(?:½|1[/⁄]2))?\s?(?:out\sof\s|/\s?)(?P<outof>{_SCALE})",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"\b(?:(?:score|rating|grade|verdict)\s?[:=]?"
    r"|(?:give|gave|rate|rated)\s(?:it|this|that|the)(?:\s(?:film|movie|one))?)"
    r"\s(?:an?\s)?(?:(?:solid|strong|weak|generous|perfect)\s)?"
    r"(?P<amount>10|\d(?:[.,]\d)?|(?-i:[A-F])[+-]?)(?![\w/⁄∕／%]|[.,]\d|\s?(?:out|of|stars?|times)\b)",
    re.IGNORECASE,
)
# Asterisks also hide letters and frame warnings. As stars they begin or end a text without others.
_ALONE = re.compile(
    r"(?:\s*+|[^*]*+\s)(?P<stars>(?P<full>\*{1,5})(?P<half>\s?(?:½|1[/⁄]2))?)(?:\s*+|\s[^*]*+)"
)
_WHOLE = re.compile(
    r"\s*+(?:(?P<grade>[A-F][+-])|(?P<range>\d)-10|(?P<plus>\+{2,9})|(?P<minus>-{2,9}))\s*+"
)
_ENDS = re.compile(_AT_END)
_DIGITS_OR_NAME = re.compile(r"\d+(?:[.,]\d+)?|[a-z]+")
_WITH_HALF = re.compile(rf"{_HALF}$", re.IGNORECASE)
_BEFORE_DATES = frozenset(
    [
        "on",
        "since",
        "until",
        "till",
        "from",
        "dated",
        "before",
        "after",
        "by",
        "between",
        "and",
        "to",
    ]
)
_BEFORE_COUNTS = frozenset(
    [
        "the",
        "its",
        "his",
        "her",
        "their",
        "our",
        "these",
        "those",
        "both",
        "other",
        "all",
        "of",
        "with",
    ]
)


def find_ratings(text: str) -> Iterator[Phrase]:
    """Find each rating in ``text``, in order, with the word for it, ``0/10`` to ``10/10``; and each
    date that could be taken for one, with ``DATE``."""
    if whole := _WHOLE.fullmatch(text):
        yield (*_span_of_words(text), _say_whole(whole))
        return
    said = text.lower()
    found = [
        phrase
        for hints, pattern, read in _READERS
        if any(hint in said for hint in hints)
        for match in islice(pattern.finditer(text), _MAX_NUMBERS)
        if (phrase := read(match)) is not None
    ]
    if "*" in text and (alone := _ALONE.fullmatch(text)):
        found.append((*alone.span("stars"), _say(_stars(alone, "*"), _STARS)))
    end = 0
    for phrase in sorted(found):
        if phrase[0] >= end:
            yield phrase
            end = phrase[1]


def _span_of_words(text: str) -> tuple[int, int]:
    start = len(text) - len(text.lstrip())
    return start, start + len(text.strip())


def _say(amount: float, scale: float) -> str:
    return f"{int(10 * amount / scale + 0.5)}/10"


def _say_whole(match: re.Match[str]) -> str:
    if match["grade"]:
        return _say(_grade(match["grade"]), 10)
    if match["range"]:
        return _say(int(match["range"]), 10)
    return "9/10" if match["plus"] else "1/10"


def _grade(text: str) -> float:
    return _GRADES[text[0]] + {"+": 0.5, "-": -1.5}.get(text[1:], 0.0)


def _value(text: str) -> float:
    """Read a number in digits or words, perhaps with a half."""
    if text.isdecimal():
        return float(text)
    match = _DIGITS_OR_NAME.match(text.lower())
    number = match.group() if match else ""
    half = 0.5 if _WITH_HALF.search(text) else 0.0
    return (_NAMES[number] if number in _NAMES else float(number.replace(",", "."))) + half


def _scale(text: str) -> float:
    return float(len(text)) if text[0] in "*★" else _value(text)


def _phrase(match: re.Match[str], amount: float, scale: float) -> Phrase | None:
    if amount > scale or scale not in _SCALES:
        return None
    return match.start(), match.end(), _say(amount, scale)


def _read_short(match: re.Match[str]) -> Phrase | None:
    return _phrase(match, _value(match["amount"]), _value(match["outof"]))


def _read_number(match: re.Match[str]) -> Phrase | None:
    text, (start, end) = match.string, match.span()
    amount = _value(match["amount"])
    before = text[max(0, start - 10) : start].lower().split()[-1:]
    if match["percent"]:
        return _phrase(match, amount, 100)
    if match["stars"]:
        if before and (before[0] in _BEFORE_COUNTS or before[0].isdecimal()):
            return None
        if match["outof_stars"]:
            return _phrase(match, amount, _scale(match["outof_stars"]))
        return _phrase(match, amount, _STARS if amount <= _STARS else 10)
    scale = _scale(match["below"] or match["outof"])
    if match["slash"] and scale in _SCALES:
        if before and before[0] in _BEFORE_DATES and scale <= 20:
            return start, end, DATE
        if scale not in _USUAL_SCALES and not _ENDS.match(text, end):
            return None
    return _phrase(match, amount, scale)


def _stars(match: re.Match[str], signs: str) -> float:
    return sum(map(match["full"].count, signs)) + (0.5 if match["half"] else 0)


def _read_glyphs(match: re.Match[str]) -> Phrase | None:
    amount, empty = _stars(match, "★⭐🌟"), match["empty"].count("☆")
    scale = math.ceil(amount) + empty if empty else (_STARS if amount <= _STARS else 10)
    return match.start(), match.end(), _say(amount, scale)


def _read_asterisks(match: re.Match[str]) -> Phrase | None:
    return _phrase(match, _stars(match, "*"), _scale(match["outof"]))


def _read_called(match: re.Match[str]) -> Phrase | None:
    amount = match["amount"]
    value = _value(amount) if amount[0].isdigit() else _grade(amount)
    return (*match.span("amount"), _say(min(value, 10), 10))


_READERS: tuple[tuple[tuple[str, ...], re.Pattern[str], _Read], ...] = (
    (("/", "⁄", "∕", "／", "%", "star", "out of", "outta", "percent"), _NUMBER, _read_number),
    ((" of 5", " of 10", " of five", " of ten", " on 5", " on 10"), _SHORT, _read_short),
    (("★", "⭐", "🌟"), _GLYPHS, _read_glyphs),
    (("* out of", "*/", "* /", "2 out of", "½"), _ASTERISKS, _read_asterisks),
    (
        ("score", "rating", "grade", "verdict", "give ", "gave ", "giving ", "rate"),
        _CALLED,
        _read_called,
    ),
)
"""What a text (in lower case) has at least one of where the pattern finds anything: in most texts
there is none, and to look for these takes no time."""
