"""NLTK's PorterStemmer without the rest of NLTK."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType


@cache
def porter_stem() -> Callable[[str], str]:
    """Give ``PorterStemmer().stem``.

    ``import nltk`` loads a hundred modules (390 ms, measured) of which the stemmer needs two
    (25 ms), and packages that a function should not carry. So the packages around the two are
    entered without running their ``__init__``, unless somebody has imported NLTK already; and they
    are left behind, so that whoever imports NLTK later gets all of it.

    Raises:
        ModuleNotFoundError: nltk is not installed.
    """
    is_whole = "nltk" in sys.modules
    if not is_whole:
        spec = importlib.util.find_spec("nltk")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError("Porter stems need the package nltk", name="nltk")
        _enter_packages(Path(spec.origin).parent)
    from nltk.stem.porter import PorterStemmer

    if not is_whole:
        for name in [name for name in sys.modules if name.partition(".")[0] == "nltk"]:
            del sys.modules[name]
    return PorterStemmer().stem  # type: ignore[no-any-return]


def _enter_packages(folder: Path) -> None:
    for name, path in (("nltk", folder), ("nltk.stem", folder / "stem")):
        package = ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package
