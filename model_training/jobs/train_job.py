"""The script that a training job starts, at the root of the job's source archive.

SageMaker's training toolkit, in AWS's PyTorch images, runs a file and not a module, under torchrun
where a job has several processes. What an error says on stderr becomes the job's failure reason.
"""

from __future__ import annotations

import sys

from model_training.errors import ReeltoneError
from model_training.files import run_command
from model_training.training.classifier import main

if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
