"""Train a model: on a laptop, or as the script of a SageMaker training job.

    python -m model_training.training modern --archive aclImdb_v1.tar.gz

    torchrun --nproc-per-node 4 -m model_training.training modern     four GPUs, the same result

What a configuration starts from is trained first, if it is not there. A run that was stopped goes
on from its last checkpoint when the same command is given again, and ends with the same result. It
leaves the weights (model.safetensors, ngrams.safetensors), the vocabulary and run.json (settings,
seed, versions, data, metrics) in its model folder; the export makes the bundle of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from tqdm import tqdm

from model_training.corpus.cache import Corpus, add_data_options, prepare_corpus
from model_training.corpus.reviews import Encoded
from model_training.errors import ConfigError
from model_training.evaluation.calibration import fit_temperature
from model_training.evaluation.metrics import score
from model_training.files import replacing
from model_training.networks.batches import Batch, Batches
from model_training.networks.language_model import DIRECTIONS
from model_training.networks.ngrams import fit_ngrams, save_ngrams
from model_training.networks.review_lstm import ReviewLSTM
from model_training.networks.word_vectors import SkipGram, load_or_train
from model_training.recipes.settings import (
    TrainingConfig,
    add_config_options,
    is_pretraining,
    load_config,
    overrides_of,
)
from model_training.training import language_models
from model_training.training.checkpoints import Progress, load_checkpoint, save_checkpoint
from model_training.training.processes import (
    Processes,
    choose_device,
    join_processes,
    low_precision,
    run_side_by_side,
)
from model_training.training.runs import predict_logits
from model_training.training.teacher import judge_unlabelled
from model_training.training.training_set import TrainingSet, make_training_set
from review_text import Vocabulary

DISTRIBUTED = True
"""Whether several processes (torchrun) can train one model."""

_CHECKPOINT_SECONDS = 300
_WARM_UP = 0.3  # share of the steps in which a one-cycle learning rate rises
_LIBRARIES = ("torch", "numpy", "gensim", "scikit-learn")


@dataclass(frozen=True)
class Run:
    """What a training run is made of."""

    config: TrainingConfig
    train: TrainingSet
    dev: Encoded
    device: torch.device
    processes: Processes
    checkpoint: Path
    key: str
    """Of settings and data: a checkpoint is only used for the run that it belongs to."""


def learning_rate(config: TrainingConfig, step: int, steps: int) -> float:
    """The learning rate of a step, from 0 on, out of ``steps``."""
    if config.schedule == "constant":
        return config.learning_rate
    done, top = (step + 1) / steps, _WARM_UP
    phase = done / top - 1 if done < top else (done - top) / (1 - top)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * phase))


def make_adam(model: ReviewLSTM, config: TrainingConfig) -> torch.optim.Adam:
    """Adam, with a slower learning rate for each layer further from the output.

    Its fused form updates the embeddings in a third of the time.
    """
    slower = config.layer_decay
    groups = [
        {"params": list(model.output.parameters()), "share": 1.0},
        {"params": _parameters(model, "lstm"), "share": 1 / slower},
        {"params": _parameters(model, "embedding"), "share": 1 / slower**2},
    ]
    return torch.optim.Adam(groups, lr=config.learning_rate, fused=True)


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
    adam = make_adam(model, run.config)
    keeper = _Keeper(run, model, adam)
    learned = run.train
    settings, size = run.config.text_settings, run.config.batch_windows
    batches = Batches(learned.reviews, settings, size, learned.targets)
    plans = [batches.plan(run.config.seed, epoch) for epoch in range(run.config.epochs)]
    head_steps = sum(map(len, plans[: run.config.head_epochs]))
    steps = sum(map(len, plans)) - head_steps
    first = 0
    for epoch, plan in enumerate(plans):
        losses = []
        model.readers.requires_grad_(epoch >= run.config.head_epochs)
        parallel = run.processes.parallel(model)
        done = min(max(0, keeper.progress.step - first), len(plan))
        with _progress_bar(run, epoch, len(plan), done) as bar:
            for rows in plan[done:]:
                step = keeper.progress.step
                # Dropout depends on seed, step and rank alone: nothing has to be kept of it.
                torch.manual_seed((run.config.seed << 40) + (step << 16) + run.processes.rank)
                rate = run.config.learning_rate
                if epoch >= run.config.head_epochs:
                    rate = learning_rate(run.config, step - head_steps, steps)
                losses.append(_step(run, parallel, adam, batches, rows, rate))
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
    hidden = not run.processes.is_first
    return tqdm(desc=f"epoch {epoch + 1}", total=steps, initial=done, disable=hidden)


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
    if run.config.adversarial and adam.param_groups[1]["params"][0].requires_grad:
        shifts = _worst_shifts(run, model, batch, weight)
    loss = _loss(run, model, batch, shifts) * weight
    loss.backward()  # type: ignore[no-untyped-call]
    if run.config.clip_norm:
        torch.nn.utils.clip_grad_norm_(model.parameters(), run.config.clip_norm)
    adam.step()
    return loss.item()


def _loss(
    run: Run,
    model: torch.nn.Module,
    batch: Batch,
    shifts: list[torch.Tensor] | None = None,
    vectors: list[torch.Tensor] | None = None,
) -> torch.Tensor:
    with low_precision(run.config.precision, run.device):
        logits = model(batch, shifts, vectors)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, batch.labels)


def _worst_shifts(
    run: Run, model: torch.nn.Module, batch: Batch, weight: float
) -> list[torch.Tensor]:
    """For each direction [L, N, E]: the small change to a review's vectors that raises its loss
    most (Miyato et al., 2017). The gradients of the unchanged reviews stay in the weights."""
    random = torch.get_rng_state()
    vectors: list[torch.Tensor] = []
    with run.processes.without_averaging(model):
        loss = _loss(run, model, batch, vectors=vectors) * weight
        for tensor in vectors:
            tensor.retain_grad()
        loss.backward()  # type: ignore[no-untyped-call]
    # The changed reviews lose the same words and entries to dropout.
    torch.set_rng_state(random)
    return scale_shifts([tensor.grad for tensor in vectors], vectors, batch, run.config.adversarial)


def scale_shifts(
    gradients: Sequence[torch.Tensor | None],
    vectors: Sequence[torch.Tensor],
    batch: Batch,
    size: float,
) -> list[torch.Tensor]:
    """``gradients`` with another length: over all directions and windows of a review,
    ``size`` times the rms of its vectors' entries; less for a text that does not fill a window, so
    that the few words of a sentence are not changed more than those of a review."""
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
        logits = predict_logits(model, run.dev, run.config, run.device, run.config.precision)
        scores = score(logits, run.dev.labels)
        row |= {"dev_accuracy": scores["accuracy"], "dev_log_loss": scores["log_loss"]}
    tqdm.write("  ".join(f"{name} {value:.4f}" for name, value in row.items()))
    return row


def _make_model(
    config: TrainingConfig, corpus: Corpus, vocabulary: Vocabulary, options: argparse.Namespace
) -> ReviewLSTM:
    """A model with the weights that the configuration starts from."""
    torch.manual_seed(config.seed)
    model = ReviewLSTM(config, len(vocabulary))
    if config.start_from == "word-vectors":
        settings = SkipGram(config.embedding_size)
        workers = os.cpu_count() or 1
        vectors = load_or_train(corpus, vocabulary, settings, options.data_dir, workers)
        with torch.no_grad():
            for reader in model.directions:
                reader.embedding.weight.copy_(torch.from_numpy(vectors))
    elif config.start_from != "random":
        load_stages(model, [options.stages_dir / name for name in config.start_from.split("+")])
    return model


def _run_stages(names: list[str], options: argparse.Namespace) -> None:
    """Train what comes first and is not there yet, each stage once what it needs is finished;
    classifiers that need nothing of each other are trained side by side."""
    order = TopologicalSorter(_missing_stages(names, options.stages_dir))
    try:
        order.prepare()
    except CycleError as error:
        raise ConfigError(f"each stage waits for another: {' <- '.join(error.args[1])}") from error
    while order.is_active():
        ready = order.get_ready()
        commands = []
        for name in ready:
            places = [f"--data-dir={options.data_dir}", f"--model-dir={options.stages_dir / name}"]
            if is_pretraining(name):
                language_models.main([name, *places])
            else:
                # What they share is made once, before they start.
                _ask_teacher(load_config(name), options)
                places.append(f"--checkpoint-dir={options.checkpoint_dir}")
                commands.append(["model_training.training", name, *places])
        run_side_by_side(commands)
        order.done(*ready)


def _missing_stages(names: list[str], stages_dir: Path) -> dict[str, list[str]]:
    """Each stage that has to be trained for ``names``, and the stages that must come before it."""
    missing: dict[str, list[str]] = {}
    to_visit = list(names)
    while to_visit:
        name = to_visit.pop(0)
        if name not in missing and not is_finished(stages_dir / name):
            before = [] if is_pretraining(name) else earlier_stages(load_config(name))
            missing[name] = [other for other in before if not is_finished(stages_dir / other)]
            to_visit += missing[name]
    return missing


def _ask_teacher(config: TrainingConfig, options: argparse.Namespace) -> None:
    """Have the teacher's judgement of the unlabelled reviews at hand."""
    if config.teacher != "none":
        corpus = prepare_corpus(options.data_dir, options.archive)
        judge_unlabelled(options.stages_dir / config.teacher, corpus, choose_device())


def earlier_stages(config: TrainingConfig) -> list[str]:
    """The stages that must be finished before a run of ``config`` can start."""
    starts = [] if config.start_from in ("random", "word-vectors") else config.start_from.split("+")
    return starts + ([] if config.teacher == "none" else [config.teacher])


def is_finished(folder: Path) -> bool:
    """Whether a stage's results are there: a classifier's, or those of both language models."""
    of_language_models = [folder / f"{direction}.safetensors" for direction in DIRECTIONS]
    return (folder / "run.json").exists() or all(path.exists() for path in of_language_models)


def load_stages(model: ReviewLSTM, folders: list[Path]) -> None:
    """Take the weights of earlier stages: of language models, of a classifier, or of a forward and
    a backward one, whose logits are averaged.

    Raises:
        ConfigError: their sizes or their vocabulary are others.
    """
    try:
        if (folders[0] / "run.json").exists():
            parts = [load_file(folder / "model.safetensors") for folder in folders]
            model.load_state_dict(_join(parts))
            return
        for reader, direction in zip(model.directions, model.direction_names, strict=True):
            weights = load_file(folders[0] / f"{direction}.safetensors")
            reader.load_state_dict({name: weights[name] for name in reader.state_dict()})
    except (KeyError, RuntimeError) as error:
        raise ConfigError(
            f"{', '.join(map(str, folders))}: the weights can't be used ({error}). Give all stages "
            f"the same sizes and text, or delete the folder to train it again."
        ) from error


def mix_weights(model: ReviewLSTM, start: ReviewLSTM, share: float) -> None:
    """Move the weights of ``model`` by ``share`` of the way towards those of ``start``."""
    with torch.no_grad():
        for ours, theirs in zip(model.parameters(), start.parameters(), strict=True):
            ours.lerp_(theirs, share)


def _join(parts: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Classifiers of one direction each as one classifier of all directions."""
    if len(parts) == 1:
        return parts[0]
    joined = {
        name.replace("readers.0", f"readers.{number}"): tensor
        for number, part in enumerate(parts)
        for name, tensor in part.items()
        if name.startswith("readers.")
    }
    # Each has its maxima first, then its means; together: all maxima, then all means.
    halves = [part["output.weight"].chunk(2, 1) for part in parts]
    weights = [half[kind] for kind in range(2) for half in halves]
    joined["output.weight"] = torch.cat(weights, 1) / len(parts)
    joined["output.bias"] = torch.stack([part["output.bias"] for part in parts]).mean(0)
    return joined


def _write_results(
    folder: Path, run: Run, model: ReviewLSTM, vocabulary: Vocabulary, about: dict[str, Any]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "model.safetensors") as part:
        save_file({name: tensor.cpu() for name, tensor in model.state_dict().items()}, part)
    vocabulary.save(folder / "vocabulary.json")
    if run.config.ngrams:
        save_ngrams(fit_ngrams(run.train.reviews, run.config.ngrams), folder / "ngrams.safetensors")
    logits = predict_logits(model, run.dev, run.config, run.device)
    if len(run.dev):
        temperature = fit_temperature(logits, run.dev.labels)
        about["dev"] = score(logits, run.dev.labels, temperature)
        about["temperature"] = temperature
    about |= {
        "config": asdict(run.config),
        "device": str(run.device),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    # Last, for where it is, the run counts as finished.
    with replacing(folder / "run.json") as part:
        part.write_text(json.dumps(about, indent=2) + "\n")


def main(arguments: list[str] | None = None) -> None:
    """Train as the command line and SageMaker's variables say."""
    options = _parse(arguments)
    config = load_config(options.config, overrides_of(options))
    with join_processes() as processes:
        device = choose_device(processes.local_rank)
        with processes.first_on_each_machine():
            corpus = prepare_corpus(options.data_dir, options.archive)
            vocabulary = corpus.vocabulary(config.text_settings)
            labelled = corpus.encoded("train", vocabulary)
            _run_stages(earlier_stages(config), options)
            model = _make_model(config, corpus, vocabulary, options).to(device)
            train_rows, dev_rows = corpus.train_rows(config.dev_reviews)
            learned = make_training_set(
                config, corpus, vocabulary, labelled.take(train_rows), options.stages_dir, device
            )
        targets = hashlib.sha256(learned.targets.tobytes()).hexdigest()
        described = f"{json.dumps(asdict(config), sort_keys=True)}{corpus.fingerprint}{targets}"
        run = Run(
            config,
            learned,
            labelled.take(dev_rows),
            device,
            processes,
            options.checkpoint_dir / f"{Path(options.config).stem}.safetensors",
            hashlib.sha256(f"{described}{vocabulary.fingerprint}".encode()).hexdigest(),
        )
        if options.restart and processes.is_first:
            run.checkpoint.unlink(missing_ok=True)
        processes.wait()
        progress = train_model(run, model)
        if config.keep_start:
            # Between two solutions that one run connects lies a better one: Wortsman et al., 2022.
            start = _make_model(config, corpus, vocabulary, options).to(device)
            mix_weights(model, start, config.keep_start)
        if processes.is_first:
            about = {
                "name": Path(options.config).stem,
                "data": corpus.fingerprint,
                "vocabulary": vocabulary.fingerprint,
                "train_texts": len(run.train),
                "processes": processes.count,
                "history": progress.history,
                "seconds": progress.seconds,
            }
            _write_results(options.model_dir, run, model, vocabulary, about)
            print(f"{options.model_dir}/run.json: {json.dumps(about.get('dev', {}))}")


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="model_training.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", nargs="?", help="a file of configs/, without .toml")
    parser.add_argument("--config", dest="config_option", help=argparse.SUPPRESS)
    add_data_options(parser)
    parser.add_argument("--model-dir", type=Path, help="results (default: runs/<config>)")
    parser.add_argument(
        "--checkpoint-dir", type=Path, help="default: /opt/ml/checkpoints in a job, else runs"
    )
    parser.add_argument("--restart", action="store_true", help="ignore an earlier checkpoint")
    add_config_options(parser)
    options = parser.parse_args(arguments)
    # SageMaker passes hyperparameters as options only: there the name comes as --config modern.
    options.config = options.config or options.config_option or "modern"
    in_job = "SM_MODEL_DIR" in os.environ
    options.model_dir = options.model_dir or Path(
        os.environ.get("SM_MODEL_DIR", f"runs/{Path(options.config).stem}")
    )
    options.checkpoint_dir = options.checkpoint_dir or Path(
        "/opt/ml/checkpoints" if in_job else "runs/checkpoints"
    )
    # An interrupted job finds there what it has already trained.
    options.stages_dir = options.checkpoint_dir if in_job else options.model_dir.parent
    return options
