"""A classifier: its directions, each an LSTM trained by itself, and n-grams beside them.

The directions share nothing, so they are trained side by side, or one after the other where several
processes (torchrun) train each of them together.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from tqdm import tqdm

from model_training.corpus.reviews import Encoded
from model_training.evaluation.calibration import fit_temperature
from model_training.evaluation.metrics import score
from model_training.files import replacing, write_json
from model_training.networks.batches import Batch, Batches
from model_training.networks.ngrams import fit_ngrams, save_ngrams
from model_training.networks.review_lstm import ReviewLSTM
from model_training.networks.shrinking import shrink
from model_training.recipes.settings import ClassifierSettings, Direction
from model_training.training.checkpoints import Progress, load_checkpoint, save_checkpoint
from model_training.training.processes import (
    Processes,
    choose_device,
    low_precision,
    run_side_by_side,
)
from model_training.training.runs import NGRAMS, VOCABULARY, load_classifier, predict_logits
from model_training.training.teacher import label_unlabelled
from model_training.training.training_set import TrainingSet, make_training_set
from model_training.training.work import Work

_CHECKPOINT_SECONDS = 60
_WARM_UP = 0.3  # share of the steps in which a one-cycle learning rate rises


def train(work: Work) -> dict[str, Any]:
    """Train all directions and the side path; what is to be known of the result."""
    settings = _settings(work)
    with work.processes.first_alone():
        _prepare(work)
    tasks = [partial(train_direction, work, direction) for direction in settings.directions]
    if work.processes.count > 1 or len(tasks) == 1:
        for task in tasks:
            task()
    else:
        run_side_by_side(tasks)
    return _finish(work) if work.processes.is_first else {}


def _settings(work: Work) -> ClassifierSettings:
    settings = work.stage.settings
    assert isinstance(settings, ClassifierSettings)
    return settings


def _prepare(work: Work) -> None:
    """Make once what all directions read."""
    vocabulary = work.corpus.vocabulary(work.stage.settings.text_settings)
    work.corpus.encoded("train", vocabulary)
    teacher = _settings(work).teacher
    if teacher is not None:
        label_unlabelled(work.inputs[teacher], work.corpus, choose_device(work.processes.rank))


def train_direction(work: Work, direction: Direction) -> None:
    """Train the LSTM of one direction and write its weights, unless they are there."""
    settings = replace(_settings(work), directions=(direction,))
    key, path = work.key(direction), work.folder / f"{direction}.json"
    if _is_finished(path, key):
        return
    device = choose_device(work.processes.rank)
    train_set, dev = _reviews(work, device)
    run = Run(
        f"{work.stage.name} {direction}",
        settings,
        train_set,
        dev,
        device,
        work.processes,
        work.checkpoint(f"{work.stage.name}-{direction}"),
        key,
    )
    model = _make_model(work, settings, direction).to(device)
    progress = train_model(run, model)
    if settings.keep_start:
        # Between two solutions that one run connects lies a better one: Wortsman et al., 2022.
        start = _make_model(work, settings, direction).to(device)
        mix_weights(model, start, settings.keep_start)
    if work.processes.is_first:
        work.folder.mkdir(parents=True, exist_ok=True)
        with replacing(work.folder / f"{direction}.safetensors") as part:
            save_file({name: tensor.cpu() for name, tensor in model.state_dict().items()}, part)
        # Last, for where it is, the direction is finished.
        about = {
            "key": key,
            "device": str(device),
            "train_texts": len(train_set),
            "history": progress.history,
            "seconds": progress.seconds,
        }
        write_json(path, about)
        run.checkpoint.unlink(missing_ok=True)


def _is_finished(path: Path, key: str) -> bool:
    return path.exists() and json.loads(path.read_text(encoding="utf-8")).get("key") == key


def _reviews(work: Work, device: torch.device) -> tuple[TrainingSet, Encoded]:
    """What is learned from, and dev."""
    settings = _settings(work)
    vocabulary = work.corpus.vocabulary(settings.text_settings)
    labelled, dev = work.corpus.labelled(vocabulary, settings.dev_reviews)
    return make_training_set(settings, work.corpus, vocabulary, labelled, work.inputs, device), dev


def _make_model(work: Work, settings: ClassifierSettings, direction: Direction) -> ReviewLSTM:
    """A model of one direction with the weights that it starts from: those of a classifier, or the
    word vectors and the LSTM of a language model."""
    torch.manual_seed(settings.seed)
    entries = len(work.corpus.vocabulary(settings.text_settings))
    model = ReviewLSTM(settings, entries)
    if settings.start is not None:
        weights = load_file(work.inputs[settings.start] / f"{direction}.safetensors")
        if "output.weight" in weights:
            model.load_state_dict(shrink(weights, settings.embedding_size, settings.hidden_size))
        else:
            [reader] = model.directions
            reader.load_state_dict({name: weights[name] for name in reader.state_dict()})
    return model


def _finish(work: Work) -> dict[str, Any]:
    """Put vocabulary and n-grams beside the directions, and score the whole on dev."""
    settings = _settings(work)
    vocabulary = work.corpus.vocabulary(settings.text_settings)
    vocabulary.save(work.folder / VOCABULARY)
    results = [f"{direction}.safetensors" for direction in settings.directions]
    device = choose_device()
    if settings.ngrams:
        train_set, dev = _reviews(work, device)
        save_ngrams(fit_ngrams(train_set.reviews, settings.ngrams), work.folder / NGRAMS)
        results.append(NGRAMS)
    else:
        (work.folder / NGRAMS).unlink(missing_ok=True)
        _, dev = work.corpus.labelled(vocabulary, settings.dev_reviews)
    parts = {
        direction: json.loads((work.folder / f"{direction}.json").read_text(encoding="utf-8"))
        for direction in settings.directions
    }
    about: dict[str, Any] = {
        "results": results,
        "parts": parts,
        # Of directions side by side, the slower one's; of directions one after the other, the sum.
        "seconds": (sum if work.processes.count > 1 else max)(
            part["seconds"] for part in parts.values()
        ),
    }
    if len(dev):
        logits = predict_logits(load_classifier(work.folder, settings).to(device), dev, device)
        about["temperature"] = fit_temperature(logits, dev.labels)
        about["dev"] = score(logits, dev.labels, about["temperature"])
    return about


@dataclass(frozen=True)
class Run:
    """What the training of one direction is made of."""

    name: str
    settings: ClassifierSettings
    train: TrainingSet
    dev: Encoded
    device: torch.device
    processes: Processes
    checkpoint: Path
    key: str
    """Digest of all that decides the result: a checkpoint is used for its own run alone."""


def learning_rate(settings: ClassifierSettings, step: int, steps: int) -> float:
    """Give the learning rate of a step, from 0 on, out of ``steps``."""
    if settings.schedule == "constant":
        return settings.learning_rate
    done, top = (step + 1) / steps, _WARM_UP
    phase = done / top - 1 if done < top else (done - top) / (1 - top)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * phase))


def make_adam(model: ReviewLSTM, settings: ClassifierSettings) -> torch.optim.Adam:
    """Make Adam, with a slower learning rate for each layer further from the output (discriminative
    fine-tuning: Howard and Ruder, 2018).

    Its fused form updates the embeddings in a third of the time.
    """
    slower = settings.layer_decay
    groups = [
        {"params": list(model.output.parameters()), "share": 1.0},
        {"params": _parameters(model, "lstm"), "share": 1 / slower},
        {"params": _parameters(model, "embedding"), "share": 1 / slower**2},
    ]
    return torch.optim.Adam(groups, lr=settings.learning_rate, fused=True)


def _parameters(model: ReviewLSTM, layer: str) -> list[torch.nn.Parameter]:
    return [p for reader in model.directions for p in getattr(reader, layer).parameters()]


class _Keeper:
    """Keeps a run's state on disk, and the time that was spent on it; the first process does."""

    def __init__(self, run: Run, model: ReviewLSTM, adam: torch.optim.Adam) -> None:
        self._run, self._model, self._adam = run, model, adam
        self.progress = load_checkpoint(run.checkpoint, run.key, model, adam) or Progress()
        self._earlier = self.progress.seconds
        self._started = self._saved = time.monotonic()

    def save_if_due(self) -> None:
        """Save when the last time is long ago."""
        if time.monotonic() - self._saved > _CHECKPOINT_SECONDS:
            self._save()

    def end_epoch(self, epoch: int, losses: list[float]) -> None:
        """Score the dev reviews and save, unless an earlier start of the run did."""
        if len(self.progress.history) > epoch:
            return
        row = _describe_epoch(self._run, self._model, epoch, losses, self._seconds())
        self.progress.history += (row,)
        self._save()

    def _seconds(self) -> float:
        return self._earlier + time.monotonic() - self._started

    def _save(self) -> None:
        if self._run.processes.is_first:
            self.progress.seconds = self._seconds()
            save_checkpoint(
                self._run.checkpoint, self._run.key, self.progress, self._model, self._adam
            )
        self._saved = time.monotonic()


def train_model(run: Run, model: ReviewLSTM) -> Progress:
    """Train to the end, from the checkpoint if there is one."""
    adam = make_adam(model, run.settings)
    keeper = _Keeper(run, model, adam)
    batches = Batches(
        run.train.reviews, run.settings.text_settings, run.settings.batch_windows, run.train.targets
    )
    plans = [batches.plan(run.settings.seed, epoch) for epoch in range(run.settings.epochs)]
    steps, first = sum(map(len, plans)), 0
    run.processes.copy_first(model)
    for epoch, plan in enumerate(plans):
        losses = []
        done = min(max(0, keeper.progress.step - first), len(plan))
        with _progress_bar(run, epoch, len(plan), done) as bar:
            for rows in plan[done:]:
                step = keeper.progress.step
                # Dropout depends on seed, step and rank alone: nothing has to be kept of it.
                torch.manual_seed((run.settings.seed << 40) + (step << 16) + run.processes.rank)
                rate = learning_rate(run.settings, step, steps)
                losses.append(_step(run, model, adam, batches, rows, rate))
                keeper.progress.step += 1
                keeper.save_if_due()
                bar.set_postfix(loss=f"{np.mean(losses[-50:]):.4f}", refresh=False)
                bar.update()
        first += len(plan)
        if run.processes.is_first:
            keeper.end_epoch(epoch, losses)
        run.processes.wait()
    return keeper.progress


def _progress_bar(run: Run, epoch: int, steps: int, done: int) -> tqdm[Any]:
    # Said only where it hides the bar: with disable=False, TQDM_DISABLE would not count.
    hidden: dict[str, Any] = {} if run.processes.is_first else {"disable": True}
    return tqdm(desc=f"{run.name}, epoch {epoch + 1}", total=steps, initial=done, **hidden)


def _step(
    run: Run,
    model: torch.nn.Module,
    adam: torch.optim.Adam,
    batches: Batches,
    rows: npt.NDArray[np.int64],
    rate: float,
) -> float:
    """One step on the reviews at ``rows``, shared among the processes; this one's loss."""
    for group in adam.param_groups:
        group["lr"] = rate * group["share"]
    # A process without a share still takes part in the averaging, with a loss that weighs nothing.
    share = run.processes.share(rows)
    batch = batches.make(share if len(share) else rows[:1]).to(run.device)
    # Gradients are averaged over processes, and a review must count as much in any of them.
    weight = run.processes.count * len(share) / len(rows)
    adam.zero_grad()
    shifts = None
    if run.settings.adversarial:
        shifts = _worst_shifts(run, model, batch, weight)
    loss = _loss(run, model, batch, shifts) * weight
    loss.backward()  # type: ignore[no-untyped-call]
    run.processes.average_gradients(model)
    if run.settings.clip_norm:
        torch.nn.utils.clip_grad_norm_(model.parameters(), run.settings.clip_norm)
    adam.step()
    return loss.item()


def _loss(
    run: Run,
    model: torch.nn.Module,
    batch: Batch,
    shifts: list[torch.Tensor] | None = None,
    vectors: list[torch.Tensor] | None = None,
) -> torch.Tensor:
    with low_precision(run.settings.precision, run.device):
        logits = model(batch, shifts, vectors)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, batch.labels)


def _worst_shifts(
    run: Run, model: torch.nn.Module, batch: Batch, weight: float
) -> list[torch.Tensor]:
    """For each direction [L, N, E]: the small change to a review's vectors that raises its loss
    most (Miyato et al., 2017). The gradients of the unchanged reviews stay in the weights."""
    random = torch.get_rng_state()
    vectors: list[torch.Tensor] = []
    loss = _loss(run, model, batch, vectors=vectors) * weight
    for tensor in vectors:
        tensor.retain_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    # The changed reviews lose the same words and entries to dropout.
    torch.set_rng_state(random)
    gradients = [tensor.grad for tensor in vectors]
    return scale_shifts(gradients, vectors, batch, run.settings.adversarial)


def scale_shifts(
    gradients: Sequence[torch.Tensor | None],
    vectors: Sequence[torch.Tensor],
    batch: Batch,
    size: float,
) -> list[torch.Tensor]:
    """Give ``gradients`` with another length: over all directions and windows of a review, ``size``
    times the rms of its vectors' entries; less for a text that does not fill a window, so that the
    few words of a sentence are not changed more than those of a review."""
    known = [gradient for gradient in gradients if gradient is not None]
    words = _of_reviews(batch, batch.lengths.float())
    entries = words.clamp(min=len(vectors[0])) * vectors[0].shape[2] * len(vectors)
    energy = _of_reviews(batch, _squares([tensor.detach() for tensor in vectors]))
    slope = _of_reviews(batch, _squares(known))
    factor = size * torch.sqrt(energy / entries / slope.clamp(min=1e-24))  # [R]
    return [gradient * factor[batch.reviews][:, None] for gradient in known]


def _squares(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """[N] over all entries of [L, N, E] tensors."""
    return torch.stack([tensor.float().square().sum((0, 2)) for tensor in tensors]).sum(0)


def _of_reviews(batch: Batch, of_windows: torch.Tensor) -> torch.Tensor:
    """[R] sums over each review's windows."""
    return torch.zeros_like(batch.labels).index_add(0, batch.reviews, of_windows)


def _describe_epoch(
    run: Run, model: ReviewLSTM, epoch: int, losses: list[float], seconds: float
) -> dict[str, float]:
    row = {"epoch": epoch + 1, "seconds": seconds}
    if losses:  # none where a run was resumed at the very end of an epoch
        row["loss"] = float(np.mean(losses))
    if len(run.dev):
        logits = predict_logits(model, run.dev, run.device, run.settings.precision)
        scores = score(logits, run.dev.labels)
        row |= {"dev_accuracy": scores["accuracy"], "dev_log_loss": scores["log_loss"]}
    tqdm.write(f"{run.name}: " + "  ".join(f"{key} {value:.4f}" for key, value in row.items()))
    return row


def mix_weights(model: ReviewLSTM, start: ReviewLSTM, share: float) -> None:
    """Move the weights of ``model`` by ``share`` of the way towards those of ``start``."""
    with torch.no_grad():
        for ours, theirs in zip(model.parameters(), start.parameters(), strict=True):
            ours.lerp_(theirs, share)
