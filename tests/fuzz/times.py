"""How long a text takes to read, beside plain English of its length."""

from __future__ import annotations

import time

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
