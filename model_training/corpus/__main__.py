"""Download, verify, split and cache the data set.

    python -m model_training.corpus                     download the official archive (84 MB)
    python -m model_training.corpus --archive PATH      take a copy that is already here

A copy is the archive, the tar in it, or the folder aclImdb that it unpacks to; its reviews are
verified either way. Nothing is unpacked to disk. What is prepared once is not prepared again.
"""

from __future__ import annotations

import argparse
import shutil
import sys

from model_training.corpus.acl_imdb import ARCHIVE_NAME
from model_training.corpus.cache import add_data_options, prepare_corpus
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
    options = parser.parse_args(arguments)
    corpus = prepare_corpus(options.data_dir, options.archive)
    kept = options.data_dir / ARCHIVE_NAME
    if options.archive is not None and not kept.exists():
        # Jobs on SageMaker send the archive itself.
        with replacing(kept) as part:
            shutil.copyfile(options.archive, part)
    train, dev = corpus.train_rows()
    print(
        f"{len(train):,} reviews to train on, {len(dev):,} to choose by, 25,000 to test, "
        f"50,000 unlabelled; data {corpus.fingerprint[:12]}"
    )


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
