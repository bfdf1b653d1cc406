"""The command: what it keeps, resumes, measures and writes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from model_training.corpus.cache import Corpus
from model_training.evaluation.peers import __main__ as command
from model_training.evaluation.peers.__main__ import Bench, choose, main, milliseconds, run
from model_training.evaluation.peers.peer import Floats, Peer, PeerError, Reviews
from model_training.evaluation.peers.report import (
    Conditions,
    Result,
    body,
    draw,
    load_result,
    write_report,
)
from tests.small_corpus import write_archive

TEXTS = ["good"] * 5 + ["bad"] * 5
LABELS = np.array([1] * 5 + [0] * 5)
PAGE = "# Title\n\n<!-- peers:begin --><!-- peers:end -->\n\nAfter.\n"


class Counting(Peer):
    """Knows "good"; counts what is asked of it."""

    title = "**Counting**"
    package = "numpy"
    remark = "It counts."

    def __init__(self, name: str = "counting") -> None:
        self.name = name
        self.fits = self.scored = 0
        self.stop_after = 10**9
        self.label = "1"

    def fit(self, train: Reviews, dev: Reviews, folder: Path, scratch: Path) -> None:
        self.fits += 1
        (folder / "word.txt").write_text("good")

    def load(self, folder: Path) -> None:
        self._word = (folder / "word.txt").read_text()

    def logits(self, texts: Sequence[str]) -> Floats:
        if self.scored + len(texts) > self.stop_after:
            raise KeyboardInterrupt
        self.scored += len(texts)
        return np.array([2.0 if text == self._word else -1.0 for text in texts])

    def version(self) -> str:
        return self.label


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    reviews = Reviews(TEXTS, LABELS)
    return Bench(reviews, reviews, reviews, tmp_path / "runs", tmp_path / "results.json")


def result_of(bench: Bench, name: str = "counting") -> Result:
    result = load_result(bench.results, name)
    assert result is not None
    return result


def test_a_result_holds_metrics_size_and_scores(bench: Bench) -> None:
    run(bench, [Counting()], measure=False)
    result = result_of(bench)
    assert result.metrics["accuracy"] == 1.0
    assert result.megabytes == pytest.approx(len("good") / 1e6)
    assert result.training_seconds is not None and result.training_seconds >= 0
    assert np.load(bench.folder / "counting.npz")["logits"].tolist() == [2.0] * 5 + [-1.0] * 5


def test_what_was_compared_is_not_compared_again(bench: Bench) -> None:
    peer = Counting()
    run(bench, [peer], measure=False)
    run(bench, [peer], measure=False)
    assert (peer.fits, peer.scored) == (1, 10)
    assert result_of(bench).milliseconds is None


@pytest.mark.parametrize(("version", "fits", "kept"), [("2", 2, "2"), ("", 1, "1")])
def test_another_version_is_compared_anew_and_what_is_not_installed_keeps_its_result(
    bench: Bench, version: str, fits: int, kept: str
) -> None:
    peer = Counting()
    run(bench, [peer], measure=False)
    peer.label = version
    run(bench, [peer], measure=False)
    assert (peer.fits, result_of(bench).version) == (fits, kept)


@pytest.mark.parametrize(("version", "fits", "scored"), [("1", 0, 2), ("2", 1, 10)])
def test_an_interrupted_comparison_goes_on_where_it_stopped_if_with_the_same_version(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, version: str, fits: int, scored: int
) -> None:
    monkeypatch.setattr(command, "CHUNK", 4)
    peer = Counting()
    peer.stop_after = 8
    with pytest.raises(KeyboardInterrupt):
        run(bench, [peer], measure=False)
    assert load_result(bench.results, "counting") is None
    later = Counting()
    later.label = version
    run(bench, [later], measure=False)
    assert (later.fits, later.scored) == (fits, scored)
    assert result_of(bench).metrics["accuracy"] == 1.0


def test_what_is_not_trained_here_has_no_training_time(bench: Bench) -> None:
    peer = Counting()
    peer.trained_here = False
    (bench.folder / "counting").mkdir(parents=True)
    (bench.folder / "counting" / "word.txt").write_text("good")
    run(bench, [peer], measure=False)
    assert (peer.fits, result_of(bench).training_seconds) == (0, None)


def test_measuring_trains_nothing_and_keeps_the_scores(bench: Bench) -> None:
    peer = Counting()
    run(bench, [peer], measure=False)
    run(bench, [peer, Counting("never-compared")], measure=True)
    assert peer.fits == 1
    assert result_of(bench).metrics["accuracy"] == 1.0
    milliseconds = result_of(bench).milliseconds
    assert milliseconds is not None and 0 < milliseconds < 1_000
    assert load_result(bench.results, "never-compared") is None


def test_a_peer_that_was_compared_elsewhere_is_trained_before_it_is_measured(bench: Bench) -> None:
    peer = Counting()
    run(bench, [peer], measure=False)
    shutil.rmtree(bench.folder)
    run(bench, [peer], measure=True)
    assert peer.fits == 2
    assert result_of(bench).milliseconds is not None
    assert [path.name for path in bench.folder.iterdir()] == ["counting"]


def test_each_review_is_timed_alone(bench: Bench) -> None:
    class Slow(Counting):
        def logits(self, texts: Sequence[str]) -> Floats:
            assert len(texts) == 1
            return np.array([float(sum(range(200_000)) > 0)])

    assert milliseconds(Slow(), TEXTS) > 0.5


def test_a_package_s_own_threshold_is_reported_besides(bench: Bench) -> None:
    peer = Counting()
    peer.own_threshold = 3.0
    run(bench, [peer], measure=False)
    assert result_of(bench).extra == {"accuracy_at_own_threshold": 0.5}
    assert "own threshold, zero, accuracy is 0.5000" in body([(peer, result_of(bench))])


def test_what_this_machine_lacks_is_named_and_its_result_stays(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    class Lacking(Counting):
        def missing(self) -> str:
            return "no weights"

    run(bench, [Counting()], measure=False)
    before = result_of(bench)
    run(bench, [Lacking()], measure=True)
    assert "counting: no weights\n" in capsys.readouterr().out
    assert result_of(bench) == before


def test_a_forgotten_peer_leaves_nothing(bench: Bench) -> None:
    run(bench, [Counting(), Counting("other")], measure=False)
    bench.forget("counting")
    assert sorted(path.name for path in bench.folder.iterdir()) == ["other", "other.npz"]
    assert load_result(bench.results, "counting") is None
    assert load_result(bench.results, "other") is not None


def test_an_unknown_peer_is_named_beside_those_that_exist() -> None:
    with pytest.raises(PeerError, match=r"no peer 'x'; there are a, b"):
        choose([Counting("a"), Counting("b")], ["x"])


def test_the_split_is_that_of_training_and_no_movie_is_on_both_sides(
    corpus: Corpus, tmp_path: Path
) -> None:
    bench = command.open_bench(corpus, tmp_path, tmp_path, dev_reviews=16)
    assert (len(bench.train.texts), len(bench.dev.texts), len(bench.test.texts)) == (64, 16, 80)
    assert len(bench.train.labels) == 64 and len(bench.dev.labels) == 16
    train, dev = corpus.train_and_dev(16)
    assert list(bench.train.texts) == list(train.texts)
    assert not set(train.movies) & set(dev.movies)


class TestReport:
    """docs/peers.md."""

    def row(self, name: str, accuracy: float, time: float | None) -> tuple[Peer, Result]:
        metrics = dict.fromkeys(["precision", "recall", "f1", "auc", "ece"], 0.5)
        here = Conditions("a machine", 0.25, "2026-11-22")
        metrics["accuracy"] = accuracy
        timed = None if time is None else here
        return Counting(name), Result("numpy 2", 1.25, metrics, None, here, time, timed)

    def test_the_table_says_what_is_known_and_what_is_not(self) -> None:
        text = body([self.row("a", 0.9, 0.123), self.row("b", 0.8, None)])
        lines = text.splitlines()
        assert lines[2].startswith("| **Counting** | 0.9000 | 0.5000 |")
        assert lines[2].endswith("| – | 1.2 | 0.12 |")
        assert lines[3].endswith("| – | 1.2 | – |")
        assert "Timed on a machine; 2026-11-22, load average 0.2 to 0.2." in text
        assert "- **Counting**: It counts." in lines
        assert "(peers.svg)" in text
        assert "(peers.svg)" not in body([self.row("a", 0.9, None)])

    def test_before_anything_was_compared_it_says_so(self) -> None:
        assert body([]) == "Nothing has been compared yet."

    def test_the_best_stands_first_and_the_page_s_own_words_stay(self, tmp_path: Path) -> None:
        for name in ("peers.md", "README.md"):
            (tmp_path / name).write_text(PAGE)
        for name, accuracy in (("worse", 0.7), ("better", 0.8)):
            self.row(name, accuracy, None)[1].save(tmp_path / "peers.json", name)
        peers = [Counting("worse"), Counting("better"), Counting("unknown")]
        write_report(peers, tmp_path, tmp_path / "README.md")
        write_report(peers, tmp_path, tmp_path / "README.md")
        page = (tmp_path / "peers.md").read_text()
        assert page.startswith("# Title\n") and page.endswith("\nAfter.\n")
        assert page.count("0.8000") == 1
        assert page.index("0.8000") < page.index("0.7000")
        readme = (tmp_path / "README.md").read_text()
        assert readme.startswith("# Title\n") and readme.endswith("\nAfter.\n")
        assert "| **Counting** | 0.8000 | 1.2 | – |" in readme

    @pytest.mark.slow
    def test_the_plot_repeats_byte_for_byte(self, tmp_path: Path) -> None:
        rows = [self.row("a", 0.9, 0.5), self.row("b", 0.8, 20.0), self.row("c", 0.7, None)]
        draw(rows, tmp_path / "one.svg")
        draw(rows, tmp_path / "two.svg")
        plot = (tmp_path / "one.svg").read_text()
        assert plot == (tmp_path / "two.svg").read_text()
        assert plot.count("Counting") == 2


@pytest.mark.usefixtures("small_expected")
def test_the_command_compares_then_measures_then_starts_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    peers = [Counting("one"), Counting("two")]
    monkeypatch.setattr(command, "make_peers", lambda: peers)
    for name in ("peers.md", "README.md"):
        (tmp_path / name).write_text(PAGE)
    archive = str(write_archive(tmp_path / "archive.tar.gz"))
    runs = tmp_path / "runs"
    where = ["--data-dir", str(tmp_path), "--archive", archive, "--runs", str(runs)]
    arguments = [*where, "--docs", str(tmp_path), "--readme", str(tmp_path / "README.md")]
    main([*arguments, "--only", "two"])
    assert [peer.fits for peer in peers] == [0, 1]
    main([*arguments, "--time"])
    assert "ms a review" in capsys.readouterr().out
    assert (tmp_path / "peers.svg").exists()
    main([*arguments, "--redo", "two"])
    assert [peer.fits for peer in peers] == [1, 2]
    assert all(load_result(tmp_path / "peers.json", name) for name in ("one", "two"))
