"""Search for the text that takes longest to read: python -m tests.fuzz.slowest --minutes 30

Minutes are of processor time, in one process. What is sought is a short unit that, written over
and over, takes more of plain text's time than any other. The search keeps the slowest units that
it met and changes those, as a fuzzer does that counts time instead of code. It prints the worst,
measured again as long as a review may be, and fails where one takes more than five times as long.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from review_text import CLASSIC, MODERN, TextSettings, build_vocabulary, split_sentences

MAX_TIMES = 5
"""Maximum time of any text, in those of plain text of its length."""
CHARACTERS = 20_000
"""Characters of a review that is as long as a review may be."""
PLAIN = (
    "It was, I think, a film that nobody who has seen the first one will want to see again: dull, "
    "long and far too loud. "
)


SETTINGS = {"modern": MODERN, "classic": CLASSIC}


def check_time(text: str, settings: TextSettings) -> None:
    """See that ``text`` takes at most ``MAX_TIMES`` as long as plain text."""
    times = compare_times(text, settings, rounds=1)
    if times > MAX_TIMES:  # another process may have had the cache
        times = compare_times(text, settings, rounds=20)
    assert times <= MAX_TIMES, f"{times:.1f} times as long as plain text"


def repeat(unit: str, characters: int = CHARACTERS) -> str:
    """Fill a review with ``unit``."""
    return (unit * (characters // len(unit) + 1))[:characters]


def compare_times(text: str, settings: TextSettings, rounds: int) -> float:
    """Return how many times as long ``text`` takes to encode and to cut into sentences as plain
    text does, in the best of ``rounds`` each, taken in turn."""
    plain = repeat(PLAIN, len(text))
    times = [(_seconds(text, settings), _seconds(plain, settings)) for _ in range(rounds)]
    return min(slow for slow, _ in times) / min(quick for _, quick in times)


def _seconds(text: str, settings: TextSettings) -> float:
    """Processor time of a process that has met no word so far."""
    # Of the thread: while a timer for the process's own time runs, that is counted in ticks.
    vocabulary = build_vocabulary([PLAIN], settings)
    started = time.thread_time()
    split_sentences(text, vocabulary.encode(text).spans)
    return time.thread_time() - started


TAGS = ["<", "</", "<!--", "<![", "<!>", "<!-- >", "<a ", "<a/", "<a=", "<a =", "<br ", "</p"]
QUOTES = ["<a x='", "<a x='>' ", "<a='>'", "<a=\"'>", "<a='<b=\"", "<a='<b=\">", "=", "\"'"]
ELEMENTS = ["<b>a", "<i>.", "<p>&a", "<b/>", "<br />", "<rt>", "<script>", "<template>", "</rt>"]
ENTITIES = ["&a", "&a;", "&ab", "&#", "&#9", "&#1;", "&#x1;", "&lt", "&lt;", "&eacute;"]
MARKS = [
    ".",
    ". ",
    " .",
    ".\n",
    '."',
    "...",
    "!_",
    "._",
    "_ ",
    ":) ",
    "Mr. ",
    "\r\n",
    "a.a.",
    ".<A",
]
WORDS = ["a\n", "a,", "1/", "1.1.", "'s", "’s ", "a'", "é'", "y", "yyyyyyy ", "İ", "ﬁ ", "👍a"]
RATINGS = ["1/4 ", "10/10 ", "* ", "★ ", "5 stars ", "four and a half ", "1 1/2 ", "5% ", "5 of "]
RATINGS += ["give it a 9 ", "**** out of ****", "score: 9", "½", "9/", "★8"]
DAMAGE = [
    "´s",
    "★ 8<a/<b>a´d",
    "<a/8^<a/.<A<b>a´d",
    "â€™",
    "n't ",
    "is n ",
    "isn't",
    "x''x",
    " 's",
    "is n?t ",
    "´",
    " 'm",
    "i 'm ",
]
JOINED = ["\u0301", "a\u0301 ", "a\u200b", "\u200b", "👍\u200d", "e\u0301\u200b"]
UNITS = [*TAGS, *QUOTES, *ELEMENTS, *ENTITIES, *MARKS, *WORDS, *RATINGS, *DAMAGE, *JOINED]
"""What a unit is made of, beside single characters: each means something to the code that reads."""

_PIECES = [*UNITS, *map(chr, range(32, 127)), "\n", "\t", "\xa0"]
_MAX_PIECES = 8
_KEPT = 50
_QUICK_CHARACTERS = 2_000
_SHOWN = 10

Measure = Callable[[str, str], float]
"""From a unit and the name of the settings to how many times plain text's time it takes."""
Kind = tuple[str, frozenset[str]]


@dataclass(frozen=True, order=True)
class Found:
    """A unit that was tried."""

    times: float
    """How many times as long it takes as plain text."""
    name: str
    """Of the settings."""
    pieces: tuple[str, ...]

    @property
    def kind(self) -> Kind:
        """What it shares with units that are slow for the same reason; one of them is kept."""
        return self.name, frozenset(self.pieces)

    @property
    def unit(self) -> str:
        """What is written over and over."""
        return "".join(self.pieces)


def search(measure: Measure, is_over: Callable[[], bool], seed: int) -> tuple[int, list[Found]]:
    """Give the number of units that were tried, and the slowest of them, slowest first."""
    drawn = random.Random(seed)
    kept: dict[Kind, Found] = {}
    slowest: list[Found] = []
    tried = 0
    for pieces in chain(([piece] for piece in _PIECES), _changes(drawn, slowest)):
        for name in SETTINGS:
            if unit := "".join(pieces):
                found = Found(measure(unit, name), name, tuple(pieces))
                kept[found.kind] = max(found, kept.get(found.kind, found))
        slowest[:] = sorted(kept.values(), reverse=True)[:_KEPT]
        kept = {found.kind: found for found in slowest}
        tried += 1
        if is_over():
            break
    return tried, slowest


def measure_quickly(unit: str, name: str) -> float:
    """Measure a part of a review; twice where once could be another program's fault."""
    text = repeat(unit, _QUICK_CHARACTERS)
    times = compare_times(text, SETTINGS[name], rounds=1)
    return times if times < MAX_TIMES / 2 else compare_times(text, SETTINGS[name], rounds=5)


def measure_fully(found: Found) -> Found:
    """Measure a whole review."""
    times = compare_times(repeat(found.unit), SETTINGS[found.name], rounds=20)
    return Found(times, found.name, found.pieces)


def main() -> int:
    """Search; the exit code is 1 where a text takes too long."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.slowest", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (default: 0)")
    options = parser.parse_args()
    ends = time.process_time() + 60 * options.minutes
    tried, slowest = search(measure_quickly, lambda: time.process_time() >= ends, options.seed)
    worst = sorted(map(measure_fully, slowest[:_SHOWN]), reverse=True)
    print(f"{tried:,} units tried, with {' and '.join(SETTINGS)} text each")
    print(f"times as long as plain text, {CHARACTERS:,} characters of each:")
    for found in worst:
        print(f"{found.times:5.2f}  {found.name:7}  {found.unit!a}")
    return int(worst[0].times > MAX_TIMES)


def _changes(drawn: random.Random, kept: list[Found]) -> Iterator[list[str]]:
    """Units made of those that are kept, without end."""
    while True:
        pieces = list(drawn.choice(kept).pieces)
        for _ in range(drawn.randint(1, 3)):
            _change(drawn, pieces, kept)
        yield pieces[:_MAX_PIECES]


def _change(drawn: random.Random, pieces: list[str], kept: list[Found]) -> None:
    at = drawn.randint(0, len(pieces))
    match drawn.randrange(4):
        case 0:
            pieces.insert(at, drawn.choice(_PIECES))
        case 1:
            pieces[at : at + 1] = [drawn.choice(_PIECES)]
        case 2:
            del pieces[at : at + 1]
        case _:
            pieces[at:at] = drawn.choice(kept).pieces


if __name__ == "__main__":
    sys.exit(main())
