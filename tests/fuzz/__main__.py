"""Search for inputs that break a rule: python -m tests.fuzz --minutes 30

Needs atheris (make fuzz installs it). Minutes are of processor time, shared by the targets, and as
many targets run at a time as this process may use cores. A search starts from the archives beside
this file and from what earlier searches reached, in build/fuzz/corpus; what reaches new code joins
the latter. With --keep, the archives then get as little as reaches no less.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.fuzz.targets import (
    MAX_INPUT_BYTES,
    ROOT,
    SECONDS,
    TARGETS,
    json_strings,
    name_input,
    seeds,
    unpack_corpus,
    write_corpus,
)

FOUND = ROOT / "build" / "fuzz"
"""Where inputs that break a rule are left, and those that reached new code."""
OPTIONS = (
    f"-max_len={MAX_INPUT_BYTES}",
    "-print_final_stats=1",
    # No limits by the time of day: ``limits`` has those by processor time.
    "-timeout=999999",
    "-report_slow_units=999999",
)
"""Of libFuzzer, for every run."""


def main() -> int:
    """Search every target; the exit code is 1 when an input broke a rule."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="default: %(default)s")
    parser.add_argument("--targets", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument(
        "--keep", action="store_true", help="write what reaches new code into the archives"
    )
    options = parser.parse_args()
    seconds = max(1, round(options.minutes * 60 / len(options.targets)))
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        tried = list(
            pool.map(lambda name: search(name, seconds, keep=options.keep), options.targets)
        )
    print(f"{sum(count or 0 for count in tried):,} inputs tried in all")
    if None in tried:
        print(f"an input broke a rule: see {FOUND}", file=sys.stderr)
    return int(None in tried)


def search(name: str, seconds: int, *, keep: bool) -> int | None:
    """Search one target; return how many inputs were tried, or None if one of them broke a rule.

    ``seconds`` of processor time; ``keep`` writes the target's archive anew.
    """
    work = FOUND / "corpus" / name
    work.mkdir(parents=True, exist_ok=True)
    unpack_corpus(name, work)
    for seed in seeds(name):
        (work / name_input(seed)).write_bytes(seed)
    with _program(name) as program, tempfile.NamedTemporaryFile("w", suffix=".dict") as words:
        words.writelines(f"{_quote(word)}\n" for word in json_strings())
        words.flush()
        code, output = _run(program, name, str(work), f"-dict={words.name}", seconds=seconds)
        count = _count(output)
        print(f"{name}: {count:,} inputs tried, {count / seconds:,.0f} a second", flush=True)
        if not code and keep:
            code, output = _minimise(program, name, work)
    if code:
        print(output[-3_000:], file=sys.stderr)
        return None
    return count


def _minimise(program: Path, name: str, work: Path) -> tuple[int, str]:
    """Keep as few of the inputs in ``work`` as reach no less; exit code and output."""
    with tempfile.TemporaryDirectory() as minimised:
        code, output = _run(program, name, "-merge=1", minimised, str(work))
        inputs = [path.read_bytes() for path in Path(minimised).iterdir()]
    if not code and inputs:
        write_corpus(name, inputs)
    return code or int(not inputs), output


@contextmanager
def _program(name: str) -> Iterator[Path]:
    """A program that runs one target; libFuzzer takes it for itself and starts it again."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, name)
        python = shlex.quote(sys.executable)
        program.write_text(f'#!/bin/sh\nexec {python} -m tests.fuzz.one {name} "$0" "$@"\n')
        program.chmod(0o755)
        yield program


def _run(program: Path, name: str, *options: str, seconds: int | None = None) -> tuple[int, str]:
    """Exit code and output; ``seconds``: of processor time, where that has a limit."""
    found = f"-artifact_prefix={FOUND}/{name}-"
    done = subprocess.run(
        [str(program), found, *OPTIONS, *options],
        cwd=ROOT,
        env={**os.environ, **({SECONDS: str(seconds)} if seconds else {})},
        capture_output=True,
        text=True,
        errors="replace",
    )
    return done.returncode, done.stdout + done.stderr


def _count(output: str) -> int:
    counts = re.findall(r"stat::number_of_executed_units: (\d+)|^#(\d+)\s", output, re.MULTILINE)
    return max((int(one or other) for one, other in counts), default=0)


def _quote(word: str) -> str:
    """A word as libFuzzer's dictionaries have it."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


if __name__ == "__main__":
    sys.exit(main())
