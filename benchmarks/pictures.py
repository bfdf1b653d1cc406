"""The plots of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from benchmarks.results import Figures
from benchmarks.timing import median
from model_training.report.plots import BLUE, GREEN, GREY, VERMILION, picture

_LABELS = {"usual": "usual path", "modern": "Reeltone, modern", "classic": "Reeltone, classic"}
_STYLES = {"usual": (GREY, "x:"), "classic": (GREEN, "s--"), "modern": (BLUE, "o-")}


def draw_text(path: Path, figures: Figures) -> None:
    """Reviews a second of each kind of text processing."""
    rates = {name: median(values) for name, values in figures["rates"].items()}
    with picture(path, 8, 0.32 * len(rates) + 1) as figure:
        axes = figure.subplots()
        colors = [GREY if name.startswith("usual") else BLUE for name in rates]
        places = np.arange(len(rates))
        axes.barh(places, list(rates.values()), 0.7, color=colors)
        axes.set_yticks(places, list(rates))
        axes.invert_yaxis()
        axes.set(xscale="log", xlabel="reviews a second, one core (logarithmic)")
        _plain(axes, "x")


def draw_answers(path: Path, figures: Figures) -> None:
    """p50 of an answer by the review's length; the bars reach to p99."""
    lengths = figures["milliseconds"]
    words = [int(length) for length in lengths]
    with picture(path, 8, 3.8) as figure:
        axes = figure.subplots()
        for name, (color, style) in _STYLES.items():
            middle = [lengths[str(count)][name]["p50"] for count in words]
            slow = [lengths[str(count)][name]["p99"] for count in words]
            above = [max(0.0, high - low) for high, low in zip(slow, middle, strict=True)]
            spread = np.array([[0.0] * len(words), above])
            axes.errorbar(
                words, middle, spread, fmt=style, color=color, label=_LABELS[name], capsize=3
            )
        axes.set(xscale="log", yscale="log", xlabel="words of the review")
        axes.set_ylabel("milliseconds, p50 to p99")
        axes.set_xticks(words, [f"{count:,}" for count in words], minor=False)
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, place: ""))
        _plain(axes, "y")
        axes.legend()


def draw_limit(path: Path, parts: Sequence[tuple[str, float]], unit: str) -> None:
    """What takes the time of one answer, part by part."""
    with picture(path, 8, 0.34 * len(parts) + 1) as figure:
        axes = figure.subplots()
        places = np.arange(len(parts))
        axes.barh(places, [value for _, value in parts], 0.7, color=BLUE)
        axes.set_yticks(places, [name for name, _ in parts])
        axes.invert_yaxis()
        axes.set_xlabel(unit)


def draw_batch(path: Path, figures: Figures) -> None:
    """Reviews a second, and peak memory, by the reviews of a request."""
    sizes = list(figures["sizes"])
    with picture(path, 8, 3.2) as figure:
        left, right = figure.subplots(1, 2)
        rates = [median(figures["sizes"][size]["reviews a second"]) for size in sizes]
        left.bar(sizes, rates, color=BLUE)
        left.set(title="reviews a second, one core", xlabel="reviews of a request")
        peaks = [figures["sizes"][size]["megabytes"] for size in sizes]
        if all(peaks):
            right.bar(sizes, [max(values) for values in peaks], color=GREEN)
        right.set(title="peak memory, MB", xlabel="reviews of a request")


def draw_million(path: Path, figures: Figures) -> None:
    """Time and memory on the way through a large file."""
    reviews, seconds, spent, megabytes = (
        list(each) for each in zip(*figures["samples"], strict=True)
    )
    thousands = [count / 1000 for count in reviews]
    with picture(path, 8, 3.2) as figure:
        left, right = figure.subplots(1, 2)
        left.plot(thousands, [each / 60 for each in seconds], color=BLUE, label="all")
        if None not in spent:
            minutes = [each / 60 for each in spent]
            left.plot(thousands, minutes, "--", color=VERMILION, label="processor")
            left.legend()
        left.set(title="minutes", xlabel="thousand reviews scored")
        if None not in megabytes:
            right.plot(thousands, megabytes, color=GREEN)
            right.set_ylim(bottom=0)
        right.set(title="memory of the endpoint, MB", xlabel="thousand reviews scored")


def draw_load(path: Path, figures: Figures) -> None:
    """Answers a second, and their times, by the number of users."""
    levels = [level for level in figures["levels"] if level["answered"]]
    users = [str(level["users"]) for level in levels]
    with picture(path, 8, 3.2) as figure:
        left, right = figure.subplots(1, 2)
        left.bar(users, [level["answers a second"] for level in levels], color=BLUE)
        left.set(title="answers a second", xlabel="users")
        for name, color, style in (("p50", BLUE, "o-"), ("p99", VERMILION, "s--")):
            values = [level[f"answer {name}"] for level in levels]
            right.plot(users, values, style, color=color, label=name)
        right.set(title="milliseconds until the answer", xlabel="users", yscale="log")
        _plain(right, "y")
        right.legend()


def draw_peers(path: Path, figures: Figures) -> None:
    """Accuracy against reviews a second."""
    with picture(path, 8, 3.8) as figure:
        axes = figure.subplots()
        for name, peer in figures["peers"].items():
            rate, ours = median(peer["rates"]), name in _STYLES
            color, form = (BLUE, "*") if ours else (GREY, "o")
            axes.plot(rate, peer["accuracy"], form, color=color, markersize=13 if ours else 7)
            label = _LABELS.get(name, peer["title"])
            axes.annotate(
                label, (rate, peer["accuracy"]), xytext=(8, 4), textcoords="offset points"
            )
        axes.set(xscale="log", xlabel="reviews a second, one core (logarithmic)")
        axes.set_ylabel("accuracy")
        axes.margins(x=0.25, y=0.15)
        _plain(axes, "x")


def _plain(axes: Axes, axis: str) -> None:
    """Numbers of a logarithmic axis as people write them."""
    formatter = FuncFormatter(lambda value, place: f"{value:,g}")
    (axes.xaxis if axis == "x" else axes.yaxis).set_major_formatter(formatter)
