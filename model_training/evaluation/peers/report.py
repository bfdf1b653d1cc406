"""What is known of each peer: on disk, and as the comparison's table, plot and remarks."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from model_training.evaluation.peers.peer import Peer, optional
from model_training.files import fill_section, read_entries, table, write_entry

SECTION = "peers"
"""The name of the part of both documents that is filled: see files.py."""
PAGE, PLOT, RESULTS = "peers.md", "peers.svg", "peers.json"
_FIRST_HEADS = ("model", "accuracy", "MB", "ms a review")
_HEADS = (
    "model",
    "accuracy",
    "precision",
    "recall",
    "F1",
    "AUC",
    "ECE",
    "training, s",
    "MB",
    "ms a review",
)
_METRICS = ("accuracy", "precision", "recall", "f1", "auc", "ece")


@dataclass
class Conditions:
    """Under what a time was measured."""

    machine: str
    load: float
    """Processes that ran or wanted to, the mean of five minutes."""
    when: str

    @classmethod
    def now(cls) -> Conditions:
        """Give those of this moment."""
        load = os.getloadavg()[1] if hasattr(os, "getloadavg") else float("nan")
        return cls(machine(), round(load, 2), time.strftime("%Y-%m-%d"))


@dataclass
class Result:
    """One row of the table, and its remarks."""

    version: str
    megabytes: float
    metrics: dict[str, Any]
    training_seconds: float | None
    """Seconds of one processor; none for what is not trained here."""
    trained: Conditions
    milliseconds: float | None = None
    """Median processor time of one review, from text to answer."""
    timed: Conditions | None = None
    extra: dict[str, float] = field(default_factory=dict)

    def save(self, file: Path, name: str) -> None:
        """Keep it, in the place of an earlier one."""
        write_entry(file, name, asdict(self))


def load_result(file: Path, name: str) -> Result | None:
    """Load what ``save`` wrote; none where nothing was."""
    content = read_entries(file).get(name)
    if content is None:
        return None
    content["trained"] = Conditions(**content["trained"])
    if content["timed"] is not None:
        content["timed"] = Conditions(**content["timed"])
    return Result(**content)


def machine() -> str:
    """Give this machine, in a few words."""
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _processor() -> str:
    """Its processor's name (Linux), or its kind."""
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else ():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


Row = tuple[Peer, Result]


def write_report(peers: Iterable[Peer], docs: Path, readme: Path) -> None:
    """Put what is known into docs/peers.md and the README, and draw the plot.

    Raises:
        ReeltoneError: a document is missing or has no room for it.
    """
    found = ((peer, load_result(docs / RESULTS, peer.name)) for peer in peers)
    rows = [(peer, result) for peer, result in found if result is not None]
    rows.sort(key=lambda row: -row[1].metrics["accuracy"])
    fill_section(docs / PAGE, SECTION, body(rows))
    fill_section(readme, SECTION, summary(rows))
    if any(result.milliseconds for _, result in rows):
        draw(rows, docs / PLOT)


def body(rows: Sequence[Row]) -> str:
    """Give table, plot, conditions, remarks."""
    if not rows:
        return "Nothing has been compared yet."
    lines = [table(_HEADS, [_cells(*row) for row in rows]), ""]
    results = [result for _, result in rows]
    if any(result.milliseconds for result in results):
        lines += [f"![Accuracy against milliseconds a review]({PLOT})", ""]
    lines += _conditions("Trained", [result.trained for result in results])
    lines += _conditions("Timed", [result.timed for result in results if result.timed])
    versions = ", ".join(sorted({result.version for result in results}))
    lines += [f"Versions: {versions}.", ""]
    lines += [f"- {peer.title}: {peer.remark}{_own_rule(result)}" for peer, result in rows]
    return "\n".join(lines)


def summary(rows: Sequence[Row]) -> str:
    """Give the table's columns that a first reader asks for."""
    chosen = [_HEADS.index(head) for head in _FIRST_HEADS]
    return table(_FIRST_HEADS, [[_cells(*row)[column] for column in chosen] for row in rows])


def _cells(peer: Peer, result: Result) -> list[str]:
    cells = [peer.title, *(f"{result.metrics[key]:.4f}" for key in _METRICS)]
    seconds, time = result.training_seconds, result.milliseconds
    cells.append("–" if seconds is None else f"{seconds:,.0f}")
    cells.append(f"{result.megabytes:.1f}")
    cells.append("–" if time is None else f"{time:.2f}" if time < 1 else f"{time:.1f}")
    return cells


def _conditions(what: str, conditions: Sequence[Conditions]) -> list[str]:
    """Where and when, and how busy the machine was."""
    if not conditions:
        return []
    machines = "; ".join(sorted({each.machine for each in conditions}))
    days = sorted({each.when for each in conditions})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    loads = sorted(each.load for each in conditions)
    load = f"load average {loads[0]:.1f} to {loads[-1]:.1f}"
    return [f"{what} on {machines}; {when}, {load}.", ""]


def _own_rule(result: Result) -> str:
    own = result.extra.get("accuracy_at_own_threshold")
    return "" if own is None else f" With the package's own threshold, zero, accuracy is {own:.4f}."


_MARKERS = "*osD^v<>pPXhd"
"""One for each peer, since there are more of them than colours that can be told apart."""


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw accuracy against latency (logarithmic): a point each, named in the order of the table.
    The same rows give the same bytes."""
    matplotlib = optional("matplotlib")
    figures = optional("matplotlib.figure")
    with matplotlib.rc_context({"svg.hashsalt": "reeltone", "svg.fonttype": "none"}):
        figure = figures.Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.subplots()
        for (peer, result), marker in zip(rows, cycle(_MARKERS)):
            if result.milliseconds:
                point = ([result.milliseconds], [result.metrics["accuracy"]])
                axes.plot(*point, marker, markersize=9, label=peer.title.replace("*", ""))
        axes.set(xscale="log", xlabel="milliseconds a review, one core (logarithmic)")
        axes.set_ylabel("accuracy on 25,000 test reviews")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside right upper", frameon=False)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
