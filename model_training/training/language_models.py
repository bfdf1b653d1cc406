"""The language models that classifiers start from, on reviews without labels.

One for each direction; they share nothing, so each keeps one core busy. The learning rate falls
only in the last passes: with more ``epochs``, a finished stage goes on from where it began to fall.
"""

from __future__ import annotations

import json
import math
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from tqdm import tqdm

from model_training.corpus.reviews import Encoded
from model_training.files import replacing, write_json
from model_training.networks.language_model import LanguageModel, Stream
from model_training.networks.word_vectors import SkipGram, load_or_train
from model_training.recipes.settings import Direction, LanguageModelSettings
from model_training.training.checkpoints import Progress, load_checkpoint, save_checkpoint
from model_training.training.processes import choose_device, low_precision, run_side_by_side
from model_training.training.work import Work

_CHECKPOINT_SECONDS = 60
_DEV_WINDOWS = 2048  # of the dev reviews; enough to tell one epoch from the next
_LENGTH = ("epochs", "decay_epochs")
"""Settings that say when the learning rate falls, and nothing else."""


def train(work: Work) -> dict[str, Any]:
    """Train a language model for each direction; what is to be known of them."""
    settings, processes = _settings(work), work.processes
    with processes.first_alone():
        _prepare(work)
    tasks = [partial(train_direction, work, direction) for direction in settings.directions]
    if processes.count > 1 or len(tasks) == 1:
        for task in tasks[processes.rank :: processes.count]:
            task()
    else:
        run_side_by_side(tasks)
    processes.wait()
    if not processes.is_first:
        return {}
    parts = {
        direction: json.loads((work.folder / f"{direction}.json").read_text(encoding="utf-8"))
        for direction in settings.directions
    }
    return {
        "results": [f"{direction}.safetensors" for direction in settings.directions],
        "parts": parts,
        "seconds": max(part["seconds"] for part in parts.values()),
    }


def _settings(work: Work) -> LanguageModelSettings:
    settings = work.stage.settings
    assert isinstance(settings, LanguageModelSettings)
    return settings


def _prepare(work: Work) -> None:
    """Make once what all directions read."""
    vocabulary = work.corpus.vocabulary(work.stage.settings.text_settings)
    for name in ("train", "unsup"):
        work.corpus.encoded(name, vocabulary)
    if _settings(work).word_vectors:
        _word_vectors(work)


def _word_vectors(work: Work) -> npt.NDArray[np.float32]:
    vocabulary = work.corpus.vocabulary(work.stage.settings.text_settings)
    settings = SkipGram(_settings(work).embedding_size)
    return load_or_train(work.corpus, vocabulary, settings, work.data, os.cpu_count() or 1)


def train_direction(work: Work, direction: Direction) -> None:
    """Train the model of one direction and write its weights, unless they are there."""
    settings, about = _settings(work), work.folder / f"{direction}.json"
    if about.exists() and json.loads(about.read_text()).get("key") == work.key(direction):
        return
    vocabulary = work.corpus.vocabulary(settings.text_settings)
    labelled, dev = work.corpus.labelled(vocabulary, settings.dev_reviews)
    splits = [labelled, work.corpus.encoded("unsup", vocabulary)]
    model = _make_model(work, splits, len(vocabulary)).to(choose_device(work.processes.rank))
    stream = Stream(splits, direction, settings.text_settings.window)
    progress = Pretraining(model, stream, work, direction).run()
    found: dict[str, Any] = {
        "key": work.key(direction),
        "tokens": sum(len(split.ids) for split in splits),
        "seconds": progress.seconds,
    }
    if len(dev):
        found["dev_perplexity"] = perplexity(model, dev, direction)
    work.folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.cpu() for name, tensor in model.state_dict().items()}
    with replacing(work.folder / f"{direction}.safetensors") as part:
        save_file(tensors, part)
    # Last, for where it is, the direction is finished.
    write_json(about, found)
    work.checkpoint(f"{work.stage.name}-{direction}").unlink(missing_ok=True)
    print(f"{work.stage.name} {direction}: {json.dumps(found)}")


def _make_model(work: Work, splits: list[Encoded], entries: int) -> LanguageModel:
    settings = _settings(work)
    torch.manual_seed(settings.seed)
    counts = sum(np.bincount(split.ids, minlength=entries) for split in splits)
    model = LanguageModel(settings, np.asarray(counts, np.int64))
    if settings.word_vectors:
        with torch.no_grad():
            model.embedding.weight.copy_(torch.from_numpy(_word_vectors(work)))
    return model


class Pretraining:
    """The training of one direction's language model."""

    def __init__(
        self, model: LanguageModel, stream: Stream, work: Work, direction: Direction
    ) -> None:
        self._config, self._model, self._stream = model.config, model, stream
        self._steps_an_epoch = stream.windows // self._config.batch_windows
        self._steps = round(self._steps_an_epoch * self._config.epochs)
        self._falls_from = self._steps - round(self._steps_an_epoch * self._config.decay_epochs)
        self._adam = torch.optim.Adam(model.parameters(), betas=(0.9, 0.99), fused=True)
        self._name = f"{work.stage.name} {direction}"
        # What counts until the rate falls does not depend on when that is.
        self._key = work.key(direction, *_LENGTH)
        self._path = work.checkpoint(f"{work.stage.name}-{direction}")
        self._level = work.checkpoint(f"{work.stage.name}-{direction}-level", *_LENGTH)

    def run(self) -> Progress:
        """Train to the end; the model has the result."""
        progress = self._load()
        earlier, started = progress.seconds, time.monotonic()
        saved, epoch, windows, losses = started, -1, np.zeros((0, 0), np.uint16), []
        with tqdm(desc=self._name, total=self._steps, initial=progress.step) as bar:
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
        """This run's own checkpoint, or what one of another length left before its rate fell."""
        for path, most in ((self._path, self._steps), (self._level, self._falls_from)):
            if progress := load_checkpoint(path, self._key, self._model, self._adam, most):
                return progress
        return Progress()

    def _save(self, path: Path, progress: Progress) -> None:
        save_checkpoint(path, self._key, progress, self._model, self._adam)


def perplexity(model: LanguageModel, reviews: Encoded, direction: Direction) -> float:
    """Measure the perplexity of each next token against the whole vocabulary, on about 130,000
    tokens of ``reviews``."""
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
