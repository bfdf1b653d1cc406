"""The website as a reviewer uses it: a page object, and answers that an API could give."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Request, Route

REQUEST_ID = "3f0b0c5e-8f0a-4c55-9d5e-5a1d4f6a2b11"

# Text travels as JSON in plain ASCII: lone surrogates would not survive the way otherwise.
WRITE = """json => {
  const box = document.getElementById("review");
  box.value = JSON.parse(json);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}"""
# In one go: what lies between would be a pause, after which the text is read by itself.
READ_AT_ONCE = f"""json => {{
  ({WRITE})(json);
  document.querySelector("#form .primary").click();
}}"""
# Puts the caret on a word, as a tap or the arrow keys do.
POINT = """word => {
  const box = document.getElementById("review");
  const at = box.value.indexOf(word);
  box.focus({ preventScroll: true });
  box.setSelectionRange(at + 1, at + 1);
}"""
GO_TO_END = """() => {
  const box = document.getElementById("review");
  box.setSelectionRange(box.value.length, box.value.length);
}"""
# What is lit in the text, in its order: [kind, words], wherever the browser keeps that.
MARKS = """() => JSON.stringify([...CSS.highlights]
  .flatMap(([kind, ranges]) => [...ranges].map((range) => [kind, range]))
  .filter(([, range]) => !range.collapsed)
  .sort(([, a], [, b]) => a.startOffset - b.startOffset)
  .map(([kind, range]) => [kind, range.toString()]))"""
# Firefox does not tell Playwright what a request carries, nor that one was called off, so the page
# notes it down.
NOTE_REVIEWS = """() => {
  const { fetch } = window;
  window.reviewsSent = [];
  window.reviewsCalledOff = [];
  window.fetch = (input, options) => {
    const answer = fetch(input, options);
    if (options?.body) {
      const { review, effects } = JSON.parse(options.body);
      window.reviewsSent.push([review, effects]);
      answer.catch(({ name }) => name === "AbortError" && window.reviewsCalledOff.push(review));
    }
    return answer;
  };
}"""
READ = "selector => JSON.stringify(document.querySelector(selector).textContent)"
SHOWN = """json => {
  const { state, busy } = document.getElementById("screen").dataset;
  const mirror = document.getElementById("mirror");
  const isRead = state === "result" && busy === undefined && "fresh" in mirror.dataset;
  return isRead && mirror.textContent === JSON.parse(json);
}"""
PAST = "() => localStorage.getItem('reeltone.history') ?? '[]'"
BOX = "() => JSON.stringify(document.getElementById('review').value)"


@dataclass(frozen=True)
class Fake:
    """One answer of a pretended API."""

    status: int
    body: str
    headers: dict[str, str]


@dataclass
class SitePage:
    """A page, and whatever went wrong on it (``faults``) that no test should see."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)

    def scrolls_sideways(self) -> bool:
        """Whether the page is wider than the window."""
        wide: bool = self.page.evaluate(
            "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wide


@dataclass
class ReviewPage(SitePage):
    """The page for one review."""

    faked: bool = False
    dropped: bool = False

    def __post_init__(self) -> None:
        self.page.add_init_script(f"({NOTE_REVIEWS})()")
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._note_request)

    def open(self) -> None:
        """Load the page and wait until it has heard about the model."""
        self.page.goto(self.url)
        while self.dropped:
            self.dropped = False
            self.page.reload()
        self.page.locator("#model-state").wait_for(state="hidden", timeout=10_000)

    def write(self, text: str) -> None:
        """Put a text into the box, lone surrogates and all."""
        self.page.evaluate(WRITE, json.dumps(text))

    def read(self, text: str) -> None:
        """Write a review and press the button."""
        self.page.evaluate(READ_AT_ONCE, json.dumps(text))

    def show(self, text: str, *answers: Fake) -> None:
        """Read a review that the pretended API answers so, and wait for the result."""
        self.fake(*answers)
        self.read(text)
        self.wait_for("result")

    def type(self, text: str) -> None:
        """Write with the keyboard, after what is in the box."""
        self.page.evaluate(GO_TO_END)
        self.page.locator("#review").press_sequentially(text)

    def follow(self, link: str) -> None:
        """Open a link as from elsewhere, in this window."""
        self.page.goto("about:blank")
        self.page.goto(link)
        self.page.locator("#offer").wait_for()

    def accept(self, link: str) -> None:
        """Open a link and have read what it carries."""
        self.follow(link)
        self.page.get_by_role("button", name="Read it").click()

    def link(self) -> str:
        """A link that carries the review on show."""
        self.page.locator("#make-link").click()
        self.page.locator("#link").wait_for()
        return self.page.locator("#link").input_value()

    def past(self) -> list[dict[str, Any]]:
        """The history that this device keeps, newest first."""
        entries: list[dict[str, Any]] = json.loads(self.page.evaluate(PAST))
        return entries

    def point_at(self, word: str) -> None:
        """Put the caret on a word, the first that reads so."""
        self.page.evaluate(POINT, word)
        self.page.locator("#share bdi", has_text=word).wait_for()

    def strike(self, word: str) -> None:
        """Strike out a word, or put it back."""
        self.point_at(word)
        self.page.locator("#strike").click()

    def wait_for(self, state: str) -> None:
        """Wait for a state: idle, reading, waiting, problem, stopped or result."""
        self.page.locator(f"#screen[data-state={state}]").wait_for(timeout=30_000)

    def wait_for_text(self, text: str) -> None:
        """Wait for the result whose words make up this text, exactly."""
        self.page.wait_for_function(SHOWN, arg=json.dumps(text), timeout=10_000)

    def text_of(self, selector: str) -> str:
        """The text of an element, exactly."""
        text: str = json.loads(self.page.evaluate(READ, selector))
        return text

    def box(self) -> str:
        """What the text box holds, exactly."""
        text: str = json.loads(self.page.evaluate(BOX))
        return text

    def sent(self) -> list[str]:
        """The reviews that the page has asked about since it was loaded."""
        return [review for review, _ in self.asked()]

    def asked(self) -> list[tuple[str, bool]]:
        """The same, and whether the effects of their words were asked for."""
        asked = json.loads(self.page.evaluate("JSON.stringify(reviewsSent)"))
        return [(review, effects) for review, effects in asked]

    def called_off(self) -> list[str]:
        """Those of them that the page no longer waited for."""
        called_off: list[str] = json.loads(self.page.evaluate("JSON.stringify(reviewsCalledOff)"))
        return called_off

    def marks(self) -> list[tuple[str, str]]:
        """What is lit in the text, in order: a kind such as ``for-3`` or ``struck``, words."""
        marks: list[list[str]] = json.loads(self.page.evaluate(MARKS))
        return [(kind, words) for kind, words in marks]

    def marked(self, kind: str) -> list[str]:
        """The words that are marked so, or whose kind begins so."""
        return [words for other, words in self.marks() if other.startswith(kind)]

    def fake(self, *answers: Fake) -> list[Request]:
        """Answer POST /api/sentiment with these, the last one for ever; gives the requests."""
        requests: list[Request] = []
        upcoming = chain(answers, repeat(answers[-1]))

        def respond(route: Route) -> None:
            requests.append(route.request)
            answer = next(upcoming)
            route.fulfill(status=answer.status, body=answer.body, headers=answer.headers)

        self.handle(respond)
        return requests

    def wait_for_requests(self, requests: list[Request], number: int) -> None:
        """Wait until the pretended API has had this many; one too many fails."""
        end = time.monotonic() + 30
        while len(requests) < number and time.monotonic() < end:
            self.page.wait_for_timeout(10)  # lets Playwright hand over what has arrived
        assert len(requests) == number

    def handle(self, handler: Callable[[Route], None]) -> None:
        """Let ``handler`` deal with POST /api/sentiment."""
        self.faked = True
        self.page.route("**/api/sentiment", lambda route: handler(route))

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if "ERR_NETWORK_CHANGED" in message.text:
            # Chromium drops what it is loading when a network interface, as a container's,
            # comes or goes. The page asks the API again; the page itself has to be loaded again.
            self.dropped = True
            return
        of_api = message.text.startswith("Failed to load") and "/api/" in message.location["url"]
        if not (of_api and self.faked):
            self.faults.append(f"console: {message.text}")

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith(self.url):
            self.faults.append(f"request to {request.url}")


def answer(text: str, contributions: Iterable[float], **changes: object) -> Fake:
    """A result in which the words of ``text`` have these contributions, over and over."""
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    weights = list(zip(spans, chain.from_iterable(repeat(list(contributions))), strict=False))
    words = [{"start": s, "end": e, "contribution": weight} for (s, e), weight in weights]
    half = len(words) // 2
    body: dict[str, Any] = {
        "sentiment": "positive",
        "probability": 0.93,
        "confidence": 0.93,
        "truncated": False,
        "model": "modern-0123456789ab",
        "logit": 2.6,
        "bias": 0.0,
        "words": words,
        "sentences": [_sentence(part) for part in (words[:half], words[half:]) if part],
    }
    return Fake(200, json.dumps(body | changes), {"content-type": "application/json"})


def _sentence(words: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "start": words[0]["start"],
        "end": words[-1]["end"],
        "contribution": sum(word["contribution"] for word in words),
    }


def problem(status: int, slug: str, detail: str, retry_after: int | None = None) -> Fake:
    """A problem as the API words it."""
    body: dict[str, Any] = {
        "type": f"/problems/{slug}",
        "title": slug.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "requestId": REQUEST_ID,
    }
    headers = {"content-type": "application/problem+json"}
    if retry_after is not None:
        body["retryAfter"] = retry_after
        headers["retry-after"] = str(retry_after)
    return Fake(status, json.dumps(body), headers)
