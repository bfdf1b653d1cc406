"""A file of any size: on all cores, in as much memory at its end as at its beginning, resumable."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TextIO

from reeltone.files import Row, Source, Writer
from reeltone.model import Reeltone
from reeltone.stack import Stack
from review_text.errors import CallerError
from review_text.predict import MAX_REVIEWS

MAX_CHARACTERS = 1_000_000
"""Code points of the reviews of a batch; the API takes no more in a request."""
AT_A_TIME = 4
"""Requests to a deployed stack."""
_AHEAD = 3
"""Batches in hand for each worker: enough that none waits, and bounded."""

Answers = list[dict[str, Any]]
Batch = list[Row]


@dataclass
class Count:
    """How far a run is."""

    rows: int = 0
    problems: int = 0


# --- Who answers ----------------------------------------------------------------------------------


class Workers:
    """Processes with the model, or requests to a stack, that score batches side by side."""

    def __init__(self, stack: Stack | None, bundle: Path | None, cores: int | None) -> None:
        self._executor: Executor
        if stack is not None:
            self._score: Callable[[list[str]], Answers] = stack.score
            self.count = cores or AT_A_TIME
            self._executor = ThreadPoolExecutor(self.count)
            return
        self._score, self.count = _score, cores or count_cores()
        self._executor = ProcessPoolExecutor(
            self.count, get_context("spawn"), initializer=_load, initargs=(bundle,)
        )

    def score(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Answers]]:
        """Give each batch with its answers, in order."""
        waiting: deque[tuple[Batch, Any]] = deque()
        for batch in batches:
            reviews = [row.review for row in batch if not row.problem]
            waiting.append((batch, self._executor.submit(self._score, reviews)))
            if len(waiting) > _AHEAD * self.count:
                done, future = waiting.popleft()
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers; what they have not begun is left."""
        self._executor.shutdown(cancel_futures=True)


_model: Reeltone


def _load(bundle: Path | None) -> None:
    global _model
    # The terminal's Ctrl-C is for the command, which then ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _model = Reeltone(bundle)


def _score(reviews: list[str]) -> Answers:
    return show_answers(_model, reviews)


def show_answers(model: Reeltone, reviews: list[str]) -> Answers:
    """Give what the API would say of each review."""
    return [
        {"problem": {"detail": str(outcome)}}
        if isinstance(outcome, CallerError)
        else outcome.to_dict()
        for outcome in model.score(reviews)
    ]


def count_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# --- What is written ------------------------------------------------------------------------------


def score_to(
    writer: Writer, source: Source, workers: Workers, note: Callable[[Count], None], count: Count
) -> None:
    """Write each row of the source with its answer; ``note`` is told after each batch."""
    for batch, answers in workers.score(_cut(source.rows)):
        given = iter(answers)
        for row in batch:
            found = {"problem": row.problem} if row.problem else _flatten(next(given))
            count.problems += bool(found.get("problem"))
            writer.write(row, found)
        count.rows += len(batch)
        note(count)


def _flatten(answer: dict[str, Any]) -> dict[str, Any]:
    return {"problem": answer["problem"]["detail"]} if "problem" in answer else answer


def _cut(rows: Iterator[Row]) -> Iterator[Batch]:
    batch: Batch = []
    characters = 0
    for row in rows:
        if batch and (len(batch) == MAX_REVIEWS or characters + len(row.review) > MAX_CHARACTERS):
            yield batch
            batch, characters = [], 0
        batch.append(row)
        characters += len(row.review)
    if batch:
        yield batch


class Checkpoints:
    """What an interrupted run leaves beside its output: as many whole rows as were written."""

    def __init__(self, output: Path, about: dict[str, Any]) -> None:
        """``about`` says what the rows are made of; others begin anew."""
        self.output, self._about = output, about
        self.part = output.with_name(output.name + ".part")
        self._state = output.with_name(output.name + ".part.json")

    def open(self) -> tuple[TextIO, Count]:
        """Open the part after its last whole row, or a new one."""
        count = Count()
        size = 0
        with suppress(OSError, ValueError):
            state = json.loads(self._state.read_text(encoding="utf-8"))
            is_whole = state["rows"] and self.part.stat().st_size >= state["size"]
            if state["about"] == self._about and is_whole:
                size, count = state["size"], Count(state["rows"], state["problems"])
        file = self.part.open("r+" if size else "w", encoding="utf-8", newline="")
        file.seek(size)
        file.truncate()
        return file, count

    def keep(self, file: TextIO, count: Count) -> None:
        """Note that all rows so far are written."""
        file.flush()
        os.fsync(file.fileno())
        state = vars(count) | {"size": os.fstat(file.fileno()).st_size, "about": self._about}
        new = self._state.with_name(self._state.name + ".new")
        new.write_text(json.dumps(state), encoding="utf-8")
        new.replace(self._state)

    def finish(self) -> None:
        """Put the whole output in its place."""
        self.part.replace(self.output)
        self._state.unlink(missing_ok=True)


def score_file(
    source: Source, form: str, workers: Workers, checkpoints: Checkpoints, progress: Progress
) -> tuple[Count, int]:
    """Score a file into another one; gives the counts, and how many rows were there already."""
    file, count = checkpoints.open()
    with file:
        writer = Writer(file, form, source.names)
        before = count.rows
        if before:
            next(islice(source.rows, before - 1, before), None)
        else:
            writer.begin()
        kept = time.monotonic()

        def note(count: Count) -> None:
            nonlocal kept
            progress.show(count, source.position())
            if time.monotonic() - kept > 1:
                checkpoints.keep(file, count)
                kept = time.monotonic()

        try:
            score_to(writer, source, workers, note, count)
        finally:
            checkpoints.keep(file, count)
    checkpoints.finish()
    return count, before


class Progress:
    """A line on the terminal, where there is one."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._shown = 0.0
        self._first: int | None = None
        self._is_on = sys.stderr.isatty()

    def show(self, count: Count, share: float) -> None:
        """Say how far it is, ten times a second at most."""
        now = time.monotonic()
        if not self._is_on or now - self._shown < 0.1:
            return
        if self._first is None:
            self._first = count.rows
        self._shown, seconds = now, max(now - self._started, 0.001)
        rate = (count.rows - self._first) / seconds
        bar = f"[{'#' * int(share * 20):20}] {share:4.0%} " if share else ""
        print(
            f"\r{bar}{count.rows:,} reviews, {rate:,.0f} a second",
            end="  ",
            file=sys.stderr,
            flush=True,
        )

    def end(self) -> None:
        """Leave the line as it is."""
        if self._shown:
            print(file=sys.stderr)
