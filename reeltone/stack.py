"""A deployed stack, asked over its API."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

TRIES = 12
"""Times that a request is sent while the stack wakes up or is busy."""
SECONDS = 60
"""That a request may take; the API's own limit is half of that."""
LONGEST_WAIT = 120.0
"""Seconds between two tries, that are believed."""
LONGEST_GUESS = 30.0
"""The same where the stack does not say."""


class StackError(Exception):
    """The stack cannot be asked; the message says why."""


class Stack:
    """The API at an address such as https://example.cloudfront.net."""

    def __init__(self, url: str) -> None:
        """Ask which model answers there.

        Raises:
            StackError: it is no address of a Reeltone.
        """
        if urlsplit(url).scheme not in ("http", "https"):
            raise StackError(f"{url}: use an address that begins with https:// or http://")
        self._url = url.rstrip("/").removesuffix("/api")
        self.version = _member(self._ask("model"), "version", str)

    def score(self, reviews: Sequence[str]) -> list[dict[str, Any]]:
        """Give what the API says of each of up to 100 reviews.

        Raises:
            StackError: it gave no usable answer, or another model has been deployed meanwhile.
        """
        if not reviews:
            return []
        answer = self._ask("sentiments", {"reviews": list(reviews)})
        results: list[dict[str, Any]] = _member(answer, "results", list)
        if len(results) != len(reviews):
            raise StackError(f"{self._url} gave {len(results)} results for {len(reviews)} reviews")
        for result in results:
            if "problem" not in result and result.get("model") != self.version:
                raise StackError(
                    f"{self._url} had {self.version} at first and has another model now. Once it "
                    "is deployed everywhere, start anew."
                )
        return results

    def explain(self, review: str) -> dict[str, Any]:
        """Give what the API says of a review, and why.

        Raises:
            StackError: it gave no usable answer.
        """
        return self._ask("sentiment", {"review": review, "explain": True})

    def _ask(self, route: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
        body = None if content is None else json.dumps(content).encode()
        request = Request(f"{self._url}/api/{route}", body, {"Content-Type": "application/json"})
        for left in reversed(range(TRIES)):
            try:
                with urlopen(request, timeout=SECONDS) as answer:  # nosec B310 - http(s), see above
                    return _read_object(answer.read(), self._url)
            except HTTPError as error:
                problem = _read_problem(error)
                if error.code not in (429, 503) or not left:
                    detail = problem.get("detail", error.reason)
                    raise StackError(f"{self._url} answered {error.code}: {detail}") from None
                said = error.headers.get("retry-after") or problem.get("retryAfter")
                time.sleep(pause(said, TRIES - left))
            except (URLError, OSError) as error:
                reason = getattr(error, "reason", error)
                raise StackError(f"{self._url} cannot be reached: {reason}") from None
        raise AssertionError("the last try raises")


def pause(said: object, refusals: int, guess: float = LONGEST_GUESS) -> float:
    """Give the seconds until a request that was refused is sent again.

    Chance parts those who were refused together.

    Args:
        said: seconds by the answer, whatever it holds; never fewer than that. Without them, as when
            API Gateway throttles, 1 at first, and twice as long after each refusal.
        refusals: in a row, this one included.
        guess: the most where the answer does not say.
    """
    chance = random.random()  # nosec B311 - no secret
    if (told := re.match("[0-9]{1,9}", str(said))) and int(told[0]):
        return min(int(told[0]), LONGEST_WAIT) * (1 + chance / 4)
    return min(2.0 ** (refusals - 1), guess) * (1 + chance) / 2


def _read_problem(error: HTTPError) -> dict[str, Any]:
    try:
        return _read_object(error.read(), "")
    except (StackError, OSError):
        return {}


def _read_object(body: bytes, url: str) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise StackError(f"{url} gave no answer of Reeltone's API: is that its address?")
    return content


def _member(content: dict[str, Any], name: str, kind: type) -> Any:
    if not isinstance(content.get(name), kind):
        raise StackError(f'the answer has no "{name}": is that the address of a Reeltone?')
    return content[name]
