"""Every command of the documentation, as far as it can be run for nothing: the program that it is
for understands its words. What needs hours, an account or Docker stops there."""

from __future__ import annotations

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
from tests.commands import DOCUMENTS, ROOT, Command, find_commands, find_scripts, is_template
from tests.needs import need

SAM = os.environ.get("SAM") or shutil.which("sam")
ELSEWHERE = {
    "curl": "tests/contract/test_api_contract.py sends it to the API",
    "export": "the shell's own",
    "git": "not about this project",
    "cat": "the shell's own",
    **dict.fromkeys(("pip", "reeltone"), "tests/contract/test_package.py runs it"),
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
