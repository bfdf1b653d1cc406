"""The pictures of the documentation: one style, the same bytes for the same data.

Blue is positive and vermilion negative, colours of Okabe and Ito's that people tell apart whatever
their eyes. Pictures are SVG with real text, on white, so that dark pages show them as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from sklearn.metrics import roc_curve

from model_training.evaluation.calibration import (
    calibration_bins,
    calibration_error,
    positive_probability,
)
from model_training.evaluation.metrics import score
from model_training.files import replacing
from model_training.report.stages import Stage

BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#6E6E6E"
POSITIVE, NEGATIVE = BLUE, VERMILION
_LINES = (BLUE, VERMILION, GREEN)
_STYLES = ("-", "--", ":")
_ROC_POINTS = 400  # of a curve with a step for each review; more cannot be seen

# Any, since matplotlib's type of settings names each of its hundreds of keys.
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: small, searchable, sharp
    "svg.hashsalt": "reeltone",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 10,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "grid.color": "#E4E4E4",
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


@dataclass(frozen=True)
class Scored:
    """A model's logits and labels [reviews] under the name that a picture shows."""

    name: str
    logits: npt.NDArray[np.floating[Any]]
    labels: npt.NDArray[np.integer[Any]]
    temperature: float


@dataclass(frozen=True)
class Bars:
    """A panel: (word, value) from the longest bar on."""

    title: str
    bars: Sequence[tuple[str, float]]
    color: str


@dataclass(frozen=True)
class BarRow:
    """Two panels of values in the same unit."""

    unit: str
    panels: tuple[Bars, Bars]


@contextmanager
def picture(path: Path, width: float, height: float) -> Iterator[Figure]:
    """An empty figure, in inches, that becomes ``path`` (SVG) when the block ends."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        # Neither date nor version: equal data, equal bytes.
        metadata = {"Date": None, "Creator": None}
        with replacing(path) as part:
            figure.savefig(part, format="svg", metadata=metadata)


def draw_learning_curves(path: Path, stages: Sequence[Stage]) -> None:
    """Draw loss and dev accuracy after each epoch, stage after stage."""
    rows = [row for stage in stages for row in stage.history]
    epochs = np.arange(1, len(rows) + 1)

    def column(name: str) -> npt.NDArray[np.float64]:
        return np.array([row.get(name, np.nan) for row in rows], np.float64)

    with picture(path, 8, 3.4) as figure:
        left, right = figure.subplots(1, 2)
        left.plot(epochs, column("loss"), "o-", color=GREY, label="training")
        left.plot(epochs, column("dev_log_loss"), "s--", color=BLUE, label="dev")
        left.set(title="Loss", xlabel="epoch", ylabel="cross-entropy")
        left.legend(frameon=True, framealpha=1, edgecolor="none")
        right.plot(epochs, column("dev_accuracy"), "s--", color=BLUE)
        right.set(title="Accuracy on dev", xlabel="epoch")
        right.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
        for axes in (left, right):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            _separate_stages(axes, stages, named=axes is right)


def draw_confusion(path: Path, models: Sequence[Scored]) -> None:
    """Draw how many reviews of each kind were taken for which."""
    with picture(path, 3.6 * len(models), 3.6) as figure:
        for axes, model in zip(_panels(figure, len(models)), models, strict=True):
            found = score(model.logits, model.labels, model.temperature)
            counts = np.array(
                [
                    [found["true_negative"], found["false_positive"]],
                    [found["false_negative"], found["true_positive"]],
                ]
            )
            _draw_counts(axes, counts)
            axes.set(title=model.name, xlabel="the model says", ylabel="the reviewer means")


def draw_reliability(path: Path, models: Sequence[Scored]) -> None:
    """Draw whether a probability is to be believed: what was said against what was the case, in
    bins of as many reviews each, before and after the temperature."""
    with picture(path, 4.2 * len(models), 5.6) as figure:
        panels = figure.subplots(
            2, len(models), squeeze=False, height_ratios=[3, 1.4], sharey="row"
        )
        for (top, bottom), model in zip(panels.T, models, strict=True):
            top.plot([0, 1], [0, 1], color=GREY, linewidth=1)
            bottom.axhline(0, color=GREY, linewidth=1)
            _draw_bins(top, bottom, model, 1.0, "before", VERMILION, "s")
            label = f"temperature {model.temperature:.2f}"
            _draw_bins(top, bottom, model, model.temperature, label, BLUE, "o")
            top.set(title=model.name, xlabel="probability of positive, as said", aspect="equal")
            bottom.set(xlabel="bin, from surely negative to surely positive")
            bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
            top.legend(loc="upper left", fontsize=8, handletextpad=0.2, borderaxespad=0.1)
        panels[0, 0].set_ylabel("share of positive reviews")
        panels[1, 0].set_ylabel("said - found")


def draw_roc(path: Path, models: Sequence[Scored]) -> None:
    """Draw which share of the positive reviews is found at which price in false alarms."""
    with picture(path, 4.8, 4.6) as figure:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1)
        for model, color, style in zip(models, _LINES, _STYLES, strict=False):
            false, true, _ = roc_curve(model.labels, model.logits)
            shown = np.unique(np.linspace(0, len(false) - 1, _ROC_POINTS).astype(int))
            area = score(model.logits, model.labels)["auc"]
            label = f"{model.name}: area {area:.4f}"
            axes.plot(false[shown], true[shown], color=color, linestyle=style, label=label)
        axes.set(
            xlabel="negative reviews taken for positive",
            ylabel="positive reviews found",
            aspect="equal",
        )
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1))
        axes.legend(loc="lower right")


def draw_perturbation(path: Path, models: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """For each model, by way of choosing words: how far the verdict's probability has fallen after
    0, 1, 2, … deleted words."""
    with picture(path, 4.2 * len(models), 3.6) as figure:
        panels = _panels(figure, len(models), sharey=True)
        for axes, (name, curves) in zip(panels, models.items(), strict=True):
            for (way, drops), color, style in zip(
                curves.items(), (BLUE, GREEN, GREY), ("o-", "s--", "x:"), strict=True
            ):
                axes.plot(range(len(drops)), drops, style, color=color, label=way, markersize=4)
            axes.set(title=name, xlabel="deleted words")
        panels[0].set_ylabel("fall of the verdict's probability")
        panels[0].legend()


def draw_bars(path: Path, rows: Sequence[BarRow]) -> None:
    """Draw ranked bars, one above the other, in rows of two panels on one scale."""
    longest = max(len(panel.bars) for row in rows for panel in row.panels)
    with picture(path, 9, len(rows) * (0.22 * longest + 1)) as figure:
        spaces = figure.subplots(len(rows), 2, squeeze=False, sharex="row")
        for pair, row in zip(spaces, rows, strict=True):
            for axes, panel in zip(pair, row.panels, strict=True):
                places = np.arange(len(panel.bars))
                axes.barh(places, [value for _, value in panel.bars], 0.75, color=panel.color)
                axes.set_yticks(places, [word for word, _ in panel.bars])
                axes.invert_yaxis()
                axes.grid(visible=False, axis="y")
                axes.tick_params(axis="y", length=0)
                axes.set_title(panel.title, loc="left")
                axes.set_xlabel(row.unit)


def draw_lengths(
    path: Path, lengths: Mapping[str, npt.NDArray[np.integer[Any]]], cut: int, longest: int
) -> None:
    """Draw how many reviews of each class have how many tokens, and where the model cuts them."""
    edges = np.arange(0, longest + 1, 25)
    with picture(path, 8, 3.4) as figure:
        axes = figure.subplots()
        for (name, tokens), color, style in zip(
            lengths.items(), (NEGATIVE, POSITIVE), ("--", "-"), strict=True
        ):
            counts, _ = np.histogram(np.minimum(tokens, longest - 1), edges)
            axes.stairs(counts, edges, color=color, linestyle=style, linewidth=1.8, label=name)
        axes.axvline(cut, color=GREY, linewidth=1.2)
        axes.annotate(
            f"longer reviews are cut to {cut}",
            (cut, 0.95),
            xycoords=("data", "axes fraction"),
            xytext=(6, 0),
            textcoords="offset points",
            va="top",
        )
        axes.set(xlim=(0, longest), xlabel=f"tokens (all beyond {longest:,} in the last bar)")
        axes.set_ylabel("reviews")
        axes.legend(loc="center right")


def _panels(figure: Figure, count: int, **more: Any) -> list[Axes]:
    return list(figure.subplots(1, count, squeeze=False, **more)[0])


def _separate_stages(axes: Axes, stages: Sequence[Stage], *, named: bool) -> None:
    """A line before each stage but the first; ``named``: and the stage's name along it, at the
    bottom, where a rising curve leaves room. A stage can be one epoch wide."""
    if len(stages) < 2:
        return
    axes.set_xlim(left=0)
    ends = np.cumsum([len(stage.history) for stage in stages]) + 0.5
    for stage, start in zip(stages, [0.0, *ends[:-1]], strict=True):
        if start:
            axes.axvline(start, color=GREY, linewidth=1)
        if named:
            across, name = axes.get_xaxis_transform(), stage.name
            axes.text(start + 0.1, 0.02, name, transform=across, fontsize=7, rotation=90)


def _draw_counts(axes: Axes, counts: npt.NDArray[np.int64]) -> None:
    """A matrix of counts [meant, said], with the share of each row."""
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for meant, said in np.ndindex(2, 2):
        share = shares[meant, said]
        text = f"{counts[meant, said]:,}\n{share:.1%}"
        color = "white" if share > 0.5 else "black"
        axes.text(said, meant, text, color=color, ha="center", va="center")
    axes.set_xticks([0, 1], ["negative", "positive"])
    axes.set_yticks([0, 1], ["negative", "positive"], rotation=90, va="center")
    axes.grid(visible=False)
    axes.tick_params(length=0)


def _draw_bins(
    top: Axes,
    bottom: Axes,
    model: Scored,
    temperature: float,
    name: str,
    color: str,
    marker: str,
) -> None:
    """The bins of one temperature: as points on top, and how far off each is at the bottom."""
    probabilities = positive_probability(model.logits, temperature)
    said, found, _ = calibration_bins(probabilities, model.labels).T
    error = calibration_error(probabilities, model.labels)
    label = f"{name}: error {error:.3f}"
    top.plot(said, found, marker, color=color, label=label, markersize=5)
    bottom.plot(np.arange(1, len(said) + 1), said - found, marker, color=color, markersize=4)
