"""Thousands of requests through gateway and function processes, while the endpoint fails at random.

    python -m tests.reliability.soak --requests 10000

Several clients ask at a time, in an order that the seed decides; after each fault comes a request
that must succeed. Between the rounds nobody listens at the endpoint at all. It fails where a
request had another end than its fault's, or where memory, open files, threads or processes are more
than they were after the first round.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.reliability.faulty_runtime import (
    FAULTS,
    SECONDS_BETWEEN_PROCESSES,
    SLOW,
    Fault,
    Outcome,
    faulty_runtime,
    review_for,
)
from tests.reliability.whole_stack import CAPACITY, WholeStack, whole_stack

CLIENTS = CAPACITY + 2
"""Some always wait for a free process."""
ROUNDS = 10
"""Before the second one, memory is measured for the first time."""
MAX_SECONDS = 2 * SECONDS_BETWEEN_PROCESSES["handler"] + 5
"""Of a request that waits for another one's fault first; a busy machine is forgiven much."""
MAX_STARTS = 5
"""A process that a busy machine does not start within Lambda's 10 s is ended, and starts anew."""
SHARE_OF_GOOD, SHARE_OF_SLOW = 0.5, 0.01
"""Of what is asked for at random."""
MAX_GROWTH_MB = 2.0
"""Of a process's memory, once it has had the largest answer of which it reads all."""
MAX_MORE_FILES = 1
"""Of a process: the connection to the endpoint may be open or not."""

REFUSED = "nobody-listens"
LARGEST = "late-huge-body"
EXPECTED = FAULTS | {REFUSED: Fault(FAULTS["none"].behave, 503, "model-unreachable")}


@dataclass(frozen=True)
class Usage:
    """What a process holds."""

    pid: int
    megabytes: float
    """Resident."""
    files: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Usage:
        """As the system has it now."""
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        status = dict(line.split(":", 1) for line in lines)
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        return cls(pid, int(status["VmRSS"].split()[0]) / 1024, files, int(status["Threads"]))


@dataclass
class Report:
    """What was asked, and what came of it."""

    seed: int
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Of each request, by its fault."""
    wrong: Counter[str] = field(default_factory=Counter)
    """Requests that had another end than their fault's."""
    before: list[Usage] = field(default_factory=list)
    after: list[Usage] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return sum(map(len, self.seconds.values()))

    def note(self, fault: str, seen: Outcome) -> None:
        """Add a request."""
        expected = EXPECTED[fault]
        self.seconds[fault].append(seen.seconds)
        if (seen.status, seen.problem) != (expected.status, expected.problem):
            self.wrong[f"{fault}: {seen.status} {seen.problem}"] += 1
        elif (seen.retry_after is not None) != (seen.status == 503):
            self.wrong[f"{fault}: retry-after {seen.retry_after}"] += 1
        elif seen.seconds > MAX_SECONDS:
            self.wrong[f"{fault}: not within {MAX_SECONDS} s"] += 1

    def growth(self) -> list[str]:
        """What is more at the end than after the first round."""
        if [usage.pid for usage in self.before] != [usage.pid for usage in self.after]:
            return [f"processes {self.before} became {self.after}"]
        return [
            f"{before} became {after}"
            for before, after in zip(self.before, self.after, strict=True)
            if after.megabytes > before.megabytes + MAX_GROWTH_MB
            or after.files > before.files + MAX_MORE_FILES
            or after.threads > before.threads
        ]

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"{self.requests:,} requests of {CLIENTS} clients at a time, seed {self.seed}"
        for fault, seconds in self.seconds.items():
            expected = EXPECTED[fault]
            end = f"{expected.status} {expected.problem}".strip()
            yield f"  {fault:26}{len(seconds):7,}  {end:22}  longest {max(seconds):.2f} s"
        yield f"longest of all: {max(max(of_fault) for of_fault in self.seconds.values()):.2f} s"
        for before, after in zip(self.before, self.after, strict=False):
            name = "gateway" if before is self.before[0] else "function"
            yield (
                f"{name:9} {before.megabytes:.1f} → {after.megabytes:.1f} MB, "
                f"{before.files} → {after.files} files, {before.threads} → {after.threads} threads"
            )
        yield from (f"WRONG, {count} times: {what}" for what, count in self.wrong.items())
        yield from (f"GROWN: {what}" for what in self.growth())


def make_plan(requests: int, seed: int) -> list[str]:
    """The faults of about so many requests, each fault once at least, in random order; a good
    request comes after each of them besides."""
    chance = random.Random(seed)
    quick = [name for name in FAULTS if name not in SLOW and name != "none"]
    plan = [*quick, *sorted(SLOW)]
    while 2 * len(plan) - plan.count("none") < requests:
        draw = chance.random()
        if draw < SHARE_OF_SLOW:
            plan.append(chance.choice(sorted(SLOW)))
        else:
            plan.append("none" if draw < SHARE_OF_SLOW + SHARE_OF_GOOD else chance.choice(quick))
    chance.shuffle(plan)
    return plan


def soak(requests: int, seed: int, log: Path, rounds: int = ROUNDS) -> Report:
    """Send about so many requests. ``log``: a file for what the stack logs."""
    report = Report(seed)
    with faulty_runtime() as runtime:
        port = runtime.port
    with whole_stack(f"http://127.0.0.1:{port}", log) as stack:
        _start_processes(stack, port)
        for number in range(rounds):
            plan = make_plan(requests // rounds, seed * rounds + number)
            with faulty_runtime(fault=None, port=port):
                _ask_all(stack, report, plan)
                if number == 0:
                    report.before = _measure(stack)
            _ask_all(stack, report, [REFUSED] * CAPACITY)
        with faulty_runtime(fault=None, port=port):
            _ask_all(stack, report, ["none"] * CAPACITY)
            report.after = _measure(stack)
    return report


def _start_processes(stack: WholeStack, port: int) -> None:
    """Have an event in all processes at a time, so that none starts while others wait for it, and
    each has had to read as much as it ever reads."""
    with (
        faulty_runtime(LARGEST, port),
        httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client,
        ThreadPoolExecutor(CAPACITY) as pool,
    ):
        started = 0
        for _ in range(MAX_STARTS):
            seen = list(pool.map(ask, [client] * CAPACITY, [LARGEST] * CAPACITY))
            started += all(one.problem == EXPECTED[LARGEST].problem for one in seen)
            if started == 2:  # the allocator keeps the memory of the second large answer only
                return
    raise RuntimeError(f"the function's processes do not start: {seen}")


def _ask_all(stack: WholeStack, report: Report, plan: Sequence[str]) -> None:
    """All requests of a plan, by several clients at a time."""
    faults = iter(plan)

    def use() -> None:
        with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client:
            for fault in faults:  # shared: each is asked for by whoever is free
                report.note(fault, ask(client, fault))
                if fault not in ("none", REFUSED):
                    report.note("none", ask(client, "none"))

    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(use) for _ in range(CLIENTS)]:
            done.result()


def ask(client: httpx.Client, fault: str) -> Outcome:
    """One review that asks for a fault, through the gateway."""
    review = "A great film." if fault == REFUSED else review_for(fault)
    started = time.monotonic()
    response = client.post("/api/sentiment", json={"review": review})
    seconds = time.monotonic() - started
    problem = "" if response.status_code == 200 else _read_problem(response)
    return Outcome(response.status_code, problem, response.headers.get("retry-after"), seconds)


def _read_problem(response: httpx.Response) -> str:
    """What stands after /problems/; where its body and the headers differ, how they do."""
    said, headers = response.json(), response.headers
    told = [said.get("status"), said.get("requestId"), str(said.get("retryAfter", ""))]
    seen = [response.status_code, headers["apigw-requestid"], headers.get("retry-after", "")]
    if told != seen or headers["content-type"] != "application/problem+json":
        return f"{told} under {headers}"
    return str(said["type"]).removeprefix("/problems/")


def _measure(stack: WholeStack) -> list[Usage]:
    time.sleep(0.5)  # for connections to be closed
    return [Usage.of(pid) for pid in stack.processes()]


def main(arguments: Sequence[str]) -> int:
    """Soak the stack as the command line says; the exit code is 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="tests.reliability.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        report = soak(options.requests, options.seed, Path(folder, "log"))
    print("\n".join(report.lines()))
    return 1 if report.wrong or report.growth() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
