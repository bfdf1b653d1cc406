"""Train the language models that a classifier starts from, on reviews without labels.

    python -m model_training.training.language_models language-models

One process for each direction; they share nothing, so each keeps one core busy. A run that was
stopped goes on from its last checkpoint when the same command is given again. The learning rate
falls only in the last passes: with more ``epochs`` in the configuration, a finished run goes on
from where it began to fall.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from tqdm import tqdm

from model_training.corpus.cache import Corpus, add_data_options, prepare_corpus
from model_training.corpus.reviews import Encoded
from model_training.errors import ReeltoneError
from model_training.files import replacing, run_command
from model_training.networks.language_model import DIRECTIONS, Direction, LanguageModel, Stream
from model_training.networks.word_vectors import SkipGram, load_or_train
from model_training.recipes.settings import PretrainingConfig, load_pretraining_config
from model_training.training.checkpoints import Progress, load_checkpoint, save_checkpoint
from model_training.training.processes import choose_device, low_precision, run_side_by_side
from review_text import Vocabulary

_CHECKPOINT_SECONDS = 300
_DEV_WINDOWS = 2048  # of the dev reviews; enough to tell one epoch from the next


class Pretraining:
    """The training of one direction's language model."""

    def __init__(
        self, model: LanguageModel, stream: Stream, direction: Direction, folder: Path, data: str
    ) -> None:
        """``folder`` keeps the checkpoints; ``data`` identifies reviews and vocabulary."""
        self._config, self._model, self._stream = model.config, model, stream
        self._steps_an_epoch = stream.windows // self._config.batch_windows
        self._steps = round(self._steps_an_epoch * self._config.epochs)
        self._falls_from = self._steps - round(self._steps_an_epoch * self._config.decay_epochs)
        self._adam = torch.optim.Adam(model.parameters(), betas=(0.9, 0.99), fused=True)
        length = ("epochs", "decay_epochs")
        lasting = {
            name: value for name, value in asdict(self._config).items() if name not in length
        }
        described = json.dumps(lasting, sort_keys=True) + direction + data
        self._key = hashlib.sha256(described.encode()).hexdigest()
        epochs = f"{self._config.epochs:g}-{self._config.decay_epochs:g}"
        self._path = folder / f"{direction}-{epochs}.safetensors"
        self._level = folder / f"{direction}-level.safetensors"
        self._direction = direction

    def run(self) -> Progress:
        """Train to the end; the model has the result."""
        progress = self._load()
        earlier, started = progress.seconds, time.monotonic()
        saved, epoch, windows, losses = started, -1, np.zeros((0, 0), np.uint16), []
        with tqdm(desc=self._direction, total=self._steps, initial=progress.step) as bar:
            while progress.step < self._steps:
                number, position = divmod(progress.step, self._steps_an_epoch)
                if number != epoch:
                    epoch, windows = number, self._stream.epoch(self._config.seed, number)
                size = self._config.batch_windows
                losses.append(
                    self._step(progress.step, windows[position * size : (position + 1) * size])
                )
                progress.step += 1
                progress.seconds = earlier + time.monotonic() - started
                if progress.step == self._falls_from:
                    self._save(self._level, progress)
                if time.monotonic() - saved > _CHECKPOINT_SECONDS or progress.step == self._steps:
                    self._save(self._path, progress)
                    saved = time.monotonic()
                bar.set_postfix(loss=f"{np.mean(losses[-200:]):.3f}", refresh=False)
                bar.update()
        return progress

    def _step(self, step: int, windows: npt.NDArray[np.uint16]) -> float:
        """One step on ``windows`` [N, L + 1]; its loss."""
        # Dropout and negatives depend on seed and step alone: nothing has to be kept of them.
        torch.manual_seed((self._config.seed << 40) + step)
        for group in self._adam.param_groups:
            group["lr"] = self._rate(step + 1)
        batch = torch.from_numpy(windows.astype(np.int32)).to(self._model.bias.device)
        with low_precision(self._config.precision, batch.device):
            loss: torch.Tensor = self._model(batch[:, :-1], batch[:, 1:])
        self._adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._config.clip_norm)
        self._adam.step()
        return loss.item()

    def _rate(self, step: int) -> float:
        """Up, level, and in the last passes down to nothing."""
        rising = step / max(1, self._config.warm_up_steps)
        falling = (self._steps - step + 1) / max(1, self._steps - self._falls_from)
        return self._config.learning_rate * min(1.0, rising, falling)

    def _load(self) -> Progress:
        """This run's own checkpoint, or what a shorter run left before its rate fell."""
        for path in (self._path, self._level):
            if progress := load_checkpoint(path, self._key, self._model, self._adam):
                return progress
        return Progress()

    def _save(self, path: Path, progress: Progress) -> None:
        save_checkpoint(path, self._key, progress, self._model, self._adam)


def perplexity(model: LanguageModel, reviews: Encoded, direction: Direction) -> float:
    """Of each next token, against the whole vocabulary; of about 130,000 tokens of ``reviews``."""
    # A stream loses up to a window where it begins; a few short reviews have not even two.
    window = max(1, min(model.config.text_settings.window, (len(reviews.ids) - 1) // 2))
    windows = Stream([reviews], direction, window).epoch(0, 0)[:_DEV_WINDOWS]
    losses = []
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(windows), 32):
            batch = torch.from_numpy(windows[start : start + 32].astype(np.int32))
            batch = batch.to(model.bias.device)
            with low_precision(model.config.precision, batch.device):
                losses.append(model.full_losses(batch[:, :-1], batch[:, 1:]).cpu())
    return math.exp(torch.cat(losses).mean().item())


def _make_model(
    config: PretrainingConfig,
    corpus: Corpus,
    vocabulary: Vocabulary,
    splits: list[Encoded],
    cache: Path,
) -> LanguageModel:
    torch.manual_seed(config.seed)
    counts = sum(np.bincount(split.ids, minlength=len(vocabulary)) for split in splits)
    model = LanguageModel(config, np.asarray(counts, np.int64))
    if config.word_vectors:
        workers = os.cpu_count() or 1
        vectors = load_or_train(corpus, vocabulary, SkipGram(config.embedding_size), cache, workers)
        with torch.no_grad():
            model.embedding.weight.copy_(torch.from_numpy(vectors))
    return model


def train_direction(options: argparse.Namespace, config: PretrainingConfig) -> None:
    """Train one direction and write its weights and what is known of it."""
    corpus = prepare_corpus(options.data_dir, options.archive)
    vocabulary = corpus.vocabulary(config.text_settings)
    train_rows, dev_rows = corpus.train_rows(config.dev_reviews)
    labelled, unlabelled = (corpus.encoded(name, vocabulary) for name in ("train", "unsup"))
    splits = [labelled.take(train_rows), unlabelled]
    model = _make_model(config, corpus, vocabulary, splits, options.data_dir)
    gpus = max(1, torch.cuda.device_count())
    model = model.to(choose_device(DIRECTIONS.index(options.direction) % gpus))
    stream = Stream(splits, options.direction, config.text_settings.window)
    checkpoints = options.model_dir / "checkpoints"
    data = corpus.fingerprint + vocabulary.fingerprint
    progress = Pretraining(model, stream, options.direction, checkpoints, data).run()
    about: dict[str, Any] = {
        "config": asdict(config),
        "data": corpus.fingerprint,
        "vocabulary": vocabulary.fingerprint,
        "tokens": sum(len(split.ids) for split in splits),
        "seconds": progress.seconds,
    }
    if len(dev_rows):
        about["dev_perplexity"] = perplexity(model, labelled.take(dev_rows), options.direction)
    with replacing(options.model_dir / f"{options.direction}.json") as part:
        part.write_text(json.dumps(about, indent=2) + "\n")
    # Last, for where the weights are, the stage counts as finished.
    tensors = {name: tensor.cpu() for name, tensor in model.state_dict().items()}
    with replacing(options.model_dir / f"{options.direction}.safetensors") as part:
        save_file(tensors, part)
    print(f"{options.direction}: {json.dumps(about)}")


def main(arguments: list[str]) -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(
        prog="model_training.training.language_models",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", help="a file of configs/, without .toml")
    add_data_options(parser)
    parser.add_argument("--model-dir", type=Path, help="results (default: runs/<config>)")
    parser.add_argument("--direction", choices=DIRECTIONS, help="default: both, side by side")
    options = parser.parse_args(arguments)
    options.model_dir = options.model_dir or Path(f"runs/{Path(options.config).stem}")
    config = load_pretraining_config(options.config)
    if options.direction:
        train_direction(options, config)
        return
    # What both directions need is made once, before they start.
    corpus = prepare_corpus(options.data_dir, options.archive)
    vocabulary = corpus.vocabulary(config.text_settings)
    for name in ("train", "unsup"):
        corpus.encoded(name, vocabulary)
    if config.word_vectors:
        workers = os.cpu_count() or 1
        settings = SkipGram(config.embedding_size)
        load_or_train(corpus, vocabulary, settings, options.data_dir, workers)
    command = ["model_training.training.language_models", *arguments]
    run_side_by_side([[*command, f"--direction={direction}"] for direction in DIRECTIONS])


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
