"""The licence check: what a package says, and what is made of it."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

import pytest

from checks import licences
from checks.licences import find_faults, find_licence, is_allowed, read_rules
from checks.pins import read_pins

RULES = read_rules()


def install(folder: Path, name: str, *headers: str) -> Path:
    """A package of that name with these metadata, in ``folder``/lib/python3.x/site-packages."""
    site = folder / "lib" / "python3.11" / "site-packages"
    about = site / f"{name.replace('-', '_')}-1.0.dist-info"
    about.mkdir(parents=True)
    lines = ["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *headers]
    (about / "METADATA").write_text("\n".join(lines) + "\n")
    return site


def licence(tmp_path: Path, *headers: str, name: str = "sample") -> str:
    [package] = distributions(path=[str(install(tmp_path, name, *headers))])
    return find_licence(package, RULES)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (["License-Expression: MIT AND PSF-2.0"], "MIT AND PSF-2.0"),
        (["License-Expression: MIT", "Classifier: License :: OSI Approved :: BSD License"], "MIT"),
        (["Classifier: License :: OSI Approved :: BSD License"], "BSD-3-Clause"),
        (["Classifier: License :: DFSG approved", "License: MIT"], "MIT"),
        (["License: 3-Clause BSD License"], "BSD-3-Clause"),
        (["License: GPL-3.0-only"], "GPL-3.0-only"),
        ([], ""),
    ],
)
def test_a_licence_is_read_wherever_it_stands(
    tmp_path: Path, headers: list[str], found: str
) -> None:
    assert licence(tmp_path, *headers) == found


def test_a_licence_that_was_looked_up_counts_under_any_spelling_of_the_name(tmp_path: Path) -> None:
    assert licence(tmp_path, name="axe_playwright.Python") == "MIT"


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-only OR MIT", True),
        ("(MIT)", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("MPL-2.0", False),
        ("", False),
        ("AND", False),
    ],
)
def test_an_expression_is_allowed_if_one_alternative_is_wholly(
    expression: str, allowed: bool
) -> None:
    assert is_allowed(expression, RULES.shipped) is allowed


def test_what_is_not_allowed_is_named_with_its_licence(tmp_path: Path) -> None:
    site = install(tmp_path, "bound", "License-Expression: GPL-3.0-only")
    install(tmp_path, "mute")
    install(tmp_path, "free", "License-Expression: MIT")
    packages = distributions(path=[str(site)])
    assert find_faults(packages, RULES, RULES.shipped) == [
        "bound 1.0: GPL-3.0-only",
        "mute 1.0: no licence that can be read",
    ]


def test_a_copyleft_tool_is_a_tool_and_must_not_ship(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path, "free", "License-Expression: MIT")
    licences.main([str(tmp_path)])
    assert "1 packages that ship and " in capsys.readouterr().out
    install(tmp_path, "bound", "License-Expression: MPL-2.0")
    with pytest.raises(SystemExit, match=r"bound 1\.0: MPL-2\.0"):
        licences.main([str(tmp_path)])


def test_an_environment_without_packages_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="there is no package in"):
        licences.main([str(tmp_path)])


def test_pins_come_from_both_files_each_once() -> None:
    pins = read_pins()
    assert pins["torch"] == "2.13.0"  # pyproject.toml
    assert pins["libcst"] == "1.9.0"  # constraints.txt
    assert pins["moto"] == "5.2.5"  # with extras there
    assert pins["aws-lambda-powertools"] == "3.37.0"  # with underscores there
