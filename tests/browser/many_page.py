"""The page for many reviews as an analyst uses it, and an API that fails on demand."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zlib import crc32

from tests.browser.review_page import Fake, SitePage, problem

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route

BODY_LIMIT = 6_000_000
"""Bytes of a request that Lambda takes."""

SCAN = """async ({ delimiter, escape, chunks }) => {
  const { fieldsOf, RecordScanner } = await import("/js/many/reading/delimited.js");
  const dialect = { delimiter, quotes: true, escape };
  const scanner = new RecordScanner(dialect);
  const bytes = chunks.map((chunk) => Uint8Array.from(atob(chunk), (c) => c.charCodeAt(0)));
  bytes.forEach((chunk, at) => scanner.push(chunk, at === bytes.length - 1));
  const whole = new Uint8Array(await new Blob(bytes).arrayBuffer());
  return JSON.stringify(scanner.starts.map((start, at) => {
    const text = new TextDecoder("utf-8", { ignoreBOM: true })
      .decode(whole.subarray(start, scanner.ends[at]));
    return fieldsOf(text, dialect);
  }));
}"""

LONG_TASKS = """() => {
  window.longest = 0;
  new PerformanceObserver((list) => {
    window.longest = Math.max(window.longest, ...list.getEntries().map((task) => task.duration));
  }).observe({ type: "longtask" });
}"""


def probability_of(review: str) -> float:
    """What the pretended model makes of a review."""
    return crc32(review.encode("utf-8", "surrogatepass")) % 1_000_001 / 1_000_000


@dataclass
class PretendedApi:
    """Scores reviews, after the faults that a test has put in the way; keeps what it was asked."""

    faults: list[Fake | str] = field(default_factory=list)
    """Answers, or "abort", for the next calls; "score" lets one through."""
    asked: list[list[str]] = field(default_factory=list)
    explained: list[bool] = field(default_factory=list)
    excesses: list[str] = field(default_factory=list)
    """What went over the API's limits."""
    poison: set[str] = field(default_factory=set)
    """Reviews that break each call which they are in."""
    verdicts: dict[str, str] = field(default_factory=dict)
    """Verdicts of some reviews; the others have none, as from an older API."""
    hold: bool = False
    held: list[Route] = field(default_factory=list)

    def respond(self, route: Route) -> None:
        """Answer one call."""
        if self.hold:
            self.held.append(route)
        else:
            self._answer(route)

    def release(self) -> None:
        """Answer what was held."""
        held, self.held = self.held, []
        for route in held:
            self._answer(route)

    def _answer(self, route: Route) -> None:
        self._note(route.request)
        fault = self.faults.pop(0) if self.faults else "score"
        if self.poison.intersection(self.asked[-1]):
            fault = problem(502, "model-failed", "The model took the request and failed.")
        if fault == "abort":
            route.abort()
        elif isinstance(fault, Fake):
            route.fulfill(status=fault.status, body=fault.body, headers=fault.headers)
        else:
            body = json.dumps(self._score(self.asked[-1], self.explained[-1]))
            route.fulfill(body=body, headers={"content-type": "application/json"})

    def reviews(self) -> list[str]:
        """All reviews that were asked for, in order."""
        return [review for reviews in self.asked for review in reviews]

    def _note(self, request: Request) -> None:
        sent = request.post_data_buffer or b""
        body = json.loads(sent)
        self.asked.append(body["reviews"])
        self.explained.append(body["explain"])
        lengths = [len(review) for review in body["reviews"]]
        if not 1 <= len(lengths) <= 100:
            self.excesses.append(f"{len(lengths)} reviews")
        if max(lengths) > 20_000 or min(lengths) < 1:
            self.excesses.append(f"reviews of {min(lengths)} to {max(lengths)} characters")
        # Lambda gets the body as a string within JSON.
        if len(json.dumps(sent.decode(), ensure_ascii=False).encode()) > BODY_LIMIT:
            self.excesses.append(f"{len(sent)} bytes")

    def _score(self, reviews: list[str], explain: bool) -> dict[str, Any]:
        results = [_result(review, explain) for review in reviews]
        for review, result in zip(reviews, results, strict=True):
            if review in self.verdicts:
                result["verdict"] = self.verdicts[review]
        return {"model": "modern-0123456789ab", "results": results}


def _result(review: str, explain: bool) -> dict[str, Any]:
    if not any(character.isalnum() for character in review):
        said = json.loads(problem(422, "no-words", "The review has no word in it.").body)
        return {"problem": said}
    probability = probability_of(review)
    result: dict[str, Any] = {
        "sentiment": "positive" if probability >= 0.5 else "negative",
        "probability": probability,
        "confidence": max(probability, 1 - probability),
        "truncated": False,
        "model": "modern-0123456789ab",
    }
    if explain:
        words, at = [], 0
        for word in review.split(" "):
            weight = {"superb": 0.9, "dull": -0.8}.get(word, 0.01)
            words.append({"start": at, "end": at + len(word), "contribution": weight})
            at += len(word) + 1
        result |= {"logit": 1.0, "bias": 0.0, "words": words, "sentences": []}
    return result


@dataclass
class ManyPage(SitePage):
    """The page for many reviews."""

    api: PretendedApi = field(default_factory=PretendedApi)

    def __post_init__(self) -> None:
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))

    def open(self) -> None:
        """Load the page."""
        self.page.goto(self.url + "many.html")

    def pretend(self, *faults: Fake | str) -> PretendedApi:
        """Let a pretended API answer, after these faults."""
        self.api.faults = list(faults)
        self.page.route("**/api/sentiments", self.api.respond)
        return self.api

    def choose(self, name: str, content: bytes | str) -> None:
        """Choose a file and wait until its columns are shown."""
        data = content if isinstance(content, bytes) else content.encode()
        with TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(data)
            # What an earlier file has left there must not be taken for this one's.
            self.page.evaluate("document.getElementById('preview').replaceChildren()")
            self.page.locator("#file").set_input_files(path)
            self.page.locator("#preview tr, #trouble:not([hidden])").first.wait_for()

    def start(self) -> None:
        """Press the button that starts the run."""
        self.page.locator("#start").click()

    def wait_for(self, text: str, timeout: float = 60_000) -> None:
        """Wait until the status holds a text."""
        self.page.locator("#status", has_text=text).wait_for(timeout=timeout)

    def score(self, name: str, content: bytes | str) -> None:
        """Choose a file and wait until all that can be scored is scored."""
        self.choose(name, content)
        self.start()
        self.wait_for("Done.")

    def download(self) -> tuple[str, bytes]:
        """Download the results: the file's name and bytes."""
        with self.page.expect_download() as waiting:
            self.page.locator("#download").click()
        return waiting.value.suggested_filename, waiting.value.path().read_bytes()

    def text_of(self, selector: str) -> str:
        """The text of an element."""
        return self.page.locator(selector).text_content() or ""

    def rows(self) -> list[list[str]]:
        """The table's rows as they are shown."""
        found: list[list[str]] = self.page.locator("#rows tr[data-row]").evaluate_all(
            "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
        )
        return found

    def column(self, index: int) -> list[str]:
        """One column of the table."""
        return [row[index] for row in self.rows()]

    def wait_for_rows(self, accept: Callable[[list[list[str]]], bool]) -> list[list[str]]:
        """Wait until the table's rows are as wanted."""
        for _ in range(100):
            rows = self.rows()
            if accept(rows):
                return rows
            self.page.wait_for_timeout(50)
        raise AssertionError(f"the table's rows are {self.rows()[:5]} ...")

    def measure_tasks(self) -> None:
        """Begin to note the longest task of the page's thread."""
        self.page.evaluate(LONG_TASKS)

    def longest_task(self) -> float:
        """Milliseconds of the longest task since then."""
        longest: float = self.page.evaluate("() => window.longest")
        return longest

    def heap(self) -> float:
        """Megabytes of JavaScript objects that are in use."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("HeapProfiler.enable")
        session.send("HeapProfiler.collectGarbage")
        used: float = session.send("Runtime.getHeapUsage")["usedSize"]
        session.detach()
        return used / 1e6

    def _note_message(self, message: ConsoleMessage) -> None:
        of_api = message.text.startswith("Failed to load") and "/api/" in message.location["url"]
        if message.type in ("error", "warning") and not of_api:
            self.faults.append(f"console: {message.text}")


@contextmanager
def open_many_page(browser: Browser, site: str) -> Iterator[ManyPage]:
    """The page in a window of its own; afterwards nothing may have gone wrong on it."""
    with browser.new_context(
        viewport={"width": 1280, "height": 860}, reduced_motion="reduce"
    ) as context:
        page = ManyPage(context.new_page(), site)
        page.open()
        yield page
        assert page.api.excesses == []
    assert page.faults == []


def some_reviews(number: int, seed: int = 1) -> list[str]:
    """Reviews made of a few words, with what makes files difficult."""
    words = [
        "a",
        "film",
        'of "wonders",',
        "dull",
        "times;",
        "superb",
        "and\nno",
        "très",
        "bien",
        "🎬",
    ]
    dice = random.Random(seed)
    return [f"{n} " + " ".join(dice.choices(words, k=dice.randint(5, 30))) for n in range(number)]


def csv_of(reviews: Sequence[str]) -> str:
    """A CSV file with these reviews in its second column."""
    lines = [f'{n},"{review.replace(chr(34), chr(34) * 2)}"' for n, review in enumerate(reviews)]
    return "\r\n".join(["id,review", *lines]) + "\r\n"


def take_screenshot(page: Page, base_url: str, folder: Path) -> Path:
    """Take a picture of the results of the sample; gives its path.

    ``page`` must be a new one; the site at ``base_url`` must be running.
    """
    many = ManyPage(page, base_url.rstrip("/") + "/")
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size({"width": 1280, "height": 1000})
    many.open()
    page.locator("#sample").click()
    many.start()
    many.wait_for("Done.")
    page.mouse.move(0, 0)
    many.wait_for_rows(lambda rows: len(rows) == 30 and rows[0][3].endswith("%"))
    path = folder / "website-many.png"
    page.screenshot(path=path)
    return path
