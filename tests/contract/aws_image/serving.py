"""Starts model_training/aws_serving.py as AWS's image would, on today's Python.

It runs in an environment of its own (requirements.txt here), never in that of the tests.
"""

from __future__ import annotations

import collections.abc
import sys
from types import ModuleType

# The package is of 2020 and inherits from collections.Mapping, which is in collections.abc now:
# AWS's image carries this change as a patch of its _mapping.py.
vars(collections)["Mapping"] = collections.abc.Mapping
# Its C extension is imported with everything else, but only training on several machines calls it.
sys.modules["gethostname"] = ModuleType("gethostname")

from aws_serving import main  # noqa: E402

__all__ = ["main"]
