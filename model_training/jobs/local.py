"""A training job on this machine: the same source, options and launcher, no account and no Docker.

AWS's training toolkit, which starts jobs in AWS's PyTorch image, runs in an environment of its own
(`make toolkit`) and finds everything below one folder in place of /opt/ml.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model_training.corpus.acl_imdb import ARCHIVE_NAME
from model_training.jobs.cloud import JobError
from model_training.jobs.source import pack_source
from model_training.jobs.training import ENVIRONMENT, Machines, hyperparameters, launcher

TOOLKIT = Path(__file__).parents[2] / ".venv-toolkit"
_MODULE = "sagemaker_pytorch_container.training:main"
# No machine of that type is asked for.
_MACHINES = Machines("ml.m5.large", 1, spot=False, hours=1)
_PROCESSES = "sagemaker_mpi_num_of_processes_per_host"
_HOST = "localhost"  # any other name would be looked up until DNS knows it


def train_locally(
    recipe: str,
    overrides: Mapping[str, Any],
    data: Path,
    folder: Path,
    processes: int = 1,
    toolkit: Path = TOOLKIT,
) -> Path:
    """Run a training job below ``folder``; gives the folder of its model.

    Args:
        recipe: of model_training/recipes, by name.
        overrides: settings that differ from it.
        data: the data set's folder, with the archive or with what was prepared from it.
        folder: new for each job; stands for /opt/ml.
        processes: that train together; several are started by torchrun, as on a machine with as
            many GPUs.
        toolkit: the environment with AWS's training toolkit.

    Raises:
        JobError: there is no toolkit, or the job failed; with the reason that SageMaker would give.
    """
    start = toolkit / "bin" / "train"
    if not start.is_file():
        raise JobError(f"{start} is not there: make toolkit installs AWS's training toolkit")
    folder, data = folder.resolve(), data.resolve()
    _lay_out(folder, recipe, overrides, data, processes)
    # torchrun comes with PyTorch, which is in this program's own environment.
    places = [str(toolkit / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {
        "PATH": os.pathsep.join(places),
        "HOME": str(folder),
        "SAGEMAKER_BASE_DIR": str(folder),
        "SAGEMAKER_TRAINING_MODULE": _MODULE,
        "SAGEMAKER_REGION": "us-east-1",  # of nobody's; the toolkit asks for one
        "AWS_EC2_METADATA_DISABLED": "true",
        **ENVIRONMENT,
    }
    if subprocess.run([str(start)], cwd=folder, env=environment).returncode:
        raise JobError(f"the job failed: {_read_reason(folder / 'output' / 'failure')}")
    return folder / "model"


def _lay_out(
    folder: Path, recipe: str, overrides: Mapping[str, Any], data: Path, processes: int
) -> None:
    """Make below ``folder`` what SageMaker makes below /opt/ml."""
    channel, settings = folder / "input" / "data" / "training", folder / "input" / "config"
    for path in (channel, settings, folder / "model", folder / "output"):
        path.mkdir(parents=True)
    (channel / ARCHIVE_NAME).symlink_to(data / ARCHIVE_NAME)
    name, content = pack_source()
    (folder / name).write_bytes(content)
    places = {
        "archive": channel / ARCHIVE_NAME,
        "data-dir": data,
        "checkpoint-dir": folder / "checkpoints",
        "sagemaker_submit_directory": folder / name,
    }
    options = hyperparameters(recipe, overrides, _MACHINES)
    options |= {option: json.dumps(str(place)) for option, place in places.items()}
    if processes > 1:
        # The toolkit takes a number that is given for the one of GPUs, which it counts otherwise.
        options |= launcher("local") | {_PROCESSES: json.dumps(processes)}
    group = {"instance_group_name": "all", "instance_type": "local", "hosts": [_HOST]}
    files: dict[str, dict[str, Any]] = {
        "hyperparameters": options,
        "resourceconfig": {
            **{"current_host": _HOST, "hosts": [_HOST], "network_interface_name": "lo"},
            **{"current_instance_type": "local", "current_group_name": "all"},
            "instance_groups": [group],
        },
        "inputdataconfig": {
            "training": {
                "TrainingInputMode": "File",
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": "None",
            }
        },
    }
    for file, values in files.items():
        (settings / f"{file}.json").write_text(json.dumps(values), encoding="utf-8")


def _read_reason(path: Path) -> str:
    """What the toolkit found in the script's last words."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    message = re.search(r'ErrorMessage "(.*?)"\s*(?:Command|$)', text, re.DOTALL)
    return (message[1] if message else text).strip() or "it gave no reason; see above"
