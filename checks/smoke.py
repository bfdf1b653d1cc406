"""See that a deployed Reeltone works, as its visitors would: .venv/bin/python -m checks.smoke URL

Website, API, answers, problems and headers. Standard library only, so that a pipeline needs to
install nothing. Ends with status 1, and what was expected, where something is not as it should
be. A model that wakes up is waited for.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

TIMEOUT = 40.0
"""Seconds for one request; CloudFront itself gives up after 35."""
WAKING = 180.0
"""Seconds that a model may take to wake up, each time with 503 and Retry-After."""
HEADERS = {
    "content-security-policy": "default-src 'none'",
    "permissions-policy": "camera=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""What every answer's headers begin with, of site and API alike."""
PRAISE = "A warm, clever film with a perfect ending. I loved every minute of it."
BLAME = "The worst film I have ever seen: boring, stupid, and a complete waste of time."


class SmokeError(Exception):
    """The deployment does not do what it should."""


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Give the body, parsed.

        Raises:
            SmokeError: it is no JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            raise SmokeError(f"no JSON but {self.body[:80]!r}") from None


class Site:
    """A deployment at a URL."""

    def __init__(self, url: str, waking: float = WAKING) -> None:
        self.url = url.rstrip("/")
        self._waking = waking

    def ask(self, path: str, content: str | None = None, kind: str = "application/json") -> Answer:
        """GET, or POST where there is content; of a model that wakes up, the answer when it has.

        Raises:
            SmokeError: nobody answers.
        """
        deadline = time.monotonic() + self._waking
        while True:
            answer = self._send(path, content, kind)
            wait = float(answer.headers.get("retry-after", "0"))
            if answer.status != 503 or not wait or time.monotonic() + wait > deadline:
                return answer
            time.sleep(wait)

    def _send(self, path: str, content: str | None, kind: str) -> Answer:
        body = None if content is None else content.encode()
        headers = {} if body is None else {"content-type": kind}
        # The address is the caller's own.
        request = Request(self.url + path, body, headers)
        try:
            with urlopen(request, timeout=TIMEOUT) as reply:  # nosec B310
                return _read(reply.status, reply)
        except HTTPError as error:
            with error:
                return _read(error.code, error)
        except (URLError, OSError) as error:
            raise SmokeError(f"{path}: nobody answers: {error}") from error


def _read(status: int, reply: Any) -> Answer:
    return Answer(
        status, {name.lower(): text for name, text in reply.headers.items()}, reply.read()
    )


def expect(what: str, found: object, wanted: object) -> None:
    """Raises:
    SmokeError: found is not what was wanted.
    """
    if found != wanted:
        raise SmokeError(f"{what}: {found!r} instead of {wanted!r}")


def check_website(site: Site) -> None:
    """Give the page, and all scripts and styles that it names."""
    page = site.ask("/")
    expect("status of /", page.status, 200)
    expect("type of /", page.headers.get("content-type", "").partition(";")[0], "text/html")
    names = re.findall(r'(?:src|href)="((?!https?:|#|data:|mailto:)[^"]+)"', page.body.decode())
    files = [f"/{name.lstrip('./')}" for name in names if name.endswith((".js", ".css"))]
    if not files:
        raise SmokeError("the page names no script and no style")
    for name in files:
        expect(f"status of {name}", site.ask(name).status, 200)
    expect("status of a file that is not there", site.ask("/no-such-file.js").status, 404)


def check_headers(site: Site) -> None:
    """Check what keeps browsers safe, on a page, an answer and a problem."""
    for path in ("/", "/api/model", "/api/no-such-route"):
        headers = site.ask(path).headers
        for name, start in HEADERS.items():
            expect(f"{name} of {path}", headers.get(name, "")[: len(start)], start)
        if site.url.startswith("https:"):
            value = headers.get("strict-transport-security", "")
            expect(f"strict-transport-security of {path}", value[:8], "max-age=")


def check_model(site: Site) -> None:
    """Check that the model is awake and says who it is."""
    health = site.ask("/api/health")
    expect("status of /api/health", health.status, 200)
    expect("health", health.json().get("status"), "ok")
    expect("cache-control of /api/health", health.headers.get("cache-control"), "no-store")
    model = site.ask("/api/model").json()
    expect("model of /api/health", health.json().get("model"), model.get("version"))


def check_answers(site: Site) -> None:
    """Praise is positive and blame negative, alone, together, explained and as plain text."""
    for review, sentiment in ((PRAISE, "positive"), (BLAME, "negative")):
        answer = site.ask("/api/sentiment", json.dumps({"review": review, "explain": True}))
        expect("status of /api/sentiment", answer.status, 200)
        expect(f"sentiment of {review!r}", answer.json().get("sentiment"), sentiment)
        if not answer.json().get("words"):
            raise SmokeError("an explained answer has no words")
    batch = site.ask("/api/sentiments", json.dumps({"reviews": [PRAISE, BLAME]})).json()
    found = [result.get("sentiment") for result in batch.get("results", [])]
    expect("sentiments of /api/sentiments", found, ["positive", "negative"])
    expect("plain text", site.ask("/api/sentiment", PRAISE, "text/plain").body, b"1")


def check_problems(site: Site) -> None:
    """Check that what callers do wrong is told them as RFC 9457 says."""
    problem = site.ask("/api/sentiment", "{}")
    expect("status of a request without a review", problem.status, 400)
    kind = problem.headers.get("content-type", "").partition(";")[0]
    expect("type of a problem", kind, "application/problem+json")
    if not problem.json().get("requestId"):
        raise SmokeError("a problem has no requestId")


CHECKS: Mapping[str, Callable[[Site], None]] = {
    "website": check_website,
    "headers": check_headers,
    "model": check_model,
    "answers": check_answers,
    "problems": check_problems,
}


def run(url: str, waking: float = WAKING) -> list[str]:
    """Carry out all checks, and say how each went; gives what failed."""
    site, failures = Site(url, waking), []
    for name, check in CHECKS.items():
        started = time.monotonic()
        try:
            check(site)
        except SmokeError as error:
            failures.append(f"{name}: {error}")
            print(f"{name:10} FAILED  {error}")
        else:
            print(f"{name:10} ok      {time.monotonic() - started:.1f} s")
    return failures


def main(arguments: list[str] | None = None) -> None:
    """Check the deployment at a URL."""
    parser = argparse.ArgumentParser(
        prog="checks.smoke",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", help="the website's, such as the output WebsiteUrl")
    parser.add_argument(
        "--waking",
        type=float,
        default=WAKING,
        help="seconds that the model may take to wake up (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    if failures := run(options.url, options.waking):
        sys.exit(f"error: {len(failures)} of {len(CHECKS)} checks failed at {options.url}")


if __name__ == "__main__":
    main(sys.argv[1:])
