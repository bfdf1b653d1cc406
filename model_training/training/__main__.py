"""Train a model: on a laptop, or as the script of a SageMaker training job.

    .venv/bin/python -m model_training.training modern --archive aclImdb_v1.tar.gz
    .venv/bin/python -m model_training.training modern --until teacher-1 --teacher-1.epochs 3

    .venv/bin/torchrun --nproc-per-node 4 -m model_training.training classic    same result

The stages of the recipe are trained one after the other. What is there already is not made again,
unless it would be made of something else now: other settings, data or weights to start from. A run
that was stopped goes on from its last checkpoint when the same command is given again, and ends
with the same result. A stage leaves its weights, the vocabulary and run.json (settings, versions,
data, metrics) in a folder; the export makes a bundle of the last one's.

Settings of recipes/settings.py are replaced by --SETTING VALUE in all stages that have it, and by
--STAGE.SETTING VALUE in one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from model_training.corpus.cache import add_data_options, prepare_corpus
from model_training.errors import ConfigError, ReeltoneError
from model_training.files import run_command
from model_training.paths import RUNS
from model_training.recipes.recipe import Recipe, load_recipe, read_words
from model_training.training.processes import join_processes
from model_training.training.stages import Training


def main(arguments: Sequence[str] | None = None) -> None:
    """Train as the command line and SageMaker's variables say."""
    options, recipe = parse(arguments)
    with join_processes() as processes:
        with processes.first_alone():
            corpus = prepare_corpus(options.data_dir, options.archive)
            for stage in recipe.stages:
                corpus.vocabulary(stage.settings.text_settings)
        training = Training(
            recipe,
            corpus,
            options.data_dir,
            options.stages_dir,
            options.model_dir,
            options.checkpoint_dir,
            processes,
        )
        about = training.run(options.restart)
        if processes.is_first:
            dev = about.get("dev", {})
            # The figures that a job is known by: those of stages before have other names.
            found = (f"final dev_{name} {dev[name]:.4f}" for name in _FINAL if name in dev)
            print(f"{options.model_dir}/run.json", *found, sep="  ")


_FINAL = ("accuracy", "log_loss")


def parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, Recipe]:
    """Give the options, and the recipe with what replaces its settings."""
    parser = argparse.ArgumentParser(
        prog="model_training.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [RECIPE] [options] [--SETTING VALUE ...]",
        allow_abbrev=False,
    )
    # SageMaker passes hyperparameters as options only: there the name comes as --recipe modern.
    parser.add_argument("--recipe", help="a file of recipes/, without .toml (default: modern)")
    parser.add_argument("--until", metavar="STAGE", help="train no further than this stage")
    add_data_options(parser)
    parser.add_argument("--model-dir", type=Path, help="results (default: runs/<last stage>)")
    parser.add_argument(
        "--checkpoint-dir", type=Path, help="default: /opt/ml/checkpoints in a job, else runs"
    )
    parser.add_argument("--restart", action="store_true", help="train the last stage anew")
    options, rest = parser.parse_known_args(arguments)
    name, overrides = read_words(rest)
    if name and options.recipe:
        raise ConfigError(f"{name} and --recipe {options.recipe}: name one recipe")
    recipe = load_recipe(name or options.recipe or "modern", overrides, options.until)
    in_job = "SM_MODEL_DIR" in os.environ
    options.model_dir = options.model_dir or Path(
        os.environ.get("SM_MODEL_DIR", RUNS / recipe.stages[-1].name)
    )
    options.checkpoint_dir = options.checkpoint_dir or Path(
        "/opt/ml/checkpoints" if in_job else RUNS / "checkpoints"
    )
    # An interrupted job finds there what it has already trained.
    options.stages_dir = options.checkpoint_dir if in_job else options.model_dir.parent
    return options, recipe


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
