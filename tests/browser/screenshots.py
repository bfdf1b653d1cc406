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
from tests.browser.review_page import REQUEST_ID, ReviewPage, problem

EXAMPLE = "Torn"
STRUCK = ("clumsy", "mess")
WAKING = problem(503, "model-waking", "The model was asleep and is waking up.", retry_after=8)
BROKEN = problem(502, "model-failed", f"The model failed. Please report {REQUEST_ID}.")


@dataclass(frozen=True)
class Picture:
    """What is on it, and the window it is taken in: width and height in pixels, scheme."""

    prepare: Callable[[ReviewPage], None]
    width: int = 1280
    height: int = 1000
    dark: bool = False


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


def show_waking(page: ReviewPage) -> None:
    """The wait for a model that was asleep."""
    page.fake(WAKING)
    page.page.get_by_role("button", name=EXAMPLE).click()
    page.wait_for("waiting")


def show_problem(page: ReviewPage) -> None:
    """An error with its request id."""
    page.fake(BROKEN)
    page.page.get_by_role("button", name=EXAMPLE).click()
    page.wait_for("problem")


PICTURES = {
    "website": Picture(show_answer, height=1270),
    "website-dark": Picture(show_what_if, height=1270, dark=True),
    "website-phone": Picture(show_what_if, width=375, height=2000),
    "website-waking": Picture(show_waking, height=760),
    "website-problem": Picture(show_problem, width=375, height=760, dark=True),
}


def take(browser: Browser, url: str, name: str, folder: Path) -> Path:
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
        path = folder / f"{name}.png"
        page.page.screenshot(path=path)
        return path


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000/")
    parser.add_argument("--output", type=Path, default=Path("docs"))
    options = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        sys.exit("error: chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        for name in PICTURES:
            print(take(browser, options.url, name, options.output))
        with browser.new_context() as context:
            print(*many_page.take_screenshots(context.new_page(), options.url, options.output))
        browser.close()


if __name__ == "__main__":
    main()
