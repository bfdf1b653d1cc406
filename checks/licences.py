"""Which licences the packages come under, against checks/licences.toml.

    python -m checks.licences .venv-ships

looks at two sets: what is shipped (the environment that is named) and what the project is worked on
with (this one, as far as constraints.txt and pyproject.toml ask for it).
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from checks.pins import normalise, read_pins

RULES = Path(__file__).with_name("licences.toml")

# Words of a licence expression that are no licences (SPDX 2.3, annex D).
_OPERATORS = {"AND", "OR", "WITH"}


@dataclass(frozen=True)
class Rules:
    """What may be used for what."""

    shipped: frozenset[str]
    """Licences of what leaves this machine."""
    tools: frozenset[str]
    """Licences of what the project is only worked on with, besides."""
    spellings: Mapping[str, str]
    """How packages of the time before SPDX spell a licence → its SPDX identifier."""
    looked_up: Mapping[str, str]
    """Package → licence, where the package itself does not say it in a form to be read."""


def read_rules(path: Path = RULES) -> Rules:
    """The rules of a file."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return Rules(
        frozenset(content["shipped"]),
        frozenset(content["tools"]),
        content["spellings"],
        {normalise(name): licence for name, licence in content["looked-up"].items()},
    )


def find_licence(package: Distribution, rules: Rules) -> str:
    """A package's licence as an SPDX expression; empty where it cannot be told."""
    name = normalise(package.metadata["Name"])
    if name in rules.looked_up:
        return rules.looked_up[name]
    # Not every kind of metadata has every field, and Message gives None for what it has not.
    about: Any = package.metadata
    if expression := about.get("License-Expression"):
        return str(expression)
    classifiers = [str(value) for value in about.get_all("Classifier") or ()]
    named = [value.rpartition(" :: ")[2] for value in classifiers if value.startswith("License")]
    known = [rules.spellings[value] for value in named if value in rules.spellings]
    if known:
        return " AND ".join(known)  # or OR, which classifiers cannot say
    line = str(about.get("License") or "").partition("\n")[0].strip()
    return rules.spellings.get(line, line)


def is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """Whether one of the alternatives (OR) consists of allowed licences alone."""
    plain = expression.replace("(", " ").replace(")", " ")
    alternatives = re.split(r"\s+OR\s+", plain)
    return any(
        bool(words := [word for word in part.split() if word not in _OPERATORS])
        and allowed.issuperset(words)
        for part in alternatives
    )


def find_faults(
    packages: Iterable[Distribution], rules: Rules, allowed: frozenset[str]
) -> list[str]:
    """A line for each package whose licence is not allowed or not known."""
    faults = []
    for package in packages:
        licence = find_licence(package, rules)
        if not is_allowed(licence, allowed):
            name, version = package.metadata["Name"], package.version
            faults.append(f"{name} {version}: {licence or 'no licence that can be read'}")
    return sorted(faults)


def main(arguments: Sequence[str]) -> None:
    """Print what is not allowed, and fail if there is any."""
    [environment] = arguments
    folders = [str(path) for path in Path(environment).glob("lib/python*/site-packages")]
    rules = read_rules()
    shipped = list(distributions(path=folders))
    if not shipped:
        sys.exit(f"licences: there is no package in {environment}")
    wanted = read_pins().keys()
    tools = [package for package in distributions() if normalise(package.name) in wanted]
    faults = find_faults(shipped, rules, rules.shipped)
    faults += find_faults(tools, rules, rules.shipped | rules.tools)
    if faults:
        sys.exit("licences that checks/licences.toml does not allow:\n" + "\n".join(faults))
    print(f"licences: {len(shipped)} packages that ship and {len(tools)} to work with are allowed")


if __name__ == "__main__":
    main(sys.argv[1:])
