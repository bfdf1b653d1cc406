"""Download, verify, split and cache the data sets.

    .venv/bin/python -m model_training.corpus                   fetch the official archive (84 MB)
    .venv/bin/python -m model_training.corpus --archive PATH    take a copy that is here already

A copy is the archive, the tar in it, or the folder aclImdb that it unpacks to; its reviews are
verified either way. Nothing is unpacked to disk. What is prepared once is not prepared again.

What a transformer learns from besides (counterfactual reviews, SST-2, 440 MB of pre-trained
weights) is downloaded when it is trained, unless a copy was taken here before: --counterfactual and
--sst2 name folders or zips, --pretrained a folder. All are verified.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from model_training.corpus.acl_imdb import ARCHIVE_NAME
from model_training.corpus.cache import add_data_options, prepare_corpus
from model_training.corpus.labelled import SOURCES, prepare_labelled
from model_training.corpus.pretrained import NAME, prepare_pretrained
from model_training.errors import ReeltoneError
from model_training.files import replacing, run_command


def main(arguments: list[str] | None = None) -> None:
    """Prepare the data and say what is there."""
    parser = argparse.ArgumentParser(
        prog="model_training.corpus",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_options(parser)
    for source in SOURCES:
        parser.add_argument(f"--{source.name}", type=Path, help="a copy of it")
    parser.add_argument("--pretrained", type=Path, help=f"a copy of {NAME}")
    options = parser.parse_args(arguments)
    corpus = prepare_corpus(options.data_dir, options.archive)
    kept = options.data_dir / ARCHIVE_NAME
    if options.archive is not None and options.archive.is_file() and not kept.exists():
        # Jobs on SageMaker send the archive itself; a folder is none.
        with replacing(kept) as part:
            shutil.copyfile(options.archive, part)
    for source in SOURCES:
        if copy := getattr(options, source.name):
            prepare_labelled(source, options.data_dir, copy)
    if options.pretrained:
        prepare_pretrained(options.data_dir, options.pretrained)
    train, dev = corpus.train_and_dev()
    print(
        f"{len(train.texts):,} reviews to train on, {len(dev.texts):,} to choose by, "
        f"25,000 to test, 50,000 unlabelled; data {corpus.fingerprint[:12]}"
    )


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
