"""What the site's files must and must not hold; no browser needed."""

from __future__ import annotations

import re
from pathlib import Path

from local_stack.gateway import DOCUMENTS

SITE = Path(__file__).resolve().parents[2] / "frontend"
FILES = sorted(path for path in SITE.rglob("*") if path.is_file())
# Licences are others' text, and name their authors' sites.
TEXTS = {
    path.name: path.read_text(encoding="utf-8")
    for path in FILES
    if path.suffix not in (".woff2", ".png", ".txt")
}
PAGES = {path.name: path.read_text(encoding="utf-8") for path in FILES if path.suffix == ".html"}
IMPORT = re.compile(
    r"""^(?:import|export)\b[^;"']*["'](\.[^"']+)["'];|\bimport\(["'](\.[^"']+)["']\)""",
    re.MULTILINE,
)


def test_no_page_has_a_script_or_style_of_its_own() -> None:
    own = re.compile(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)")
    assert [name for name, page in PAGES.items() if own.search(page)] == []


def test_text_never_becomes_markup() -> None:
    risky = re.compile(r"(inner|outer|Adjacent)HTML|document\.write|\beval\(|Function\(")
    assert [name for name, text in TEXTS.items() if risky.search(text)] == []


def test_nothing_comes_from_another_site() -> None:
    elsewhere = re.compile(r"https?://(?!www\.w3\.org/2000/svg)")
    assert [name for name, text in TEXTS.items() if elsewhere.search(text)] == []


TAGS = ("header", "footer")


def test_every_page_has_the_same_head_and_foot_and_the_way_to_all_others() -> None:
    current = ' aria-current="page"'
    shells = {}
    for page in PAGES.values():
        head, foot = (page[page.index(f"<{tag} class") : page.index(f"</{tag}>")] for tag in TAGS)
        assert head.count(current) == 1
        shells[head.replace(current, "")] = foot
    [(head, foot)] = shells.items()
    links = re.findall(r'href="([^"]+)"', head.partition("<nav")[2])
    assert links == ["./", "many.html", "developers.html", "./#model"]
    assert len(PAGES) == 3 and "Licence" in foot


def test_every_element_that_the_code_asks_for_is_on_its_page() -> None:
    missing = {}
    for name, page in PAGES.items():
        code = "".join(path.read_text(encoding="utf-8") for path in modules_of(page))
        wanted = set(re.findall(r'\b(?:byId|on|say)\("([^"]+)"', code))
        missing[name] = wanted - set(re.findall(r'\sid="([^"]+)"', page))
    assert not any(missing.values()), missing


def test_every_element_that_the_styles_name_is_on_a_page() -> None:
    ids = set(re.findall(r'\sid="([^"]+)"', "".join(PAGES.values())))
    styles = "".join(path.read_text(encoding="utf-8") for path in FILES if path.suffix == ".css")
    selectors = "".join(re.findall(r"[^;{}]*\{", styles))
    assert set(re.findall(r"#([a-z-]+)", selectors)) <= ids


def test_every_file_that_a_page_loads_is_there_and_every_module_is_its_own_once() -> None:
    for name, page in PAGES.items():
        loaded = re.findall(r'(?:src|href)="([^"#]+)"', page.replace('"./', '"index.html'))
        documents = {f"documents/{name}" for name in DOCUMENTS}
        files = {file.partition("#")[0] for file in loaded} - documents
        missing = [file for file in files if not (SITE / file).is_file()]
        assert missing == [], name
        scripts = re.findall(r"<(?:script|link rel=.modulepreload.)[^>]*>", page)
        assert len(scripts) == len(set(scripts)) >= 1, name


def test_every_module_is_used_by_a_page() -> None:
    used = {path for page in PAGES.values() for path in modules_of(page)}
    workers = {path for path in FILES if path.name.endswith("worker.js")}
    used |= {module for worker in workers for module in follow(worker)}
    assert {path for path in FILES if path.suffix == ".js"} == used


def modules_of(page: str) -> set[Path]:
    """The modules that a page loads."""
    entry = re.findall(r'<script type="module" src="([^"]+)"', page)
    return {path for name in entry for path in follow(SITE / name)}


def follow(module: Path) -> set[Path]:
    """A module and all that it imports."""
    found: set[Path] = set()
    upcoming = [module]
    while upcoming:
        path = upcoming.pop().resolve()
        if path not in found:
            found.add(path)
            names = map("".join, IMPORT.findall(path.read_text(encoding="utf-8")))
            upcoming += [path.parent / name for name in names]
    return found
