"""A transformer that teaches: it learns from all labels that there are, and labels what the LSTM
learns from.

Its upper layers learn training reviews, counterfactual reviews, SST-2's phrases, and texts that say
no opinion. It then labels sentences of all reviews, edits of them, and whole reviews, in shards: a
run that was stopped goes on from its last checkpoint, and from its last shard.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from tqdm import tqdm

from model_training.corpus.cache import Corpus
from model_training.corpus.labelled import COUNTERFACTUAL, SST2, Labelled, prepare_labelled
from model_training.corpus.patterns import (
    Mentions,
    find_mentions,
    make_neutral,
    make_opinions,
    make_ratings,
    rename,
)
from model_training.corpus.pretrained import WEIGHTS_SHA256, prepare_pretrained
from model_training.corpus.transfer import make_transfer
from model_training.evaluation.calibration import positive_probability
from model_training.files import replacing
from model_training.networks.transformer import (
    WEIGHTS,
    Ids,
    Reader,
    ReviewTransformer,
    plan_batches,
    score_texts,
)
from model_training.recipes.settings import TransformerSettings
from model_training.training.checkpoints import Progress, load_checkpoint, save_checkpoint
from model_training.training.labelled_texts import TEXTS, LabelledTexts, save_texts
from model_training.training.processes import Processes, choose_device, low_precision
from model_training.training.work import Work

_CHECKPOINT_SECONDS = 300
_SHARD = 10_000
"""Texts that are labelled in one go."""
_WARM_UP = 0.1  # share of the steps in which the learning rate rises
_DEV_REVIEWS = 600  # of the reviews that are held out; enough to see that it learns
_MIN_WORDS = 3  # of an SST-2 phrase
_PAIRS = 4  # times that each pair of counterfactual reviews is passed on
PINNED = (*COUNTERFACTUAL.digests.values(), *SST2.digests.values(), WEIGHTS_SHA256)
"""What it learns from beside the reviews, and starts from."""
_COUNTS = (
    *("neutral_passed_on", "opinions", "ratings"),
    *("sentences", "renamed", "edits", "stretches", "labelled", "unlabelled"),
)
"""Settings that decide what is labelled, not what is thought of it."""


def train(work: Work) -> dict[str, Any]:
    """Fine-tune the transformer, and let it label; what is to be known of the result.

    Raises:
        ArchiveError: a labelled set cannot be had, or is not the one that is pinned.
        PretrainedError: the pre-trained weights cannot be had, or are not those that are pinned.
    """
    settings = _settings(work)
    with work.processes.first_alone():
        pretrained = prepare_pretrained(work.data)
        material = gather_material(settings, work.corpus, work.data)
    reader = Reader(pretrained, settings.length)
    torch.manual_seed(settings.seed)
    device = choose_device(work.processes.rank)
    model = ReviewTransformer(pretrained, settings.frozen_layers).to(device)
    progress = train_transformer(work, model, reader, material.examples)
    figures = measure_dev(model, reader, material)
    started = time.monotonic()
    labelled = _label(work, model, reader, material)
    if work.processes.is_first:
        work.folder.mkdir(parents=True, exist_ok=True)
        with replacing(work.folder / WEIGHTS) as part:
            save_file({n: t.cpu().clone() for n, t in model.learning.state_dict().items()}, part)
        save_texts(labelled, work.folder)
    return {
        "results": [WEIGHTS, TEXTS],
        "train_texts": len(material.examples),
        "labelled_texts": len(labelled),
        # Without shards that an earlier start had labelled.
        "seconds": progress.seconds + time.monotonic() - started,
        "dev_accuracy": figures,
    }


def _settings(work: Work) -> TransformerSettings:
    settings = work.stage.settings
    assert isinstance(settings, TransformerSettings)
    return settings


@dataclass(frozen=True)
class Material:
    """What the teacher learns from, is judged by, and passes on."""

    examples: Labelled
    dev: dict[str, Labelled]
    pairs: Labelled
    phrases: Labelled
    made_up: Labelled
    """Texts made of patterns, to pass on: they need nobody's opinion."""
    reviews: list[str]
    """Training reviews, without those of dev."""
    mentions: Mentions
    """What is mentioned in these reviews."""


def gather_material(settings: TransformerSettings, corpus: Corpus, data: Path) -> Material:
    """Collect it from the corpus and the two labelled sets; the same each time."""
    draws = np.random.default_rng(settings.seed)
    pairs, dev_pairs = prepare_labelled(COUNTERFACTUAL, data)
    phrases, dev_sentences = prepare_labelled(SST2, data)
    reviews, dev_reviews = (
        Labelled(list(split.texts), split.labels.astype(float).tolist())
        for split in corpus.train_and_dev(settings.dev_reviews)
    )
    long = [row for row, text in enumerate(phrases.texts) if len(text.split()) >= _MIN_WORDS]
    mentions = find_mentions(reviews.texts)
    neutral = make_neutral(mentions, settings.neutral, draws)
    examples = (
        reviews.take(draws.permutation(len(reviews))[: settings.reviews])
        + pairs
        + phrases.take(draws.permutation(long)[: settings.phrases])
        + neutral
    )
    dev = {
        "reviews": dev_reviews.take(draws.permutation(len(dev_reviews))[:_DEV_REVIEWS]),
        "counterfactual": dev_pairs,
        "sentences": dev_sentences,
    }
    made_up = make_neutral(mentions, settings.neutral_passed_on, draws)
    made_up += make_opinions(mentions, settings.opinions, draws)
    made_up += make_ratings(settings.ratings, draws)
    return Material(examples, dev, pairs, phrases, made_up, reviews.texts, mentions)


def train_transformer(
    work: Work, model: ReviewTransformer, reader: Reader, examples: Labelled
) -> Progress:
    """Train to the end, from the checkpoint if there is one."""
    settings = _settings(work)
    key = work.key("transformer", *_COUNTS)
    checkpoint = work.checkpoint(f"{work.stage.name}-transformer", *_COUNTS)
    rows = reader.encode(examples.texts)
    draws = np.random.default_rng(settings.seed)
    plan = plan_batches([len(row) for row in rows], settings.batch_tokens, draws)
    adam = _make_adam(settings, model)
    progress = load_checkpoint(checkpoint, key, model.learning, adam) or Progress()
    earlier, started, saved = progress.seconds, time.monotonic(), time.monotonic()
    losses: list[float] = []
    model.train()
    step = _Step(settings, work.processes, model, reader, adam)
    with tqdm(desc="transformer", total=len(plan), initial=progress.step, mininterval=10) as bar:
        for batch in plan[progress.step :]:
            torch.manual_seed((settings.seed << 40) + progress.step)
            _set_rates(adam, progress.step, len(plan))
            losses.append(step([rows[row] for row in batch], [examples.labels[r] for r in batch]))
            progress.step += 1
            progress.seconds = earlier + time.monotonic() - started
            due = time.monotonic() - saved > _CHECKPOINT_SECONDS or progress.step == len(plan)
            if due and work.processes.is_first:
                save_checkpoint(checkpoint, key, progress, model.learning, adam)
                saved = time.monotonic()
            bar.set_postfix(loss=f"{np.mean(losses[-200:]):.4f}", refresh=False)
            bar.update()
    return progress


def _make_adam(settings: TransformerSettings, model: ReviewTransformer) -> torch.optim.AdamW:
    layers, output = model.learning["layers"], model.learning["output"]
    groups = [
        {"params": list(layers.parameters()), "highest": settings.learning_rate},
        {"params": list(output.parameters()), "highest": settings.output_learning_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=settings.weight_decay, fused=True)


def _set_rates(adam: torch.optim.AdamW, step: int, steps: int) -> None:
    """Up over the first tenth of the steps, then down to nothing, in straight lines."""
    rising, falling = (step + 1) / (_WARM_UP * steps), (steps - step) / ((1 - _WARM_UP) * steps)
    for group in adam.param_groups:
        group["lr"] = group["highest"] * min(rising, falling)


class _Step:
    """One step on a batch, shared among the processes."""

    def __init__(
        self,
        settings: TransformerSettings,
        processes: Processes,
        model: ReviewTransformer,
        reader: Reader,
        adam: torch.optim.AdamW,
    ) -> None:
        self._settings, self._processes, self._reader, self._adam = (
            settings,
            processes,
            reader,
            adam,
        )
        self._model = model
        processes.copy_first(model)

    def __call__(self, rows: Sequence[Ids], labels: Sequence[float]) -> float:
        """Learn; this process's loss."""
        device = self._model.output.weight.device
        share = self._processes.share(np.arange(len(rows)))
        # A process without a share still takes part in the averaging, with a loss of no weight.
        weight = self._processes.count * len(share) / len(rows)
        taken = share if len(share) else np.zeros(1, np.int64)
        with low_precision("bf16", device):
            logits = self._model(self._reader.pad([rows[row] for row in taken]).to(device))
        wanted = torch.tensor([labels[row] for row in taken], device=device)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), wanted)
        self._adam.zero_grad()
        (loss * weight).backward()  # type: ignore[no-untyped-call]
        self._processes.average_gradients(self._model)
        torch.nn.utils.clip_grad_norm_(self._model.learning.parameters(), self._settings.clip_norm)
        self._adam.step()
        return loss.item()


def measure_dev(model: ReviewTransformer, reader: Reader, material: Material) -> dict[str, float]:
    """Give accuracy on each of the dev sets."""
    return {
        name: float(((_score(model, reader, dev.texts) > 0) == (np.array(dev.labels) > 0.5)).mean())
        for name, dev in material.dev.items()
    }


def _score(
    model: ReviewTransformer, reader: Reader, texts: Sequence[str]
) -> npt.NDArray[np.float32]:
    with low_precision("bf16", model.output.weight.device):
        return score_texts(model, reader, texts)


def _label(
    work: Work, model: ReviewTransformer, reader: Reader, material: Material
) -> LabelledTexts:
    """Label all that the settings ask for. Where a person has labelled a text, that counts as much
    as the teacher's opinion."""
    settings = _settings(work)
    unlabelled = list(work.corpus.split("unsup").texts)
    made = make_transfer([*material.reviews, *unlabelled], settings.text_settings, settings.seed)
    wanted = {
        "pairs": material.pairs.texts,
        "phrases": material.phrases.texts,
        "edits": made.edits[: settings.edits],
        "sentences": made.sentences[: settings.sentences],
        "stretches": made.stretches[: settings.stretches],
        "labelled": material.reviews[: settings.labelled],
        "unlabelled": unlabelled[: settings.unlabelled],
    }
    key = work.key("transformer", *_COUNTS)
    shards = work.checkpoints / f"{work.stage.name}-labels"
    found = {
        name: positive_probability(
            label_texts(model, reader, texts, shards, f"{name}-{key[:12]}", work.processes)
        ).astype(np.float32)
        for name, texts in wanted.items()
    }
    for name, known in {"pairs": material.pairs, "phrases": material.phrases}.items():
        found[name] = (found[name] + np.array(known.labels, np.float32)) / np.float32(2)
    of_reviews = [found.pop("labelled"), found.pop("unlabelled")]
    made_up = material.made_up + rename(
        Labelled(list(wanted["sentences"]), found["sentences"].tolist()),
        material.mentions,
        settings.renamed,
        np.random.default_rng(settings.seed),
    )
    # The pairs are few, and teach most: they count so often.
    names = [*["pairs"] * (_PAIRS - 1), *found]
    texts = [text for name in names for text in wanted[name]] + made_up.texts
    targets = [*(found[name] for name in names), np.array(made_up.labels, np.float32)]
    return LabelledTexts(texts, np.concatenate(targets), *of_reviews)


def label_texts(
    model: ReviewTransformer,
    reader: Reader,
    texts: Sequence[str],
    folder: Path,
    name: str,
    processes: Processes,
) -> npt.NDArray[np.float32]:
    """Label texts, in shards that are kept in ``folder`` and shared among the processes: [texts]
    logits. A shard of other texts or another ``name`` is made anew."""
    shards = list(_cut(texts, folder, name))
    for number in processes.share(np.arange(len(shards))):
        path, shard = shards[number]
        if not path.exists():
            labels = _score(model, reader, shard)
            with replacing(path) as part, part.open("wb") as file:
                np.save(file, labels)
        tqdm.write(f"{path.name}: {len(shard):,} texts are labelled")
    processes.wait()
    return np.concatenate([np.zeros(0, np.float32), *(np.load(path) for path, _ in shards)])


def _cut(texts: Sequence[str], folder: Path, name: str) -> Iterator[tuple[Path, Sequence[str]]]:
    for start in range(0, len(texts), _SHARD):
        shard = texts[start : start + _SHARD]
        digest = hashlib.sha256("\0".join(shard).encode("utf-8", "surrogatepass")).hexdigest()
        yield folder / f"{name}-{start:07d}-{digest[:12]}.npy", shard
