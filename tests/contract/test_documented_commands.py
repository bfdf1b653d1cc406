"""Every command of the documentation, as far as it can be run for nothing: the program that it is
for understands its words. What needs hours, an account or Docker stops there; the package is
installed where nothing else is, and used as documented."""

from __future__ import annotations

import ast
import csv
import inspect
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import warnings
from argparse import ArgumentParser
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import botocore.session
import pytest
from botocore import xform_name

from model_training.recipes.recipe import load_recipe, read_words
from tests.commands import (
    DOCUMENTS,
    PROGRAMS,
    ROOT,
    Command,
    find_commands,
    find_scripts,
    is_template,
)
from tests.needs import need

SAM = os.environ.get("SAM") or shutil.which("sam")
ELSEWHERE = {
    "curl": "tests/contract/test_api_contract.py sends it to the API",
    "export": "the shell's own",
    "git": "not about this project",
    "cat": "the shell's own",
    **dict.fromkeys(("pip", "reeltone"), "the package's test below runs it"),
    **dict.fromkeys(("gcloud", "az"), "another provider's program, which needs an account"),
    "output()": "a function of the shell",
    "}": "its end",
}
AWS_OF_ITS_OWN = {
    ("logs", "tail"),
    ("configure", "get"),
    ("ecr", "get-login-password"),
    ("cloudformation", "deploy"),
    ("s3", "cp"),
}
"""Commands of the AWS CLI that are no operation of a service."""
AWS_EVERYWHERE = {
    "--endpoint-url",
    "--no-sign-request",
    "--output",
    "--profile",
    "--query",
    "--region",
}
"""Options that each command of the AWS CLI takes."""
FOLDERS = ("benchmarks/", "docs/", "events/", "frontend/", "model_training/", "tests/")
PATHS = 'export PATH="$PWD/.venv/bin:$PWD/.venv-sam/bin:$PATH"'
"""A document with this at its top may leave out where python and sam are."""

COMMANDS = {str(command).partition(": ")[2]: command for command in find_commands()}
CALLS = {
    text: command
    for text, command in COMMANDS.items()
    if not is_template(command) and "=" not in command.words[0]
}


def calls_of(*programs: str) -> pytest.MarkDecorator:
    """A mark with the documented calls of programs by these names, wherever they are."""
    found = {t: c for t, c in CALLS.items() if Path(c.words[0]).name in programs}
    assert found
    return pytest.mark.parametrize("command", found.values(), ids=found.keys())


class Understood(BaseException):
    """A program has taken its arguments, and goes no further."""


def check_module(module: str, arguments: list[str]) -> None:
    """``python -m module …``: the module's own parser takes the arguments."""
    parses = re.search(r"\.parse_(known_)?args\(", read_program(module))
    assert parses, f"{module} takes whatever it is given"
    expected = SystemExit if "--help" in arguments else Understood
    with (
        mock.patch.object(ArgumentParser, "parse_args", stop_after(ArgumentParser.parse_args)),
        mock.patch.object(
            ArgumentParser, "parse_known_args", stop_after(ArgumentParser.parse_known_args)
        ),
        mock.patch.object(sys, "argv", [module, *arguments]),
        warnings.catch_warnings(action="ignore"),  # the module was imported before
        pytest.raises(expected),
    ):
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def stop_after(parse: Callable[..., Any]) -> Callable[..., Any]:
    """``parse`` of a program's parser; those of its commands are called on the way."""

    def stop(parser: ArgumentParser, args: Any = None, namespace: Any = None) -> Any:
        if sys._getframe(1).f_globals["__name__"] == "argparse":
            return parse(parser, args, namespace)
        found = parse(parser, args, namespace)
        if isinstance(found, tuple):  # what is left are a recipe's name and settings
            name, overrides = read_words(found[1])
            load_recipe(name or "modern", overrides)
        raise Understood

    return stop


def read_program(module: str) -> str:
    """The code that has a program's main."""
    package = (ROOT / module.replace(".", "/") / "__main__.py").exists()
    main = import_module(f"{module}.__main__" if package else module).main
    return Path(inspect.getfile(main)).read_text(encoding="utf-8")


@calls_of("python")
def test_a_program_understands_its_documented_arguments(command: Command) -> None:
    module, *arguments = command.words[command.words.index("-m") + 1 :]
    check_module(module, arguments)


@calls_of("make")
def test_make_has_the_target_and_its_programs_understand_what_they_get(command: Command) -> None:
    dry = subprocess.run(
        ["make", "--dry-run", *command.words[1:]], cwd=ROOT, capture_output=True, text=True
    )
    assert dry.returncode == 0, dry.stderr
    for call in re.findall(r"/python -m ((?:model|local|bench|check|tests)[^|\n]*)", dry.stdout):
        module, *arguments = call.split()
        check_module(module, arguments)


@pytest.mark.parametrize(
    ("documented", "said"),
    [
        (
            "make jobs ARGS=train modern --dry-run",
            r"cost: .*, \$\d\.\d\d an hour .*",
        ),
        ("python -m model_training.jobs cost", "US dollars an hour, .*"),
    ],
)
def test_what_costs_nothing_is_run_by_somebody_without_an_account(
    documented: str, said: str, tmp_path: Path
) -> None:
    words = CALLS[documented].words
    if words[0] == "make":
        arguments = shlex.split(words[2].removeprefix("ARGS="))
        words = ("python", "-m", "model_training.jobs", *arguments)
    ran = subprocess.run(
        [sys.executable, *words[1:]],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.fullmatch(said, ran.stdout.splitlines()[0])


def sam_options() -> dict[tuple[str, ...], list[str]]:
    """All documented options by the command of sam that they are given to: starting it is slow."""
    found: dict[tuple[str, ...], list[str]] = {}
    for command in CALLS.values():
        if Path(command.words[0]).name == "sam":
            end = 3 if command.words[1] in ("local", "remote") else 2
            found.setdefault(command.words[1:end], []).extend(command.words[end:])
    return found


@pytest.mark.parametrize(("names", "options"), sam_options().items(), ids=lambda w: " ".join(w[:2]))
def test_sam_understands_its_documented_options(names: tuple[str, ...], options: list[str]) -> None:
    need(SAM is not None, "there is no sam: make sam installs it, or set SAM to its path")
    # Help comes after all options were read: one that does not exist is an error.
    run_help(str(SAM), *names, *options, "--help")


@calls_of("docker")
def test_docker_understands_its_documented_arguments(command: Command) -> None:
    need(shutil.which("docker") is not None, "docker is not on PATH")
    program, subcommand, *rest = command.words
    if subcommand == "buildx":
        program, subcommand, *rest = [find_buildx(), *rest]
    run_help(program, subcommand, "--help", *rest)


def find_buildx() -> str:
    """The program that is docker's plugin, which runs on its own, too."""
    folders = [Path.home() / ".docker/cli-plugins"]
    folders += [
        Path(root, folder, "docker/cli-plugins")
        for root in ("/usr", "/usr/local")
        for folder in ("lib", "libexec")
    ]
    path = os.pathsep.join([os.environ["PATH"], *map(str, folders)])
    found = shutil.which("docker-buildx", path=path)
    need(found is not None, "docker has no buildx, which is a plugin")
    return str(found)


def run_help(*command: str) -> None:
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@calls_of("aws")
def test_aws_has_the_operation_and_its_options(command: Command) -> None:
    _, service, operation, *rest = command.words
    if (service, operation) in AWS_OF_ITS_OWN:
        return
    model = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[operation]).input_shape
    known = {f"--{xform_name(name, '-')}" for name in shape.members} | AWS_EVERYWHERE
    assert {word for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("command", CALLS.values(), ids=CALLS.keys())
def test_every_documented_program_is_tried_and_every_path_is_there(command: Command) -> None:
    assert Path(command.words[0]).name in {"python", "make", "sam", "docker", "aws", *ELSEWHERE}
    for path in " ".join(word.rpartition("=")[2] for word in command.words).split():
        assert not path.startswith(FOLDERS) or (ROOT / path).exists(), path


@pytest.mark.parametrize("script", find_scripts().items(), ids=lambda script: script[0])
def test_a_documented_script_is_one_that_the_shell_can_read(script: tuple[str, str]) -> None:
    read = subprocess.run(["bash", "-n"], input=script[1], capture_output=True, text=True)
    assert read.returncode == 0, read.stderr


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_says_where_its_programs_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    bare = re.findall(r"^(?:python|sam) .*|`python -m [^`]+`", text, re.M)
    assert PATHS in text or bare == []


def test_what_programs_say_of_others_can_be_typed() -> None:
    bare = re.compile(r"(?<!/)\bpython -m (?:model|bench|check|local)")
    for path in PROGRAMS:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.keyword)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in names:
                assert not bare.search(str(node.value)), f"{path}:{node.lineno}"


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
