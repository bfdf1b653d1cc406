"""Real browsers, and the whole of Reeltone running on this machine for it to look at."""

from __future__ import annotations

import importlib.util
import io
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.browser.many_page import ManyPage, open_many_page
from tests.browser.review_page import ReviewPage
from tests.needs import need

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

ROOT = Path(__file__).resolve().parents[2]

# Seconds that the local stack may take to load the model and give its first answer.
START_TIMEOUT = 60

# Chromium must not talk to anybody but the page's own server.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Firefox's own of the same kind, and what tests in Chromium ask for by a context's options.
FIREFOX_PREFERENCES: dict[str, str | float | bool] = {
    "ui.prefersReducedMotion": 1,
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the site is: a local stack of its own, or the one that REELTONE_URL names."""
    elsewhere = os.environ.get("REELTONE_URL")
    if elsewhere:
        yield elsewhere.rstrip("/") + "/"
        return
    bundle = ROOT / "model_training" / "models" / "modern" / "manifest.json"
    need(bundle.is_file(), "there is no trained model in model_training/models/modern")
    port = _free_port()
    log = tmp_path_factory.mktemp("local_stack") / "output.txt"
    with log.open("w") as output:
        command = [sys.executable, "-m", "local_stack", "--port", str(port)]
        stack = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait_until_healthy(url, stack, log)
        yield url
    finally:
        stack.terminate()
        stack.wait(timeout=20)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked ``both_browsers``, and not ``chromium_alone``, in Firefox, too."""
    if "browser" in metafunc.fixturenames:
        find = metafunc.definition.get_closest_marker
        both = find("both_browsers") and not find("chromium_alone")
        names = ["chromium", "firefox"] if both else ["chromium"]
        metafunc.parametrize("browser", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What drives the browsers."""
    need(importlib.util.find_spec("playwright") is not None, "playwright is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(
    request: pytest.FixtureRequest, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A headless browser: Chromium, or Debian's Firefox."""
    if request.param == "firefox":
        browser = launch_firefox(playwright, tmp_path_factory.mktemp("firefox"), {})
    else:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        need(program is not None, "chromium is not installed")
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
    yield browser
    browser.close()


def launch_firefox(
    playwright: Playwright, folder: Path, preferences: dict[str, str | float | bool]
) -> Browser:
    """Debian's Firefox, with ``preferences`` besides the usual ones; it starts from ``folder``."""
    need(shutil.which("firefox-esr") is not None, "firefox-esr is not installed")
    program = folder / "firefox"
    script = shlex.join([sys.executable, str(Path(__file__).with_name("firefox.py"))])
    program.write_text(f'#!/bin/sh\nexec {script} "$@"\n')
    program.chmod(0o755)
    return playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=program,
        firefox_user_prefs=FIREFOX_PREFERENCES | preferences,
    )


@pytest.fixture
def review_page(browser: Browser, site: str) -> Iterator[ReviewPage]:
    """The open page, in a window of its own; afterwards nothing may have gone wrong on it."""
    with browser.new_context(
        viewport={"width": 1280, "height": 860}, reduced_motion="reduce"
    ) as context:
        page = ReviewPage(context.new_page(), site)
        page.open()
        yield page
    assert page.faults == []


@pytest.fixture
def many(browser: Browser, site: str) -> Iterator[ManyPage]:
    """The open page for many reviews."""
    with open_many_page(browser, site) as page:
        yield page


@pytest.fixture(scope="session")
def print_page() -> Callable[[Page], list[str]]:
    """Print a page on A4; gives the text of each sheet."""
    need(importlib.util.find_spec("pypdf") is not None, "pypdf is not installed")
    from pypdf import PdfReader

    def print_it(page: Page) -> list[str]:
        # WebDriver BiDi reckons paper in centimetres, and Playwright hands it inches.
        assert page.context.browser
        unit = "in" if page.context.browser.browser_type.name == "firefox" else "cm"
        printed = page.pdf(width=f"21{unit}", height=f"29.7{unit}", print_background=True)
        return [sheet.extract_text() for sheet in PdfReader(io.BytesIO(printed)).pages]

    return print_it


@pytest.fixture(scope="session")
def check_axe() -> Callable[[Page], None]:
    """See that axe finds nothing on a page as it is now."""
    installed = importlib.util.find_spec("axe_playwright_python") is not None
    need(installed, "axe-playwright-python is not installed")
    from axe_playwright_python.sync_playwright import Axe

    def check(page: Page) -> None:
        # Forced colours are the reader's own; axe sees those that the page asked for.
        is_forced = page.evaluate("matchMedia('(forced-colors: active)').matches")
        rules = {"color-contrast": {"enabled": False}} if is_forced else {}
        results = Axe().run(page, options={"rules": rules})
        assert results.violations_count == 0, results.generate_report()

    return check


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _wait_until_healthy(url: str, stack: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and stack.poll() is None:
        try:
            with urlopen(f"{url}api/health", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the local stack did not start:\n{log.read_text()}", pytrace=False)
