"""One target under atheris: python -m tests.fuzz.one modern_text PROGRAM [options of libFuzzer]

libFuzzer starts PROGRAM again to minimise a corpus, so that must run this very command.
"""

from __future__ import annotations

import os
import sys

import atheris

# The function's log of a million requests is nothing to keep.
os.environ |= {"POWERTOOLS_LOG_LEVEL": "CRITICAL", "POWERTOOLS_METRICS_DISABLED": "true"}
FUNCTION = ["app", "body", "endpoint", "errors"]
WATCHED = ["review_text", "model_training.serving", *FUNCTION]

with atheris.instrument_imports(include=WATCHED):
    from tests.fuzz.targets import TARGETS, limit_inputs, limit_search


def main() -> None:
    """Search until libFuzzer's options say stop; an input that breaks a rule ends the search."""
    atheris.Setup(sys.argv[2:], limit_inputs(TARGETS[sys.argv[1]]))
    limit_search()
    atheris.Fuzz()


if __name__ == "__main__":
    main()
