"""Pictures of the website for the documentation: make screenshots (needs a running `make run`)."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser import many_page
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.browser.review_page import ReviewPage, problem

EXAMPLE = "Torn"
STRUCK = ("clumsy", "mess")
WAKING = problem(503, "model-waking", "The model was asleep and is waking up.", retry_after=8)

SHORT = "I expected little and came out grinning. A warm, clever film."


@dataclass(frozen=True)
class Picture:
    """What is on it, and the window it is taken in: width and height in pixels, colours."""

    prepare: Callable[[ReviewPage], None]
    width: int = 1280
    height: int = 860
    dark: bool = False
    folder: str = "docs"


def show_opening(page: ReviewPage) -> None:
    """The page as a stranger finds it."""


def show_answer(page: ReviewPage) -> None:
    """The answer to an example."""
    page.page.get_by_role("button", name=EXAMPLE).click()
    page.wait_for("result")


def show_what_if(page: ReviewPage) -> None:
    """The answer to an example from which two words are struck out."""
    show_answer(page)
    for word in STRUCK:
        page.strike(word)
        page.page.locator("#what-if-text strong", has_text="%").wait_for()
    page.page.mouse.move(0, 0)
    page.page.evaluate("scrollTo(0, 0)")


def show_preview(page: ReviewPage) -> None:
    """What fits into a small picture."""
    page.read(SHORT)
    page.wait_for_text(SHORT)
    page.page.locator("#strip button").first.hover()


def show_waking(page: ReviewPage) -> None:
    """The wait for a model that was asleep."""
    page.fake(WAKING)
    page.page.get_by_role("button", name=EXAMPLE).click()
    page.wait_for("waiting")


def show_request(page: ReviewPage) -> None:
    """A request that was tried on the developers' page."""
    page.page.goto(f"{page.url}developers.html")
    page.page.get_by_role("button", name="Send the request").click()
    page.page.locator("#response-line[data-kind=good]").wait_for()
    page.page.mouse.move(0, 0)


PICTURES = {
    "website-opening": Picture(show_opening),
    "website": Picture(show_answer),
    "website-dark": Picture(show_what_if, dark=True),
    "website-phone": Picture(show_what_if, width=360, height=780),
    "website-waking": Picture(show_waking, dark=True),
    "website-developers": Picture(show_request),
    # What a link to the site shows where people talk.
    "preview": Picture(show_preview, width=1200, height=630, dark=True, folder="frontend"),
}


def take(browser: Browser, url: str, name: str, root: Path) -> Path:
    """Take one of PICTURES; gives its path."""
    picture = PICTURES[name]
    with browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="dark" if picture.dark else "light",
        reduced_motion="reduce",
    ) as context:
        page = ReviewPage(context.new_page(), url)
        page.open()
        picture.prepare(page)
        path = root / picture.folder / f"{name}.png"
        page.page.screenshot(path=path)
        return path


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--url", default="http://127.0.0.1:8000/", type=lambda url: url.rstrip("/") + "/"
    )
    parser.add_argument("--output", type=Path, default=Path())
    parser.add_argument("--only", nargs="*", choices=[*PICTURES, "many"], help="default: all")
    options = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        sys.exit("error: chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        for name in PICTURES:
            if not options.only or name in options.only:
                print(take(browser, options.url, name, options.output))
        if not options.only or "many" in options.only:
            with browser.new_context() as context:
                docs = options.output / "docs"
                print(many_page.take_screenshot(context.new_page(), options.url, docs))
        browser.close()


if __name__ == "__main__":
    main()
