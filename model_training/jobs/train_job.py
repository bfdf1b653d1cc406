"""The script that a training job starts, at the root of the job's source archive.

SageMaker's training toolkit, in AWS's PyTorch images, runs a file and not a module, under torchrun
where a job has several processes. A job's failure reason is what stands on stderr from the first
line that holds the name of one of Python's own exceptions; other last words are lost.
"""

from __future__ import annotations

import sys

from model_training.errors import ReeltoneError
from model_training.training.__main__ import main

if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ReeltoneError as error:
        sys.exit(f"RuntimeError: {error}")
