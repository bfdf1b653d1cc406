"""An explanation for a terminal: the review in colour, and the words that did most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_FOR = (22, 28, 34)
"""Numbers among the 256 colours, from a little to much."""
_AGAINST = (94, 130, 166)
_STRONG, _LITTLE = 0.5, 0.08
"""Shares of the strongest effect in the review; a word with less than a little is left plain."""
_LISTED = 5


def show_explanation(review: str, answer: dict[str, Any], in_colour: bool) -> str:
    """Show an answer of the API with reasons. A word's effect is how much the logit loses without
    it; above 0 it speaks for the film."""
    words: list[dict[str, Any]] = answer["words"]
    # A review is shown, not obeyed: it may hold what a terminal takes for a command.
    review = "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in review)
    head = f"{answer['verdict']}: {answer['sentiment']} with {answer['confidence']:.1%}"
    text = _colour(review, words) if in_colour else review
    lines = [head, "", text, ""]
    for name, sign in (("for the film", 1), ("against it", -1)):
        strongest = _pick(words, sign)
        if strongest:
            shown = (
                f"{review[word['start'] : word['end']]} {word['effect']:+.2f}" for word in strongest
            )
            lines.append(f"{name}: {', '.join(shown)}")
    if answer["truncated"]:
        lines.append("The review is longer than what the model reads: its middle was left out.")
    return "\n".join(lines)


def _pick(words: Sequence[dict[str, Any]], sign: int) -> list[dict[str, Any]]:
    ours = [word for word in words if word["effect"] * sign > 0.005]
    return sorted(ours, key=lambda word: -abs(word["effect"]))[:_LISTED]


def _colour(review: str, words: Sequence[dict[str, Any]]) -> str:
    most = max((abs(word["effect"]) for word in words), default=0.0)
    parts, at = [], 0
    for word in words:
        share = abs(word["effect"]) / most if most else 0.0
        start = max(at, word["start"])  # several tokens may stand in one place
        parts.append(review[at:start])
        piece, at = review[start : word["end"]], max(at, word["end"])
        colours = _FOR if word["effect"] > 0 else _AGAINST
        level = (share >= _LITTLE) + (share >= 0.25) + (share >= _STRONG)
        if level and piece:
            piece = f"\x1b[97;48;5;{colours[level - 1]}m{piece}\x1b[0m"
        parts.append(piece)
    return "".join(parts) + review[at:]
