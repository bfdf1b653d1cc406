"""Search for inputs that break a rule: python -m tests.fuzz --minutes 30

Needs atheris (make fuzz installs it). Minutes are of processor time, shared by the targets, and as
many targets run at a time as this process may use cores. What reaches new code joins the corpus
beside this file, which is then made as small as possible without reaching less.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.limits import SECONDS
from tests.fuzz.targets import CORPUS, MOST_BYTES, ROOT, TARGETS, json_strings, seeds

MOST_CORPUS_BYTES = 300_000 // len(TARGETS)
"""Of each target's corpus."""
FOUND = ROOT / "build" / "fuzz"
"""Where inputs that break a rule are left."""
NO_LIMIT = ("-timeout=999999", "-report_slow_units=999999")
"""By the time of day: ``limits`` has those by processor time."""


def main() -> int:
    """Search, then minimise; the exit code is 1 when an input broke a rule."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="default: %(default)s")
    parser.add_argument("--targets", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    options = parser.parse_args()
    seconds = max(1, round(options.minutes * 60 / len(options.targets)))
    FOUND.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        tried = list(pool.map(lambda name: search(name, seconds), options.targets))
    print(f"{sum(count or 0 for count in tried):,} inputs tried in all")
    if None in tried:
        print(f"an input broke a rule: see {FOUND}", file=sys.stderr)
    return int(None in tried)


def search(name: str, seconds: int) -> int | None:
    """Search one target; inputs tried, or None if one of them broke a rule."""
    kept = CORPUS / name
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        work, minimised, words = (Path(scratch, each) for each in ("work", "minimised", "words"))
        shutil.copytree(kept, work)
        for number, seed in enumerate(seeds(name)):
            (work / f"seed-{number}").write_bytes(seed)
        words.write_text("".join(f"{_quote(word)}\n" for word in json_strings()))
        limits = [f"-max_len={MOST_BYTES}", f"-dict={words}"]
        program = _write_program(name, Path(scratch))
        code, output = _run(program, name, str(work), *limits, seconds=seconds)
        count = _count(output)
        print(f"{name}: {count:,} inputs tried, {count / seconds:,.0f} a second", flush=True)
        if code:
            print(output[-3_000:], file=sys.stderr)
            return None
        minimised.mkdir()
        merge = ("-merge=1", f"-max_len={MOST_BYTES}", str(minimised), str(work))
        code, output = _run(program, name, *merge)
        if code or not any(minimised.iterdir()):
            print(output[-3_000:], file=sys.stderr)
            return None
        _replace(kept, minimised)
    return count


def _write_program(name: str, folder: Path) -> Path:
    """A program that runs one target; libFuzzer takes it for itself and starts it again."""
    program = folder / name
    python = shlex.quote(sys.executable)
    program.write_text(f'#!/bin/sh\nexec {python} -m tests.fuzz.one {name} "$0" "$@"\n')
    program.chmod(0o755)
    return program


def _run(program: Path, name: str, *options: str, seconds: int | None = None) -> tuple[int, str]:
    """Exit code and output; ``seconds``: of processor time, where that has a limit."""
    found = f"-artifact_prefix={FOUND}/{name}-"
    done = subprocess.run(
        [str(program), found, *NO_LIMIT, "-print_final_stats=1", *options],
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


def _replace(kept: Path, minimised: Path) -> None:
    """Keep the smallest inputs, as far as the room goes."""
    for path in kept.iterdir():
        path.unlink()
    room = MOST_CORPUS_BYTES
    for path in sorted(minimised.iterdir(), key=lambda path: (path.stat().st_size, path.name)):
        room -= path.stat().st_size
        if room < 0:
            break
        shutil.copy(path, kept / path.name)


def _quote(word: str) -> str:
    """A word as libFuzzer's dictionaries have it."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


if __name__ == "__main__":
    sys.exit(main())
