"""A loaded model: reviews as ids in; logits, probabilities and contributions out."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from model_training.errors import BundleError
from model_training.serving.bundle import read_bundle
from model_training.serving.effects import MAX_WINDOWS, Effects
from review_text import VerdictRule, Vocabulary, Windows, count_windows, cut_windows

# By default, onnxruntime writes a device id into the home folder, to be reported to Microsoft.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

T = TypeVar("T")

# What the graph is given and asked for: type and number of dimensions.
_INPUTS = {
    "windows": ("tensor(int32)", 2),
    "window_lengths": ("tensor(int32)", 1),
    "lengths": ("tensor(int32)", 1),
}
_OUTPUTS = {"logits": ("tensor(float)", 1), "contributions": ("tensor(float)", 2)}


@dataclass(frozen=True)
class Result:
    """What the model says of one review."""

    logit: float
    probability: float
    """Probability of positive, 0 to 1, calibrated."""
    contributions: npt.NDArray[np.float32]
    """[tokens]; with the bias they add up to the logit. Empty where nobody asked for them."""


@dataclass(frozen=True)
class Model:
    """A loaded bundle."""

    session: onnxruntime.InferenceSession
    vocabulary: Vocabulary
    name: str
    version: str
    temperature: float
    bias: float
    dev_reviews: int
    rule: VerdictRule | None
    """When a review is mixed or unclear."""

    def score(self, reviews: Sequence[Sequence[int]], contributions: bool = True) -> list[Result]:
        """Score reviews (1 to ``max_tokens`` ids each) that are not cut yet: ``score_windows``."""
        windows = cut_windows(reviews, self.vocabulary.settings.window)
        return self.score_windows(windows, contributions)

    def score_windows(self, windows: Windows, contributions: bool = True) -> list[Result]:
        """Give a result for each review, in order; memory stays bounded.

        A result is the same to the last bit, whatever else is scored with it, and with or without
        ``contributions``.
        """
        size = self.vocabulary.settings.window
        ids = np.array(windows.ids, np.int32).reshape(-1, size)
        lengths = np.array(windows.lengths, np.int32)
        counts = [count_windows(length, size) for length in windows.lengths]
        starts = np.cumsum([0, *counts])
        # Reviews of as many windows run together, so that none is padded with whole windows.
        order = sorted(range(len(lengths)), key=lambda row: (counts[row], lengths[row]))
        results: dict[int, Result] = {}
        for count, rows in groupby(order, key=counts.__getitem__):
            for part in chunks(list(rows), max(1, MAX_WINDOWS // count)):
                own = (starts[part][:, None] + np.arange(count)).reshape(-1)
                scored = self._run(ids[own], lengths[part], contributions)
                results.update(zip(part, scored, strict=True))
        return [results[row] for row in range(len(lengths))]

    def find_effects(self, ids: Sequence[int]) -> list[float]:
        """Find what each word of a review does to its logit: by how much that is more than the
        logit without the word; of a review of one word, more than the bias."""
        if len(ids) == 1:
            return [self.score([ids])[0].logit - self.bias]
        if self._effects is not None:
            found: list[float] = self._effects.find(ids).tolist()
            return found
        without = [[*ids[:place], *ids[place + 1 :]] for place in range(len(ids))]
        whole, *rest = (result.logit for result in self.score([ids, *without], False))
        return [whole - logit for logit in rest]

    @cached_property
    def _effects(self) -> Effects | None:
        """None where deletion is no matter of windows: a graph that takes the last state."""
        if not any(output.name == "maxima" for output in self.session.get_outputs()):
            return None
        return Effects(self.session, self.vocabulary.settings.window)

    def _run(
        self, ids: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32], contributions: bool
    ) -> list[Result]:
        """Score reviews of as many windows each in one run of the graph: ``ids`` [N, window]."""
        windows = len(ids) // len(lengths)
        width = ids.shape[1] if windows > 1 else int(lengths.max())
        places = np.arange(windows, dtype=np.int32) * width
        filled = np.clip(lengths[:, None] - places, 0, width)
        [shares] = self.session.run(
            ["contributions"],
            {
                "windows": ids[:, :width],
                "window_lengths": filled.reshape(-1),
                "lengths": lengths,
            },
        )
        return [
            self._result(row[:length], contributions)
            for row, length in zip(shares, lengths, strict=True)
        ]

    def _result(self, shares: npt.NDArray[np.float32], contributions: bool) -> Result:
        """The result that a review's contributions, [tokens], add up to."""
        # The graph's own logit is a sum in fp32 over padded rows, whose last bit depends on how
        # many there are and on how long the longest is. This sum is exact in any company.
        logit = math.fsum([self.bias, *shares.tolist()])
        return Result(logit, self._probability(logit), shares if contributions else shares[:0])

    def _probability(self, logit: float) -> float:
        scaled = logit / self.temperature
        # Both forms are the sigmoid; each is exact where the other overflows.
        if scaled >= 0:
            return 1.0 / (1.0 + math.exp(-scaled))
        return math.exp(scaled) / (1.0 + math.exp(scaled))


def load_model(folder: Path) -> Model:
    """Load the bundle in ``folder`` and run it once, so that the first request is a fast one.

    Raises:
        BundleError: a part is missing or unreadable, or the parts do not belong together.
    """
    bundle = read_bundle(folder)
    about = bundle.manifest
    model = Model(
        _open_graph(bundle.graph),
        bundle.vocabulary,
        about.name,
        about.version,
        about.temperature,
        about.bias,
        about.dev_reviews,
        about.rule,
    )
    _try_out(model, bundle.graph)
    return model


def _open_graph(path: Path) -> onnxruntime.InferenceSession:
    """The graph on the CPU. One thread a request: the server answers requests side by side.

    onnxruntime itself refuses operators that it does not have. It gets the graph's bytes and no
    folder, so there is no other file, by whatever name or link, that weights could come from.

    Raises:
        BundleError: it cannot be loaded, or takes or gives something else than it should.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("REELTONE_THREADS", "1"))
    options.inter_op_num_threads = 1
    # It would take the memory for a run in one piece, of another size for nearly every batch, and
    # keep each: more and more of it, and none of the time.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", os.devnull
    )
    try:
        session = onnxruntime.InferenceSession(
            path.read_bytes(), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's exceptions share no class of their own
        raise BundleError(f"{path} cannot be loaded: {error}") from error
    takes, gives = _describe(session.get_inputs()), _describe(session.get_outputs())
    if takes != _INPUTS:
        raise BundleError(f"{path} takes {_show(takes)}; it should take {_show(_INPUTS)}")
    if not _OUTPUTS.items() <= gives.items():
        raise BundleError(f"{path} gives {_show(gives)}; it should give {_show(_OUTPUTS)}")
    return session


def _describe(values: Sequence[Any]) -> dict[str, tuple[str, int]]:
    return {value.name: (value.type, len(value.shape)) for value in values}


def _show(values: dict[str, tuple[str, int]]) -> str:
    shown = [f"{name}: {kind} of {rank} dimensions" for name, (kind, rank) in values.items()]
    return ", ".join(shown)[:500] or "nothing"


def _try_out(model: Model, path: Path) -> None:
    """Score two reviews, of one window and of two, with the first and the last id; that also makes
    the first request a fast one.

    Raises:
        BundleError: the graph fails, or its answers are no answers.
    """
    last, window = len(model.vocabulary) - 1, model.vocabulary.settings.window
    reviews = [[1, last], [last] * min(window + 1, model.vocabulary.settings.max_tokens)]
    try:
        results = model.score(reviews)
    except Exception as error:  # as above
        raise BundleError(f"{path} cannot score a review: {error}") from error
    for review, result in zip(reviews, results, strict=True):
        if len(result.contributions) != len(review):
            raise BundleError(
                f"{path} gives {len(result.contributions)} contributions for {len(review)} tokens"
            )
        if not (math.isfinite(result.logit) and np.isfinite(result.contributions).all()):
            raise BundleError(f"{path} gives numbers that are not finite")


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Give parts of ``items``, in order, ``size`` long but for the last."""
    return (items[start : start + size] for start in range(0, len(items), size))
