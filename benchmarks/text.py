"""Text processing: reviews a second on one core, ours against the code that is usual for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.part import Bench, Claim, Part, medians, number, times
from benchmarks.results import Figures
from benchmarks.timing import take_turns
from benchmarks.usual import review_to_words, review_to_words_tidied
from model_training.files import table
from model_training.paths import MODELS
from model_training.report.plots import BLUE, GREY, picture
from review_text import Vocabulary, load_vocabulary

NAMES = ("classic", "modern")


def measure(bench: Bench) -> Figures:
    """Measure reviews a second [rounds] of each kind of code; each round has reviews of its own,
    the same for all, which none of them has read before."""
    source = bench.source
    each, rounds, warm_up = (4, 2, 20) if bench.quick else (100, 5, 2_000)
    vocabularies = {name: load(name) for name in NAMES}
    for vocabulary in vocabularies.values():
        run(vocabulary.encode, source.pick(warm_up, start=each * rounds))
    rates: dict[str, list[float]] = {}
    for turn in range(rounds):
        reviews = source.pick(each, start=each * turn)
        tasks = {
            name: partial(run, process, reviews)
            for name, process in processes(vocabularies).items()
        }
        for name, [seconds] in take_turns(tasks, 1).items():
            rates.setdefault(name, []).append(round(len(reviews) / seconds, 2))
    return {"reviews": each, "texts": source.name, "rates": rates}


def load(model: str) -> Vocabulary:
    """Load a model's vocabulary, new: it has met no word yet."""
    return load_vocabulary(MODELS / model / "vocabulary.json")


def processes(vocabularies: dict[str, Vocabulary]) -> dict[str, Callable[[str], object]]:
    """Give what is compared; ``vocabularies`` have met many words."""
    found: dict[str, Callable[[str], object]] = {
        "usual": review_to_words,
        "usual, tidied": review_to_words_tidied,
    }
    for name, vocabulary in vocabularies.items():
        found[name] = vocabulary.encode
        found[f"{name}, ids alone"] = vocabulary.encode_ids
        found[f"{name}, words not met before"] = load(name).encode
    return found


def run(process: Callable[[str], object], reviews: Sequence[str]) -> None:
    """Process all reviews."""
    for review in reviews:
        process(review)


# --- What is shown --------------------------------------------------------------------------------


def claim(figures: Figures) -> list[Claim]:
    """Say how many times as fast as the usual code."""
    rates = medians(figures["rates"])
    return [
        Claim(
            f"text processing, {name}",
            rates[name] / rates["usual"],
            "times as fast as the usual code",
        )
        for name in ("classic", "modern")
    ]


def write(figures: Figures) -> str:
    """Write reviews a second."""
    rates = medians(figures["rates"])
    rows = [[name, times(rate / rates["usual"]), number(rate)] for name, rate in rates.items()]
    note = (
        f"Medians of {len(figures['rates']['usual'])} rounds of {figures['reviews']} "
        f"{figures['texts']}, the same for all. *Tidied* is the usual code with its stop words "
        "read once and one stemmer. *Modern* keeps punctuation, which is more tokens."
    )
    return note + "\n\n" + table(("code", "to the usual", "reviews a second"), rows)


def draw(path: Path, figures: Figures) -> None:
    """Draw reviews a second of each kind of text processing."""
    rates = medians(figures["rates"])
    with picture(path, 8, 0.32 * len(rates) + 1) as figure:
        axes = figure.subplots()
        colors = [GREY if name.startswith("usual") else BLUE for name in rates]
        axes.barh(list(rates), list(rates.values()), 0.7, color=colors)
        axes.invert_yaxis()
        axes.set(xscale="log", xlabel="reviews a second, one core (logarithmic)")
        axes.xaxis.set_major_formatter("{x:,g}")


PART = Part(name="text", title="Text", measure=measure, write=write, claim=claim, draw=draw)
