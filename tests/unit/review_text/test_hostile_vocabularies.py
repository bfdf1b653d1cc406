"""A vocabulary that somebody else made is read as it should be, or refused with its fault named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from review_text import MODERN, VocabularyError, load_vocabulary, vocabulary

SETTINGS = MODERN.to_dict()


def refusal(path: Path, content: Any) -> str:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(json.dumps(content))
    with pytest.raises(VocabularyError) as caught:
        load_vocabulary(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b'{"a": ' * 100_000, b"[" * 100_000, b"1" * 5_000],
    ids=["empty", "cut", "no text", "deep object", "deep array", "endless number"],
)
def test_what_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path / "vocabulary.json", content).startswith("not JSON: ")


@pytest.mark.parametrize(
    "content",
    [
        [],
        None,
        3,
        "text",
        {},
        {"settings": SETTINGS},
        {"settings": SETTINGS, "words": "film"},
        {"settings": SETTINGS, "words": {"film": 2}},
        {"settings": SETTINGS, "words": None},
        {"settings": SETTINGS, "words": 3},
        {"settings": SETTINGS, "words": ["film", 3]},
        {"settings": SETTINGS, "words": ["film", None]},
        {"settings": SETTINGS, "words": ["film", "film"]},
        {"settings": SETTINGS, "words": ["half a character: \ud800"]},
        {"settings": None, "words": []},
        {"settings": [], "words": []},
        {"settings": [*SETTINGS], "words": []},
        {"settings": "tokens", "words": []},
    ],
)
def test_what_is_json_and_no_vocabulary_is_refused(tmp_path: Path, content: Any) -> None:
    assert refusal(tmp_path / "vocabulary.json", content).startswith("not a vocabulary: ")


@pytest.mark.parametrize("name", sorted(SETTINGS))
@pytest.mark.parametrize(
    "value", [None, True, -1, 1.5, 10**400, "x", [], {}], ids=lambda value: str(value)[:10]
)
def test_a_setting_that_cannot_be_is_named(tmp_path: Path, name: str, value: Any) -> None:
    content = {"settings": SETTINGS | {name: value}, "words": []}
    assert f"not a vocabulary: {name} = " in refusal(tmp_path / "v.json", content)


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vocabulary.json"
    content = json.dumps({"settings": SETTINGS, "words": ["film"]}).encode()
    monkeypatch.setattr(vocabulary, "_MOST_BYTES", len(content) - 1)
    assert refusal(path, content) == f"{len(content)} bytes; at most {len(content) - 1} are read"
    monkeypatch.setattr(vocabulary, "_MOST_BYTES", len(content))
    assert load_vocabulary(path).words == ("film",)
