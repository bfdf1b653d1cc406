"""Where things are kept: with the code, or below the folder that a command is run in."""

from __future__ import annotations

from pathlib import Path

MODELS = Path(__file__).with_name("models")
"""The bundles that ship, each in a folder of its name."""
SHIPPED = MODELS / "modern"
"""The one that runs, and is deployed, unless another is asked for."""
DOCS = Path(__file__).parents[1] / "docs"
RUNS = Path("runs")
"""What training and evaluation leave."""
