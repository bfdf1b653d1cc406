"""The curl commands of the documentation, as requests."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    """What a command sends."""

    method: str
    path: str
    body: str
    content_type: str


def read_curl(command: str) -> Request:
    """The request of a command to the local stack; ``command`` may go over several lines."""
    curl, _, url, *options = shlex.split(command.replace("\\\n", " "))
    assert (curl, url[:26]) == ("curl", "http://127.0.0.1:8000/api/")
    path, given = urlsplit(url).path, dict(zip(options[::2], options[1::2], strict=True))
    if not given:
        return Request("GET", path, "", "")
    body = given.get("-d") or given["--data-binary"]
    return Request("POST", path, body, given["-H"].removeprefix("content-type: "))
