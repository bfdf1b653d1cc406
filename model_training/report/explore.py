"""Pictures of the data: what the two classes of reviews say, and how long they are.

    .venv/bin/python -m model_training.report.explore

draws docs/data/ and writes the figures of docs/data.md, all from the 25,000 labelled training
reviews; the test reviews are never looked at. A word or phrase counts once a review, however often
the review repeats it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image
from wordcloud import WordCloud

from model_training.corpus.cache import Corpus, add_data_options, prepare_corpus
from model_training.corpus.reviews import Encoded
from model_training.errors import ReeltoneError
from model_training.files import fill_section, replacing, run_command, table
from model_training.paths import DOCS
from model_training.report import plots
from review_text import INFREQUENT, MODERN, Vocabulary
from review_text.tokens import english_stop_words

CLASSES = {"negative": (0, plots.NEGATIVE), "positive": (1, plots.POSITIVE)}
SHOWN = 15
"""Words or phrases in a panel."""
MIN_REVIEWS = 25
"""Reviews that a phrase must be in: rarer ones are mostly names."""
LONGEST_SHOWN = 1_000  # tokens

_WHOLE = 10_000  # tokens: more than any review of the data set has
_CLOUD_WORDS = 90
_CLOUD_SIZE = (480, 360)  # pixels of one class's half
_CLOUD_COLOURS = 12  # of the PNG: shades of two colours on white need no more


@dataclass(frozen=True)
class Phrases:
    """Words, or phrases of several words, of the data set, and how many reviews have each."""

    texts: list[str]
    counts: npt.NDArray[np.int64]
    """[2, phrases]: negative reviews, positive reviews."""


def count_phrases(split: Encoded, vocabulary: Vocabulary, length: int) -> Phrases:
    """Count phrases of ``length`` words that are in at least ``MIN_REVIEWS`` reviews. A phrase has
    no punctuation in it, and no infrequent word."""
    entries, reviews = np.uint64(len(vocabulary)), np.uint64(len(split))
    of_review = np.repeat(np.arange(len(split), dtype=np.uint64), split.lengths)
    usable = _is_word(vocabulary)[split.ids]
    starts = np.arange(max(0, len(split.ids) - length + 1))
    keep = of_review[starts] == of_review[starts + length - 1]
    keys = np.zeros(len(starts), np.uint64)
    for offset in range(length):
        keep &= usable[starts + offset]
        keys = keys * entries + split.ids[starts + offset]
    # Three ids below 2^15 and a review below 2^15 fit 64 bits: each pair becomes one number.
    pairs = np.unique(keys[keep] * reviews + of_review[starts[keep]])
    found, first = np.unique(pairs // reviews, return_inverse=True)
    positive = split.labels[(pairs % reviews).astype(np.int64)] == 1
    counts = np.stack([np.bincount(first, ~positive), np.bincount(first, positive)])
    frequent = counts.sum(0) >= MIN_REVIEWS
    texts = [_spell(int(key), length, vocabulary) for key in found[frequent]]
    return Phrases(texts, counts[:, frequent].astype(np.int64))


def most_frequent(phrases: Phrases, label: int, shown: int) -> list[tuple[str, float]]:
    """(phrase, reviews of the class that have it) of those without stop words: of a longer phrase,
    neither its first nor its last word is one."""
    order = np.argsort(-phrases.counts[label], kind="stable")
    chosen = [index for index in order if _has_content(phrases.texts[index])][:shown]
    return [(phrases.texts[index], float(phrases.counts[label, index])) for index in chosen]


def log_odds(counts: npt.NDArray[np.int64], weight: float = 0.1) -> npt.NDArray[np.float64]:
    """Give [phrases] z-scores of the log-odds ratio, above 0 for positive, with both classes
    together, times ``weight``, as the prior, which keeps rare phrases, whose ratios are extreme by
    chance, from the top (Monroe, Colaresi and Quinn, *Fightin' Words*, 2008, equations 16 and 19 to
    22)."""
    prior = weight * counts.sum(0)  # [phrases]
    smoothed = counts + prior  # [2, phrases]
    odds = np.log(smoothed) - np.log(smoothed.sum(1, keepdims=True) - smoothed)
    scores: npt.NDArray[np.float64] = (odds[1] - odds[0]) / np.sqrt((1 / smoothed).sum(0))
    return scores


def most_distinctive(phrases: Phrases, label: int, shown: int) -> list[tuple[str, float]]:
    """(phrase, z-score) of those that tell the class from the other most surely."""
    scores = log_odds(phrases.counts) * (1 if label else -1)
    order = np.argsort(-scores, kind="stable")[:shown]
    return [(phrases.texts[index], float(scores[index])) for index in order if scores[index] > 0]


def draw_phrases(path: Path, phrases: Phrases, reviews: Sequence[int]) -> None:
    """Draw the most frequent and the most distinctive ones of both classes, which have
    ``reviews``."""
    frequent, distinctive = [], []
    for name, (label, colour) in CLASSES.items():
        shares = [
            (text, 100 * count / reviews[label])
            for text, count in most_frequent(phrases, label, SHOWN)
        ]
        frequent.append(plots.Bars(f"Frequent: {name}", shares, colour))
        scores = most_distinctive(phrases, label, SHOWN)
        distinctive.append(plots.Bars(f"Distinctive: {name}", scores, colour))
    rows = [
        plots.BarRow("% of the class's reviews", (frequent[0], frequent[1])),
        plots.BarRow("z-score of the log-odds ratio", (distinctive[0], distinctive[1])),
    ]
    plots.draw_bars(path, rows)


def draw_clouds(path: Path, words: Phrases) -> None:
    """Draw the most distinctive words of both classes side by side, as large as their z-scores."""
    width, height = _CLOUD_SIZE
    both = Image.new("RGB", (2 * width, height), "white")
    for side, (label, colour) in enumerate(CLASSES.values()):
        # Equal fonts on every machine: the one that matplotlib brings along.
        font = Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
        cloud = WordCloud(
            font_path=str(font),
            width=width,
            height=height,
            margin=4,
            background_color="white",
            prefer_horizontal=1.0,
            max_font_size=64,
            min_font_size=10,
            relative_scaling=0.6,
            random_state=0,
            color_func=lambda *_, colour=colour, **__: colour,
        )
        cloud.generate_from_frequencies(dict(most_distinctive(words, label, _CLOUD_WORDS)))
        both.paste(cloud.to_image(), (side * width, 0))
    with replacing(path) as part:
        small = both.quantize(_CLOUD_COLOURS, dither=Image.Dither.NONE)
        small.save(part, format="PNG", optimize=True)


def describe_lengths(lengths: npt.NDArray[np.int64], labels: npt.NDArray[Any], cut: int) -> str:
    """Describe the lengths of both classes in a table, in Markdown."""
    rows = []
    for name, (label, _) in CLASSES.items():
        tokens = lengths[labels == label]
        longer = float((tokens > cut).mean())
        quarters = (int(value) for value in np.percentile(tokens, [25, 50, 75]))
        counts = (f"{value:,}" for value in (len(tokens), *quarters, int(tokens.max())))
        rows.append([name, *counts, f"{longer:.1%}"])
    heads = ["class", "reviews", "a quarter has up to", "half", "three quarters", "longest"]
    return table([*heads, f"longer than {cut}"], rows)


def _is_word(vocabulary: Vocabulary) -> npt.NDArray[np.bool_]:
    """[entries]: whether an id stands for a word that can stand alone, which 's can't."""
    reserved = [False] * (INFREQUENT + 1)
    return np.array(reserved + [word[0].isalpha() for word in vocabulary.words])


def _spell(key: int, length: int, vocabulary: Vocabulary) -> str:
    words = []
    for _ in range(length):
        key, number = divmod(key, len(vocabulary))
        words.append(vocabulary.word(number))
    return " ".join(reversed(words))


def _has_content(phrase: str) -> bool:
    """Whether a phrase neither starts nor ends with a stop word."""
    words = phrase.split()
    return not {words[0], words[-1]} & english_stop_words()


def main(arguments: list[str] | None = None) -> None:
    """Draw all pictures and write the figures."""
    parser = argparse.ArgumentParser(
        prog="model_training.report.explore",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_options(parser)
    parser.add_argument("--docs", type=Path, default=DOCS, help="default: %(default)s")
    options = parser.parse_args(arguments)
    explore(prepare_corpus(options.data_dir, options.archive), options.docs)


def explore(corpus: Corpus, docs: Path) -> None:
    """Draw docs/data/ and fill docs/data.md."""
    known = corpus.vocabulary(MODERN)
    whole = replace(MODERN, max_tokens=_WHOLE, head_tokens=_WHOLE)
    vocabulary = Vocabulary(whole, known.words)
    split = corpus.encoded("train", vocabulary)
    reviews = np.bincount(split.labels, minlength=2).tolist()
    for length, name in enumerate(("words", "bigrams", "trigrams"), 1):
        phrases = count_phrases(split, vocabulary, length)
        draw_phrases(docs / "data" / f"{name}.svg", phrases, reviews)
        if length == 1:
            draw_clouds(docs / "data" / "word_cloud.png", phrases)
    of_class = {name: split.lengths[split.labels == label] for name, (label, _) in CLASSES.items()}
    plots.draw_lengths(docs / "data" / "lengths.svg", of_class, MODERN.max_tokens, LONGEST_SHOWN)
    figures = describe_lengths(split.lengths, split.labels, MODERN.max_tokens)
    fill_section(docs / "data.md", "lengths", figures)
    print(f"{docs / 'data'}: words, bigrams, trigrams, word_cloud, lengths")


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
