"""Pictures of the website for the documentation: make screenshots (needs a running `make run`)."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS
from tests.browser.review_page import ReviewPage

EXAMPLE = "Torn"
PICTURES = {
    # name: (width, height, scheme)
    "website": (1280, 1000, "light"),
    "website-dark": (1280, 1000, "dark"),
    "website-phone": (375, 812, "light"),
}


def take(browser: Browser, url: str, name: str, folder: Path) -> Path:
    """A picture of the answer to an example, the whole page; its path."""
    width, height, scheme = PICTURES[name]
    with browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    ) as context:
        page = ReviewPage(context.new_page(), url)
        page.open()
        page.page.get_by_role("button", name=EXAMPLE).click()
        page.wait_for("result")
        path = folder / f"{name}.png"
        page.page.screenshot(path=path, full_page=True)
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
        browser.close()


if __name__ == "__main__":
    main()
