"""A word that no log may hold, and every form in which it might turn up there."""

from __future__ import annotations

import base64
from urllib.parse import quote

CANARY = "Kanarienvögelchen"
"""Not in any vocabulary, and not in ASCII, so that encodings have something to change."""

_PART = "Kanarienv"  # what is left of it where an encoding breaks the rest


def traces() -> dict[str, str]:
    """Each form by its name; those of text are compared without regard to case."""
    encoded = CANARY.encode()
    return {
        "text": _PART,
        "wide text": "\0".join(_PART),
        "percent": quote(CANARY)[len(_PART) :],
        "percent, all of it": "".join(f"%{byte:02x}" for byte in _PART.encode()),
        "JSON": "".join(f"\\u{ord(letter):04x}" for letter in _PART),
        "entities": "".join(f"&#{ord(letter)};" for letter in _PART),
        "hexadecimal": _PART.encode().hex(),
        "ids": repr(list(_PART.encode()))[1:-1],
        # Where a text starts in groups of three bytes decides how Base64 writes it.
        **{f"Base64 at {at}": _base64_core(encoded, at) for at in range(3)},
        **{f"Base64 of UTF-16 at {at}": _base64_core(_wide(), at) for at in range(3)},
    }


def find_traces(output: str) -> list[str]:
    """The names of the forms in which the canary is in ``output``."""
    lowered = output.lower()
    return [
        name
        for name, form in traces().items()
        if (form in output if name.startswith("Base64") else form.lower() in lowered)
    ]


def _wide() -> bytes:
    return CANARY.encode("utf-16-le")


def _base64_core(content: bytes, at: int) -> str:
    """The letters that Base64 has for ``content`` whatever stands before and after it."""
    written = base64.b64encode(b"x" * at + content).decode()
    return written[4 if at else 0 : -4]
