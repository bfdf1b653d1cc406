"""The canary is found in whatever form a log might hold it."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from tests.canary import CANARY, find_traces

WIDE = CANARY.encode("utf-16-le")


@pytest.mark.parametrize(
    ("output", "form"),
    [
        (f"KeyError: '{CANARY.upper()}'", "text"),
        (repr(CANARY.encode()), "text"),
        (WIDE.decode("latin-1"), "wide text"),
        (json.dumps({"review": CANARY}), "text"),
        ('{"review": "' + "".join(f"\\u{ord(c):04X}" for c in CANARY), "JSON"),
        ("".join(f"%{byte:02X}" for byte in CANARY.encode()), "percent, all of it"),
        (f"GET /?{quote(CANARY)}", "percent"),
        ("".join(f"&#{ord(c)};" for c in CANARY), "entities"),
        (CANARY.encode().hex(), "hexadecimal"),
        (str(list(CANARY.encode())), "ids"),
        (base64.b64encode(f'{{"review": "{CANARY} film"}}'.encode()).decode(), "Base64 at 0"),
        (base64.b64encode(f"x{CANARY}!".encode()).decode(), "Base64 at 1"),
        (base64.b64encode(f"xy{CANARY}?".encode()).decode(), "Base64 at 2"),
        (base64.b64encode(b"\xff\xfe" + WIDE).decode(), "Base64 of UTF-16 at 2"),
    ],
)
def test_the_canary_is_found(output: str, form: str) -> None:
    assert form in find_traces(f"a line before\n{output}\na line after")


def test_an_ordinary_log_holds_no_canary() -> None:
    assert (
        find_traces('{"level": "INFO", "message": "request", "status": 200, "ids": [1, 2]}') == []
    )
