"""The command line on files: as fast as whom, in how much memory, and how soon after installing.

``reeltone score`` and the peers read one CSV on as many cores, from start to last row. Then a file
of a million reviews goes through, and the memory of all of its processes is taken on the way.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.part import Bench, Claim, Part, number
from benchmarks.results import BenchmarkError, Figures
from benchmarks.timing import median, resident_megabytes
from model_training.evaluation.peers.counted_words import NaiveBayesSVM
from model_training.evaluation.peers.peer import modern
from model_training.evaluation.peers.pretrained import Lexicon, TextBlob, Vader
from model_training.files import table

CORES = 2
REVIEWS, QUICK_REVIEWS, QUICK_MILLION = 5_000, 60, 300
STARTS = 5
_BATCH = 100
_PROJECT = Path(__file__).parents[1]
_FIRST = "from reeltone import Reeltone; Reeltone().predict(['A warm, clever film.'])"
_TITLES = {"reeltone": "Reeltone", "vader": "VADER", "textblob": "TextBlob", "nbsvm": "NB-SVM"}

Rate = Callable[[Sequence[str]], list[float]]
Sample = tuple[int, float, float | None]
"""Rows scored, seconds since the start, megabytes of all processes where the system can tell."""


def measure(bench: Bench) -> Figures:
    """Measure reviews a second beside the peers, memory on the way, and the time until a first
    answer.

    Raises:
        BenchmarkError: not every review was scored.
    """
    source, quick = bench.source, bench.quick
    count = QUICK_REVIEWS if quick else REVIEWS
    texts = source.pick(len(source.test.texts))
    with TemporaryDirectory() as folder:
        place = Path(folder)
        write_reviews(place / "some.csv", islice(cycle(texts), count))
        tokens = [modern(text) for text in source.train.texts]
        NaiveBayesSVM().fit(tokens, source.train.labels).save(place)
        seconds = {"reeltone": score(place / "some.csv", count)[-1][1]}
        for name in ("vader", "textblob", "nbsvm"):
            seconds[name] = time_peer(place / "some.csv", name, place)
        many = min(bench.reviews, QUICK_MILLION) if quick else bench.reviews
        write_reviews(place / "many.csv", islice(cycle(texts), many))
        samples = score(place / "many.csv", many)
        return {
            "texts": source.name,
            "reviews": count,
            "cores": CORES,
            "seconds": {name: round(spent, 2) for name, spent in seconds.items()},
            "many": many,
            "many seconds": samples[-1][1],
            "megabytes": memory_of(samples),
            "import seconds": start_python("import reeltone", quick),
            "answer seconds": start_python(_FIRST, quick),
            **({} if quick else install(place)),
        }


def write_reviews(path: Path, texts: Iterable[str]) -> None:
    """Write a CSV with a number and a review in each row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "review"])
        writer.writerows(enumerate(texts))


def score(path: Path, reviews: int) -> list[Sample]:
    """Score a file by the command line; gives rows, seconds and megabytes on the way, and at last.

    Raises:
        BenchmarkError: the command failed, or not every row has an answer.
    """
    output = path.with_suffix(".scored.csv")
    state = output.with_name(f"{output.name}.part.json")
    started = time.monotonic()
    command = ["-m", "reeltone", "score", str(path), "-o", str(output), "--cores", str(CORES)]
    samples: list[Sample] = []
    with subprocess.Popen([sys.executable, *command], cwd=_PROJECT) as process:
        while process.poll() is None:
            time.sleep(0.02 if reviews < 1_000 else 0.5)
            rows, memory = _read_rows(state), _find_memory(process.pid)
            if rows and memory and (not samples or rows * 100 >= reviews * (len(samples) + 1)):
                samples.append((rows, round(time.monotonic() - started, 2), memory))
    last = samples[-1][2] if samples else None
    samples.append((reviews, round(time.monotonic() - started, 2), last))
    if process.returncode or not output.exists() or count_answers(output) != reviews:
        raise BenchmarkError(f"reeltone score left rows of {path.name} without an answer")
    return samples


def memory_of(samples: Sequence[Sample]) -> tuple[float | None, float | None]:
    """Give megabytes at a tenth of the rows, and at the end."""
    early = next(sample for sample in samples if sample[0] * 10 >= samples[-1][0])
    return early[2], samples[-1][2]


def count_answers(path: Path) -> int:
    """Count the rows with a probability."""
    with path.open(encoding="utf-8", newline="") as file:
        return sum(bool(row["probability"]) for row in csv.DictReader(file))


def time_peer(path: Path, name: str, folder: Path) -> float:
    """Give seconds in which a peer rates the reviews of a file on as many cores."""
    started = time.monotonic()
    context = get_context("spawn")
    with ProcessPoolExecutor(CORES, context, _load, (name, folder)) as pool:
        with path.open(encoding="utf-8", newline="") as file:
            texts = [row["review"] for row in csv.DictReader(file)]
        parts = [texts[at : at + _BATCH] for at in range(0, len(texts), _BATCH)]
        rated = [value for values in pool.map(_rate, parts) for value in values]
    write_reviews(path.with_suffix(f".{name}.csv"), map(str, rated))
    return time.monotonic() - started


_own: Rate


def _load(name: str, folder: Path) -> None:
    global _own
    if name == "nbsvm":
        _own = partial(_decide, NaiveBayesSVM().load(folder))
        return
    lexicon: Lexicon = Vader() if name == "vader" else TextBlob()
    lexicon.open()
    _own = lambda texts: [lexicon.rate(text) for text in texts]  # noqa: E731


def _decide(model: NaiveBayesSVM, texts: Sequence[str]) -> list[float]:
    return [float(value) for value in model.decide([modern(text) for text in texts])]


def _rate(texts: Sequence[str]) -> list[float]:
    return _own(texts)


def start_python(program: str, quick: bool) -> float:
    """Give median seconds in which a new Python runs a program."""
    return round(median([time_python(program) for _ in range(1 if quick else STARTS)]), 2)


def time_python(program: str, python: str = sys.executable, folder: Path = _PROJECT) -> float:
    """Give seconds in which a new Python runs a program."""
    started = time.monotonic()
    subprocess.run([python, "-c", program], cwd=folder, check=True)
    return time.monotonic() - started


def install(folder: Path) -> Figures:
    """Build the wheel, and install it in a new environment; needs a package index.

    Raises:
        BenchmarkError: one of these fails.
    """
    try:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
        subprocess.run([*pip, *build, str(_PROJECT)], check=True)
        [wheel] = folder.glob("*.whl")
        subprocess.run([sys.executable, "-m", "venv", str(folder / "fresh")], check=True)
        python = str(folder / "fresh/bin/python")
        started = time.monotonic()
        own = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*own, "install", str(wheel)], check=True)
        time_python(_FIRST, python, folder)
    except subprocess.CalledProcessError as error:
        raise BenchmarkError(f"{error.cmd[:4]} ended with {error.returncode}") from error
    return {
        "install seconds": round(time.monotonic() - started, 1),
        "wheel megabytes": round(wheel.stat().st_size / 1e6, 1),
    }


def _read_rows(state: Path) -> int:
    try:
        return int(json.loads(state.read_text(encoding="utf-8"))["rows"])
    except (OSError, ValueError):
        return 0  # not there yet, or no longer


def _find_memory(pid: int) -> float | None:
    """Megabytes of a process and of all that it started; None where the system can't tell."""
    try:
        own = resident_megabytes(pid)
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        children = [int(child) for task in tasks for child in task.read_text().split()]
        parts = [own, *map(_find_memory, children)]
    except (OSError, IndexError):
        return None  # it has ended
    return None if None in parts else round(sum(filter(None, parts)), 1)


# --- What is shown --------------------------------------------------------------------------------


def claim(figures: Figures) -> list[Claim]:
    """Give flat memory."""
    early, late = figures["megabytes"]
    if early is None or late is None:
        return []
    what = f"memory of reeltone score at the end of {figures['many']:,} reviews"
    return [Claim(what, late / early, "times that at a tenth")]


def write(figures: Figures) -> str:
    """Write rates beside the peers' and what else people wait for."""
    rows = [
        [f"{_TITLES[name]}, reviews a second", number(figures["reviews"] / seconds)]
        for name, seconds in figures["seconds"].items()
    ]
    early, late = figures["megabytes"]
    if early is not None and late is not None:
        rows.append([f"memory at a tenth of {figures['many']:,} reviews, MB", number(early)])
        rows.append(["memory at their end, MB", number(late)])
    rows.append([f"{figures['many']:,} reviews, minutes", number(figures["many seconds"] / 60)])
    rows.append(["`import reeltone`, seconds", number(figures["import seconds"])])
    rows.append(["a first answer in a new process, seconds", number(figures["answer seconds"])])
    if "wheel megabytes" in figures:
        rows.append(["the wheel, MB", number(figures["wheel megabytes"])])
        rows.append(["`pip install` to the first answer, s", number(figures["install seconds"])])
    note = (
        f"`reeltone score` and others on one CSV of {figures['reviews']:,} {figures['texts']}, "
        f"{figures['cores']} processes each, from start to last row; memory is that of all."
    )
    return note + "\n\n" + table(("", "measured"), rows)


PART = Part(
    name="files", title="The command line", measure=measure, write=write, claim=claim, long=True
)
