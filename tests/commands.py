"""The commands of the documentation: what they send, and whether they would run."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = [
    path
    for folder in ("benchmarks", "checks", "local_stack", "model_training")
    for path in sorted((ROOT / folder).rglob("*.py"))
]

_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_INLINE = re.compile(r"(?<!`)`((?:make|sam|python|\.venv[\w-]*/bin/\w+)\s[^`]+)`")
_IN_DOCSTRING = re.compile(r"(?:^ {4}|: )((?:\S*/)?(?:python -m|make) [a-z].*)$", re.MULTILINE)
_PLACEHOLDERS = {"BUNDLE", "SIZE", "URL"}


@dataclass(frozen=True)
class Command:
    """One program's call, as words; ``where`` it is documented."""

    words: tuple[str, ...]
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {' '.join(self.words)}"


@dataclass(frozen=True)
class Request:
    """What a command sends."""

    method: str
    path: str
    body: str
    headers: dict[str, str]


def find_scripts() -> dict[str, str]:
    """All shell blocks of the documents by where they begin."""
    scripts = {}
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for block in _BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            scripts[f"{path.name}:{line}"] = block[1]
    return scripts


def find_commands() -> Iterator[Command]:
    """All commands of the documents and of the programs' docstrings."""
    for where, script in find_scripts().items():
        yield from split_script(script, where)
    for path in DOCUMENTS:
        for inline in _INLINE.findall(path.read_text(encoding="utf-8")):
            yield from split_script(inline.replace("\n", " "), path.name)
    for path in PROGRAMS:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")), clean=False) or ""
        for line in _IN_DOCSTRING.findall(text):
            # What the command does stands behind it, after some room.
            yield from split_script(re.split(r" {3,}", line)[0], str(path.relative_to(ROOT)))


def split_script(script: str, where: str) -> Iterator[Command]:
    """The calls of a script of lines, lists (&&, ;) and pipes."""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if not set(word) <= set("&|;<>"):
                words.append(word)
            elif words and word != "<":  # what stands behind it is a file that is read
                yield Command(tuple(words), where)
                words = []


def is_template(command: Command) -> bool:
    """Whether a reader must put something in the place of a word first."""
    return any(word in _PLACEHOLDERS or "…" in word for word in command.words)


def read_curl(command: str) -> Request:
    """The request of a command to the local stack; ``command`` may go over several lines."""
    curl, _, url, *options = shlex.split(command.replace("\\\n", " "))
    assert (curl, url[:26]) == ("curl", "http://127.0.0.1:8000/api/")
    given = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(value.split(": ", 1) for name, value in given if name == "-H")
    bodies = [value for name, value in given if name in ("-d", "--data-binary")]
    body = bodies[0] if bodies else ""
    return Request("POST" if bodies else "GET", urlsplit(url).path, body, headers)
