"""``python -m model_training.training``: see classifier.py."""

from __future__ import annotations

import sys

from model_training.errors import ReeltoneError
from model_training.files import run_command
from model_training.training.classifier import main

if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
