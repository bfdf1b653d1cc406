"""Tokens of whole reviews, as the peers count them."""

from __future__ import annotations

from review_text import CLASSIC, MODERN
from review_text.tokens import find_surfaces, make_normalise

normalise_modern = make_normalise(MODERN)
_normalise_classic = make_normalise(CLASSIC)


def modern(text: str) -> list[str]:
    """The tokens of the shipped model, of the whole review."""
    return [normalise_modern(surface) or "" for surface in find_surfaces(text, MODERN)]


def classic(text: str) -> list[str]:
    """Stems without stop words and punctuation, of the whole review."""
    words = map(_normalise_classic, find_surfaces(text, CLASSIC))
    return [word for word in words if word is not None]
