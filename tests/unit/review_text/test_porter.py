"""NLTK's stemmer without the rest of NLTK."""

from __future__ import annotations

import importlib
import importlib.util
import sys

import pytest

from review_text.porter import porter_stem


@pytest.fixture
def no_nltk(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not imported any of it."""
    for name in loaded():
        monkeypatch.delitem(sys.modules, name)


def loaded() -> set[str]:
    return {name for name in sys.modules if name.partition(".")[0] == "nltk"}


@pytest.mark.usefixtures("no_nltk")
def test_a_new_process_runs_two_modules_of_nltk_and_may_import_all_of_it_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sought: set[str] = set()

    class Finder:
        def find_spec(self, name: str, *_: object) -> None:
            sought.add(name)

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    stem = porter_stem.__wrapped__()
    assert (stem("movies"), stem("dramatized")) == ("movi", "dramat")
    found = {name for name in sought if name.partition(".")[0] == "nltk"}
    assert found == {"nltk", "nltk.stem.api", "nltk.stem.porter"}
    assert loaded() == set()
    assert importlib.import_module("nltk").__version__


def test_a_process_that_has_nltk_keeps_it() -> None:
    porter_stem()
    before = {name: sys.modules[name] for name in loaded()}
    assert porter_stem.__wrapped__()("movies") == "movi"
    assert {name: sys.modules[name] for name in loaded()} == before


@pytest.mark.usefixtures("no_nltk")
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError) as caught:
        porter_stem.__wrapped__()
    assert str(caught.value) == "Porter stems need the package nltk"
    assert caught.value.name == "nltk"
