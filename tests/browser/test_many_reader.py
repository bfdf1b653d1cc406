"""Files as people have them: each is read rightly, or refused for a reason."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.file_kinds import KINDS, Kind
from tests.servers import Quiet, handled

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.both_browsers

SITE = Path(__file__).resolve().parents[2] / "frontend"
READING = SITE / "js" / "many" / "reading"
WORDS = json.loads((READING / "refusals.json").read_text(encoding="utf-8"))

READ = """async ({ name, content, format }) => {
  const { openSource } = await import("/js/many/reading/source.js");
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  try {
    const source = await openSource(new File([bytes], name), { format });
    const rows = await source.reviews([...Array(source.count).keys()]);
    return {
      reviews: rows.flatMap(({ text }) => (text === undefined ? [] : [text])),
      problems: rows.flatMap(({ problem }) => problem ?? []),
      notices: source.notices,
      refusal: null,
      column: source.names[source.column] ?? "",
      format: source.format.id,
    };
  } catch ({ key, facts, message }) {
    return { reviews: [], problems: [], notices: [], refusal: { key, facts, message } };
  }
}"""


class Files(Quiet, SimpleHTTPRequestHandler):
    """Serves the site's files."""


@pytest.fixture(scope="module")
def reader(browser: Browser) -> Iterator[Page]:
    """A page that can import the site's modules; no API behind it."""
    with handled(functools.partial(Files, directory=SITE)) as url:
        page = browser.new_page()
        page.goto(f"{url}/favicon.svg")
        yield page
        page.close()


def read(page: Page, kind: Kind, file_format: str | None = None) -> dict[str, Any]:
    """What the site's reader makes of a file."""
    content = base64.b64encode(kind.content).decode()
    found: dict[str, Any] = page.evaluate(
        READ, {"name": kind.name, "content": content, "format": file_format}
    )
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_file_is_read_rightly_or_refused_for_a_reason(reader: Page, kind: Kind) -> None:
    found = read(reader, kind)
    assert (found["refusal"] or {}).get("key", "") == kind.refusal, found
    assert tuple(found["reviews"]) == kind.reviews
    assert tuple(problem["key"] for problem in found["problems"]) == kind.problems
    if kind.column:
        assert found["column"] == kind.column


def test_every_refusal_and_reason_has_its_words_with_all_of_its_facts(reader: Page) -> None:
    for kind in KINDS:
        found = read(reader, kind)
        said = [("rows", problem) for problem in found["problems"]]
        said += [("notices", notice) for notice in found["notices"]]
        said += [("files", found["refusal"])] if found["refusal"] else []
        for part, thing in said:
            names = set(re.findall(r"\{(\w+)\}", WORDS[part][thing["key"]]))
            assert names <= set(thing.get("facts") or {}), (kind.name, thing)


def test_every_word_that_is_kept_is_used() -> None:
    # The command line and the upload bucket say theirs with the same words.
    shared = SITE.parent / "layers/vocabulary/review_text"
    readers = [*SITE.rglob("*.js"), *shared.glob("*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in readers)
    used = set(re.findall(r'"([a-z-]+)"', code))
    assert {key for part in WORDS.values() for key in part} <= used
