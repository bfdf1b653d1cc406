"""Reeltone beside its peers, on one split: docs/peers.md and its plot.

    .venv/bin/python -m model_training.evaluation.peers            train, score, report
    .venv/bin/python -m model_training.evaluation.peers --time     measure latencies again

Each peer is trained on the training reviews without dev, with settings that were published or
fixed beforehand, and scores the test reviews once. How each one did is kept in
docs/peers.json, and what it learned in runs/peers, so the command takes up its work where
it stopped; --redo does a peer again. The README's table is a part of that page's.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch
from scipy.special import expit
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from tqdm import tqdm

from model_training.corpus.cache import DEV_REVIEWS, Corpus, add_data_options, prepare_corpus
from model_training.errors import ReeltoneError
from model_training.evaluation.metrics import score
from model_training.evaluation.peers.counted_words import BoostedTrees, FastText, NaiveBayesSVMPeer
from model_training.evaluation.peers.keras_networks import KerasCNN, KerasLSTM, KerasRCNN
from model_training.evaluation.peers.peer import Floats, Peer, PeerError, Reviews
from model_training.evaluation.peers.pretrained import Bundle, MiniLM, Teacher, TextBlob, Vader
from model_training.evaluation.peers.report import (
    RESULTS,
    Conditions,
    Result,
    load_result,
    write_report,
)
from model_training.files import replacing, run_command, write_entry

CHUNK = 1_000  # test reviews that are scored, and kept, at a time
TIMED = 300  # test reviews that are timed, the same for all
WARM_UP = 30  # others before them
_TIMED_SEED = 7


def make_peers() -> list[Peer]:
    """Make all that are compared, those that cost least first."""
    return [
        Bundle(
            "modern",
            "**Reeltone, modern**",
            "The shipped model. Its training time is in model_log.md, and so is what it learned "
            "from the 50,000 unlabelled reviews, which the recipes of the others do not use.",
        ),
        Bundle(
            "classic",
            "Reeltone, classic LSTM",
            "The published recipe of most projects on this data set: 5,000 stems, vectors of 32, "
            "an LSTM of 200, 10 epochs. Published with 0.8368. Its training time is in "
            "model_log.md.",
        ),
        NaiveBayesSVMPeer(),
        FastText(),
        BoostedTrees(),
        TextBlob(),
        Vader(),
        KerasCNN(),
        KerasRCNN(),
        KerasLSTM(),
        MiniLM(),
        Teacher(),
    ]


@dataclass(frozen=True)
class Bench:
    """The reviews, and where things are kept."""

    train: Reviews
    dev: Reviews
    test: Reviews
    folder: Path
    """What peers learned, and what they said of each test review."""
    results: Path
    """A file of how they did: small enough to be kept with the code."""

    def compare(self, peer: Peer) -> Result:
        """Train a peer and score the test reviews; its result is kept."""
        seconds = self._train(peer)
        trained = Conditions.now()
        peer.load(self.folder / peer.name)
        logits = score_in_chunks(peer, self.test.texts, self._scratch(peer))
        metrics = score(logits, self.test.labels)
        with replacing(self.folder / f"{peer.name}.npz") as part, part.open("wb") as file:
            np.savez_compressed(file, logits=logits.astype(np.float32))
        extra = {}
        if peer.own_threshold is not None:
            said = logits >= peer.own_threshold
            extra["accuracy_at_own_threshold"] = float((said == self.test.labels).mean())
        megabytes = sum(path.stat().st_size for path in self._files(peer)) / 1e6
        result = Result(peer.version(), megabytes, metrics, seconds, trained, extra=extra)
        result.save(self.results, peer.name)
        shutil.rmtree(self._scratch(peer))
        return result

    def measure(self, peer: Peer, result: Result) -> None:
        """Measure a peer that was compared before, if on another machine."""
        if peer.trained_here and not (self.folder / peer.name).exists():
            self._train(peer)
            shutil.rmtree(self._scratch(peer))
        peer.load(self.folder / peer.name)
        result.milliseconds = milliseconds(peer, self.test.texts)
        result.timed = Conditions.now()
        result.save(self.results, peer.name)

    def forget(self, name: str) -> None:
        """Delete what is kept of a peer."""
        for part in (self.folder / name, self.folder / f"{name}.part"):
            shutil.rmtree(part, ignore_errors=True)
        (self.folder / f"{name}.npz").unlink(missing_ok=True)
        write_entry(self.results, name, None)

    def _train(self, peer: Peer) -> float | None:
        """Processor seconds, also where an earlier run had done it."""
        folder, scratch = self.folder / peer.name, self._scratch(peer)
        version, finished = scratch / "version.txt", scratch / "trained.txt"
        if version.exists() and version.read_text() != peer.version():
            self.forget(peer.name)
        scratch.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        version.write_text(peer.version())
        if not peer.trained_here:
            return None
        if not finished.exists():
            began = time.process_time()
            peer.fit(self.train, self.dev, folder, scratch)
            seconds = time.process_time() - began + peer.earlier_seconds
            finished.write_text(f"{seconds}\n")
        return float(finished.read_text())

    def _files(self, peer: Peer) -> list[Path]:
        """All that a peer needs to answer, besides code."""
        return [*(self.folder / peer.name).iterdir(), *peer.files()]

    def _scratch(self, peer: Peer) -> Path:
        return self.folder / f"{peer.name}.part"


def score_in_chunks(peer: Peer, texts: Sequence[str], scratch: Path) -> Floats:
    """Give [texts] logits; a run that is stopped takes up its work at the last chunk."""
    chunks: list[Floats] = []
    for start in tqdm(range(0, len(texts), CHUNK), desc=peer.name, unit="k", mininterval=10):
        path = scratch / f"scores-{start:05}.npy"
        if not path.exists():
            part = [texts[row] for row in range(start, min(start + CHUNK, len(texts)))]
            with replacing(path) as unfinished, unfinished.open("wb") as file:
                np.save(file, np.asarray(peer.logits(part), np.float64))
        chunks.append(np.load(path))
    return np.concatenate(chunks)


def milliseconds(peer: Peer, texts: Sequence[str]) -> float:
    """Give median processor time from one review's text to its probability.

    On one core that is not shared, this is the time that passes; beside other programs, it still is
    that of the model alone.
    """
    rows = np.random.default_rng(_TIMED_SEED).permutation(len(texts))[: WARM_UP + TIMED]
    times = []
    for row in rows:
        text = texts[row]
        began = time.process_time_ns()
        expit(peer.logits([text]))
        times.append((time.process_time_ns() - began) / 1e6)
    return median(times[WARM_UP:] or times)


def open_bench(
    corpus: Corpus, folder: Path, results: Path, dev_reviews: int = DEV_REVIEWS
) -> Bench:
    """Give the split that everything of this project uses."""
    splits = (*corpus.train_and_dev(dev_reviews), corpus.split("test"))
    train, dev, test = (Reviews(list(split.texts), split.labels) for split in splits)
    return Bench(train, dev, test, folder, results)


def choose(peers: Iterable[Peer], names: Sequence[str]) -> list[Peer]:
    """Choose the peers called so, or all.

    Raises:
        PeerError: there is no such peer.
    """
    known = {peer.name: peer for peer in peers}
    for name in names:
        if name not in known:
            raise PeerError(f"there is no peer {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else list(known.values())


def run(bench: Bench, peers: Iterable[Peer], measure: bool) -> None:
    """Bring the results of ``peers`` up to date: their scores, or their times."""
    for peer in peers:
        result = load_result(bench.results, peer.name)
        if result is not None and peer.version() not in ("", result.version):
            print(f"{peer.name}: {result.version} is now {peer.version()}", flush=True)
            bench.forget(peer.name)
            result = None
        if reason := peer.missing():
            print(f"{peer.name}: {reason}", flush=True)
        elif measure and result is not None:
            bench.measure(peer, result)
            print(f"{peer.name}: {result.milliseconds:.2f} ms a review", flush=True)
        elif not measure and result is None:
            result = bench.compare(peer)
            print(f"{peer.name}: accuracy {result.metrics['accuracy']:.4f}", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Compare, or measure; then write the report of all that is known."""
    parser = argparse.ArgumentParser(
        prog="model_training.evaluation.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_options(parser)
    names = ", ".join(peer.name for peer in make_peers())
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=names)
    parser.add_argument("--redo", nargs="+", default=[], metavar="NAME", help="start these anew")
    parser.add_argument("--time", action="store_true", help="measure latencies, train nothing")
    parser.add_argument("--runs", type=Path, default=Path("runs/peers"), help="%(default)s")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="%(default)s")
    parser.add_argument("--readme", type=Path, default=Path("README.md"), help="%(default)s")
    options = parser.parse_args(arguments)
    peers = choose(make_peers(), options.only)
    results = options.docs / RESULTS
    bench = open_bench(prepare_corpus(options.data_dir, options.archive), options.runs, results)
    for peer in choose(peers, options.redo) if options.redo else []:
        bench.forget(peer.name)
    torch.set_num_threads(1)
    with threadpool_limits(1):
        run(bench, peers, options.time)
    write_report(make_peers(), options.docs, options.readme)


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
