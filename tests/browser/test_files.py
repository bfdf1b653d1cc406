"""What the site's files must and must not hold; no browser needed."""

from __future__ import annotations

import re
from pathlib import Path

SITE = Path(__file__).resolve().parents[2] / "frontend"
FILES = sorted(path for path in SITE.rglob("*") if path.is_file())
PAGE = (SITE / "index.html").read_text(encoding="utf-8")


def test_the_whole_site_is_smaller_than_100_kilobytes() -> None:
    assert sum(path.stat().st_size for path in FILES) < 100_000


def test_the_page_has_no_script_or_style_of_its_own() -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", PAGE)


def test_text_never_becomes_markup() -> None:
    risky = re.compile(r"(inner|outer|Adjacent)HTML|document\.write|\beval\(|Function\(")
    assert [path.name for path in FILES if risky.search(path.read_text(encoding="utf-8"))] == []


def test_nothing_comes_from_another_site() -> None:
    elsewhere = re.compile(r"https?://(?!www\.w3\.org/2000/svg)")
    assert [path.name for path in FILES if elsewhere.search(path.read_text(encoding="utf-8"))] == []


def test_every_module_but_the_first_is_preloaded() -> None:
    modules = {f"js/{path.name}" for path in (SITE / "js").glob("*.js")} - {"js/main.js"}
    assert set(re.findall(r'rel="modulepreload" href="([^"]+)"', PAGE)) == modules


def test_every_element_that_the_code_asks_for_is_on_the_page() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (SITE / "js").glob("*.js"))
    wanted = set(re.findall(r'byId\("([^"]+)"\)', code))
    assert wanted <= set(re.findall(r'\sid="([^"]+)"', PAGE))
