"""Peers on the same reviews: reviews a second of one core, and accuracy.

Accuracies are those of docs/comparison.md where that has them for these very versions, else of a
sample of test reviews, and then said to be.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks import distilbert
from benchmarks.results import Figures
from benchmarks.reviews import Source
from benchmarks.timing import one_core
from model_training.evaluation.peers.bundles import Bundle
from model_training.evaluation.peers.embeddings import MiniLM
from model_training.evaluation.peers.lexicons import Lexicon, TextBlob, Vader
from model_training.evaluation.peers.peer import Peer, Reviews
from model_training.evaluation.peers.report import RESULTS
from model_training.evaluation.peers.results import load_result
from model_training.paths import DOCS, MODELS

COMPARISON = Path("runs/comparison")
"""Where make compare-models keeps what it has trained."""
_TRAIN = 2_000
"""Reviews that MiniLM's logistic regression is trained on, where the comparison has none."""


def make_peers() -> list[Peer]:
    """All that are measured, ours first."""
    ours = [Bundle(name, name, "Reeltone", "") for name in ("modern", "classic")]
    return [*ours, Vader(), TextBlob(), MiniLM()]


def measure(
    source: Source,
    quick: bool = False,
    comparison: Path = COMPARISON,
    results: Path = DOCS / RESULTS,
) -> Figures:
    """For each peer: reviews a second [rounds], in turn and one review at a time, and accuracy with
    where it comes from. And DistilBERT's milliseconds, for what it would cost."""
    count, rounds, train = (4, 1, 20) if quick else (100, 3, _TRAIN)
    sample = Reviews(*_take(source.test, count * rounds))
    torch.set_num_threads(1)
    found: dict[str, Figures] = {}
    with one_core(), threadpool_limits(1), tempfile.TemporaryDirectory() as scratch:
        answers = {}
        for peer in make_peers():
            prepare(peer, source, train, Path(scratch), comparison)
            answers[peer.name] = judge(peer)
            answers[peer.name](sample.texts[0])  # the first answer is never the fastest
            found[peer.name] = {"title": peer.title, "version": peer.version(), "rates": []}
        verdicts = take_rounds(answers, sample.texts, count, found)
    for peer in make_peers():
        found[peer.name] |= accuracy(peer, verdicts[peer.name], sample, results)
    milliseconds = distilbert.milliseconds(1 if quick else distilbert.RUNS)
    return {"texts": source.name, "peers": found, "DistilBERT milliseconds": round(milliseconds, 1)}


def prepare(peer: Peer, source: Source, train: int, scratch: Path, comparison: Path) -> None:
    """Get a peer ready to answer."""
    if isinstance(peer, Lexicon):
        peer.open()
        return
    folder = comparison / peer.name
    if isinstance(peer, MiniLM) and not (folder / "linear.npz").exists():
        folder = scratch
        rows = Reviews(*_take(source.train, train))
        peer.fit(rows, rows, folder, scratch)
    peer.load(folder)


def judge(peer: Peer) -> Callable[[str], bool]:
    """Whether a review is positive; the lexicons draw the line where their packages do."""
    if isinstance(peer, Lexicon):
        return lambda text: peer.rate(text.replace("<br />", " ")) >= 0
    return lambda text: bool(peer.logits([text])[0] >= 0)


def take_rounds(
    answers: dict[str, Callable[[str], bool]],
    texts: Sequence[str],
    count: int,
    found: dict[str, Figures],
) -> dict[str, list[bool]]:
    """Each peer's verdicts on all texts; the rates of each round go to ``found``."""
    verdicts: dict[str, list[bool]] = {name: [] for name in answers}
    for start in range(0, len(texts), count):
        part = texts[start : start + count]
        for name, say in answers.items():
            started = time.process_time()
            verdicts[name] += [say(text) for text in part]
            seconds = time.process_time() - started
            found[name]["rates"].append(round(len(part) / seconds, 2))
    return verdicts


def accuracy(peer: Peer, verdicts: list[bool], sample: Reviews, results: Path) -> Figures:
    """Accuracy and how many reviews it is of."""
    if isinstance(peer, Bundle):
        metrics = json.loads((MODELS / peer.name / "metrics.json").read_text(encoding="utf-8"))
        return {"accuracy": metrics["accuracy"], "of": metrics["reviews"]}
    result = load_result(results, peer.name)
    if result is not None and result.version == peer.version():
        return {"accuracy": result.metrics["accuracy"], "of": result.metrics["reviews"]}
    right = np.array(verdicts) == (sample.labels == 1)
    return {"accuracy": round(float(right.mean()), 4), "of": len(right)}


def _take(reviews: Reviews, count: int) -> tuple[list[str], Any]:
    """``count`` reviews, drawn at random once and for all, and their labels."""
    rows = np.random.default_rng(11).permutation(len(reviews.texts))[:count]
    return [reviews.texts[row] for row in rows], np.asarray(reviews.labels)[rows]
