"""The package as somebody gets it: installed where nothing else is, and used as documented."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import ROOT, find_scripts
from tests.needs import need

DOCUMENT = (ROOT / "docs/package.md").read_text(encoding="utf-8")
INSTALL, *SCRIPTS = [text for where, text in find_scripts().items() if "package.md" in where]
[PROGRAM] = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
OLDEST, NEWEST = "3.11", "3.13"
REVIEWS = ["A wonderful, moving film.", "Dull and far too long."]


def find_python(version: str) -> str:
    """The interpreter of that version, on PATH or among pyenv's."""
    if sys.version.startswith(version):
        return sys.executable
    folders = [*Path.home().glob(f".pyenv/versions/{version}.*/bin"), os.environ["PATH"]]
    found = shutil.which(f"python{version}", path=os.pathsep.join(map(str, folders)))
    # A version manager has a command for each version, and some of them only say what is missing.
    runs = (
        found is not None and not subprocess.run([found, "-c", ""], capture_output=True).returncode
    )
    need(runs, f"there is no Python {version} that runs")
    return str(found)


def run(*command: str, folder: Path, environment: Path) -> str:
    """Run a command as in an activated environment, which sees nothing of this one."""
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ran = subprocess.run(
        command, cwd=folder, env=own | {"PATH": path}, capture_output=True, text=True, timeout=240
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git has of the project, with what is changed: a build leaves files where it is."""
    folder = tmp_path_factory.mktemp("source")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_documented_command_works_in_a_fresh_environment(
    version: str, source: Path, tmp_path: Path
) -> None:
    environment, here = tmp_path / "fresh", tmp_path / "here"
    here.mkdir()
    with (here / "reviews.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "text"], ["1", REVIEWS[0]], ["2", REVIEWS[1]]])
    subprocess.run(["gzip", "--keep", "reviews.csv"], cwd=here, check=True)
    subprocess.run([find_python(version), "-m", "venv", str(environment)], check=True)
    run("bash", "-euc", INSTALL, folder=source, environment=environment)
    listed = run("pip", "list", "--format=freeze", folder=here, environment=environment)
    assert not re.search(r"(?mi)^(boto|torch|uvicorn|nltk|aws)", listed), listed
    for script in SCRIPTS:
        run("bash", "-euc", script, folder=here, environment=environment)
    with (here / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == REVIEWS
    assert [row["sentiment"] for row in rows] == ["positive", "negative"]
    said = run("python", "-c", PROGRAM, folder=here, environment=environment)
    assert re.match(r"(positive|mixed|unclear) 0\.\d+\nnegative 0\.\d+\n0 3 -?\d", said)
    typed = "import reeltone, pathlib; print(pathlib.Path(reeltone.__file__).with_name('py.typed'))"
    marker = run("python", "-c", typed, folder=here, environment=environment)
    assert Path(marker.strip()).is_file()
