"""The list of packages in what `sam build` has built, in CycloneDX's JSON.

    .venv/bin/python -m checks.sbom .aws-sam/build --output build/sbom.json

It is read from what will be uploaded: each package's own metadata, in the folders of functions and
layer and in the models' archives, which carry onnxruntime for the endpoint. So it cannot say
anything else than what ships.
"""

from __future__ import annotations

import argparse
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from checks.pins import ROOT, normalise

_INFO = ".dist-info"


def find_packages(build: Path) -> Iterator[tuple[str, Distribution]]:
    """Find what is in a folder of `sam build`: a path below it, or an archive's, and the package
    there.

    Packages of an archive are read from a temporary copy of their metadata, so use each before
    asking for the next.
    """
    for folder in sorted(build.rglob(f"*{_INFO}")):
        yield folder.parent.relative_to(build).as_posix(), PathDistribution(folder)
    for archive in sorted(build.rglob("*.tar.gz")):
        place = archive.relative_to(build).as_posix()
        with tempfile.TemporaryDirectory() as copy, tarfile.open(archive) as entries:
            members = [entry for entry in entries if f"{_INFO}/" in entry.name]
            entries.extractall(copy, members, filter="data")
            for folder in sorted(Path(copy).rglob(f"*{_INFO}")):
                yield place, PathDistribution(folder)


def describe(build: Path) -> Bom:
    """Describe the list: one component a package and version, with the places where it is.

    Raises:
        ValueError: there is no package, or one that does not say its name and version.
    """
    licences = LicenseFactory()
    components: dict[tuple[str, str], Component] = {}
    for place, package in find_packages(build):
        about: Any = package.metadata  # typed as a mapping without get()
        if not (about["Name"] and about["Version"]):
            raise ValueError(f"{place} has a package that does not say its name and version")
        name, version = normalise(about["Name"]), about["Version"]
        licence = about.get("License-Expression") or about.get("License") or "not stated"
        component = components.setdefault(
            (name, version),
            Component(
                name=name,
                version=version,
                bom_ref=f"{name}=={version}",
                type=ComponentType.LIBRARY,
                purl=PackageURL("pypi", None, name, version),
                licenses=[licences.make_from_string(licence)],
            ),
        )
        component.properties.add(Property(name="reeltone:place", value=place))
    if not components:
        raise ValueError(f"there is no package in {build}; run make build")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    itself = Component(
        name=project["name"],
        version=project["version"],
        bom_ref=project["name"],
        type=ComponentType.APPLICATION,
    )
    bom = Bom(components=components.values(), metadata=BomMetaData(component=itself))
    bom.register_dependency(itself, components.values())
    return bom


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the list."""
    parser = argparse.ArgumentParser(prog="checks.sbom", description=__doc__)
    parser.add_argument("build", type=Path, help="the folder of sam build")
    parser.add_argument("--output", type=Path, required=True, help="the file to write")
    options = parser.parse_args(arguments)
    try:
        bom = describe(options.build)
    except ValueError as error:
        parser.error(str(error))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    JsonV1Dot6(bom).output_to_file(str(options.output), allow_overwrite=True, indent=2)
    print(f"{options.output}: {len(bom.components)} packages")


if __name__ == "__main__":
    main()
