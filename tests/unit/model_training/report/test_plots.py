"""Pictures: whole SVG files, small, the same for the same data, saying what they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from model_training.evaluation.calibration import calibration_bins, calibration_error
from model_training.report import plots
from model_training.report.stages import Stage

MAX_BYTES = 60_000


def scored(name: str = "modern", reviews: int = 200) -> plots.Scored:
    random = np.random.default_rng(0)
    labels = np.arange(reviews) % 2
    logits = 4.0 * labels - 2 + 3 * random.standard_normal(reviews)
    return plots.Scored(name, logits, labels, 1.5)


STAGES = [
    Stage("first", 60.0, [{"epoch": 1, "loss": 0.6, "dev_accuracy": 0.8, "dev_log_loss": 0.5}]),
    Stage("second", 60.0, [{"epoch": 1, "loss": 0.4}, {"epoch": 2, "dev_accuracy": 0.9}]),
]
ROWS = [
    plots.BarRow(
        "%",
        (plots.Bars("left", [("bad", 3.0), ("dull", 1.0)], "red"), plots.Bars("right", [], "blue")),
    )
]
LENGTHS = {"negative": np.array([5, 90, 5_000]), "positive": np.array([7])}
CURVES = {"modern": {"ours": [0.0, 0.2], "exact": [0.0, 0.3], "random": [0.0, 0.1]}}

DRAWN: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "learning": (lambda path: plots.draw_learning_curves(path, STAGES), ["first", "second", "dev"]),
    "confusion": (lambda path: plots.draw_confusion(path, [scored()]), ["modern", "negative"]),
    "reliability": (
        lambda path: plots.draw_reliability(path, [scored(), scored("classic")]),
        ["classic", "before: error"],
    ),
    "roc": (lambda path: plots.draw_roc(path, [scored()]), ["modern: area 0."]),
    "bars": (lambda path: plots.draw_bars(path, ROWS), ["bad", "dull", "right"]),
    "lengths": (lambda path: plots.draw_lengths(path, LENGTHS, 512, 1_000), ["cut to 512"]),
    "perturbation": (lambda path: plots.draw_perturbation(path, CURVES), ["random", "modern"]),
}


def texts_of(path: Path) -> str:
    return "\n".join(ElementTree.parse(path).getroot().itertext())


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_small_svg_with_its_labels_as_text(name: str, tmp_path: Path) -> None:
    draw, labels = DRAWN[name]
    path = tmp_path / "new" / "picture.svg"
    draw(path)
    assert path.stat().st_size < MAX_BYTES
    for label in labels:
        assert label in texts_of(path)


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_data_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    draw, _ = DRAWN[name]
    draw(tmp_path / "one.svg")
    draw(tmp_path / "two.svg")
    one = (tmp_path / "one.svg").read_bytes()
    assert one == (tmp_path / "two.svg").read_bytes()
    assert b"<dc:date>" not in one


def test_a_curve_of_all_test_reviews_stays_small(tmp_path: Path) -> None:
    plots.draw_roc(tmp_path / "roc.svg", [scored("a", 25_000), scored("b", 25_000)])
    assert (tmp_path / "roc.svg").stat().st_size < MAX_BYTES


def test_the_confusion_matrix_shows_who_was_taken_for_what(tmp_path: Path) -> None:
    logits = np.array([1.0, 1.0, 1.0, -1.0, -1.0])
    labels = np.array([1, 1, 0, 0, 1])
    plots.draw_confusion(tmp_path / "c.svg", [plots.Scored("m", logits, labels, 1.0)])
    text = texts_of(tmp_path / "c.svg")
    assert [text.count(share) for share in ("50.0%", "66.7%", "33.3%")] == [2, 1, 1]


def test_a_stage_after_another_has_its_line_and_its_name(tmp_path: Path) -> None:
    plots.draw_learning_curves(tmp_path / "one.svg", STAGES[:1])
    assert "first" not in texts_of(tmp_path / "one.svg")


def test_bins_have_equal_mass_and_make_up_the_calibration_error() -> None:
    model = scored(reviews=150)
    probabilities = 1 / (1 + np.exp(-model.logits))
    bins = calibration_bins(probabilities, model.labels)
    assert bins.shape == (15, 3)
    assert set(bins[:, 2]) == {10}
    assert (np.diff(bins[:, 0]) > 0).all()
    expected = np.abs(bins[:, 0] - bins[:, 1]).mean()
    assert calibration_error(probabilities, model.labels) == pytest.approx(expected)
