"""Fine-tune the transformer that teaches, and let it label what the LSTM learns from.

    python -m model_training.training.transformer --data-dir data

Its upper layers learn training reviews, counterfactual reviews, phrases of SST-2, and texts that
say no opinion. It then labels sentences of all reviews, edits of them, and the reviews, in shards:
a run that was stopped goes on from its last checkpoint, and from its last shard. Weights and
checkpoint are named after what they are made of: other settings or data never go on from them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from tqdm import tqdm

from model_training.corpus.cache import Corpus, add_data_options, prepare_corpus
from model_training.corpus.labelled import COUNTERFACTUAL, SST2, Labelled, prepare_labelled
from model_training.corpus.neutral import find_titles, make_neutral
from model_training.corpus.transfer import make_transfer
from model_training.errors import ReeltoneError
from model_training.files import replacing, run_command, write_json
from model_training.networks.transformer import (
    Ids,
    Reader,
    ReviewTransformer,
    find_pretrained,
    plan_batches,
    score_texts,
)
from model_training.training.checkpoints import Progress, load_checkpoint, save_checkpoint
from model_training.training.processes import choose_device, low_precision
from review_text import MODERN

_CHECKPOINT_SECONDS = 300
_SHARD = 10_000
"""Texts that are labelled in one go."""
_WARM_UP = 0.1  # share of the steps in which the learning rate rises
_DEV_REVIEWS = 600  # of the reviews that are held out; enough to see that it learns
_LEAST_WORDS = 3  # of an SST-2 phrase


@dataclass(frozen=True)
class TransformerSettings:
    """Everything that decides the teacher, with the data and the pre-trained weights."""

    length: int = 224  # tokens of a text, of both its ends
    frozen_layers: int = 6  # of 12; what they know of English is good enough
    batch_tokens: int = 1_800  # in a batch, with padding
    learning_rate: float = 4e-5  # AdamW's, at its highest, of the layers
    output_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    reviews: int = 7_000  # training reviews learned from; the others it labels without having seen
    phrases: int = 25_000  # of SST-2
    neutral: int = 6_000  # texts without an opinion
    dev_reviews: int = 3_000  # held out, in whole movies
    seed: int = 1


@dataclass(frozen=True)
class DevSets:
    """What the teacher is chosen by."""

    reviews: Labelled
    counterfactual: Labelled
    sentences: Labelled


def gather_examples(
    settings: TransformerSettings, corpus: Corpus, data_dir: Path, copies: Mapping[str, Path | None]
) -> tuple[Labelled, DevSets]:
    """Collect what is learned from, and what it is judged by."""
    random = np.random.default_rng(settings.seed)
    pairs, dev_pairs = prepare_labelled(COUNTERFACTUAL, data_dir, copies["counterfactual"])
    phrases, dev_sentences = prepare_labelled(SST2, data_dir, copies["sst2"])
    train = corpus.split("train")
    train_rows, dev_rows = corpus.train_rows(settings.dev_reviews)
    reviews = Labelled(list(train.texts), train.labels.astype(float).tolist())
    long = [row for row, text in enumerate(phrases.texts) if len(text.split()) >= _LEAST_WORDS]
    titles = find_titles(train.texts[row] for row in train_rows)
    neutral = make_neutral(titles, settings.neutral, random)
    examples = (
        reviews.take(random.permutation(train_rows)[: settings.reviews])
        + pairs
        + phrases.take(random.permutation(long)[: settings.phrases])
        + Labelled(neutral, [0.5] * len(neutral))
    )
    dev = reviews.take(random.permutation(dev_rows)[:_DEV_REVIEWS])
    return examples, DevSets(dev, dev_pairs, dev_sentences)


def train_transformer(
    settings: TransformerSettings,
    model: ReviewTransformer,
    reader: Reader,
    examples: Labelled,
    checkpoint: Path,
    key: str,
) -> Progress:
    """Train to the end, from the checkpoint if there is one; ``key`` says what it belongs to."""
    rows = reader.encode(examples.texts)
    lengths = [len(row) for row in rows]
    random = np.random.default_rng(settings.seed)
    plan = plan_batches(lengths, settings.batch_tokens, random)
    adam = _make_adam(settings, model)
    progress = load_checkpoint(checkpoint, key, model.learning, adam) or Progress()
    earlier, started, saved = progress.seconds, time.monotonic(), time.monotonic()
    losses: list[float] = []
    model.train()
    with tqdm(desc="transformer", total=len(plan), initial=progress.step, mininterval=10) as bar:
        for batch in plan[progress.step :]:
            torch.manual_seed((settings.seed << 40) + progress.step)
            _set_rates(settings, adam, progress.step, len(plan))
            labels = [examples.labels[row] for row in batch]
            losses.append(_step(settings, model, reader, adam, [rows[r] for r in batch], labels))
            progress.step += 1
            progress.seconds = earlier + time.monotonic() - started
            if time.monotonic() - saved > _CHECKPOINT_SECONDS or progress.step == len(plan):
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


def _set_rates(
    settings: TransformerSettings, adam: torch.optim.AdamW, step: int, steps: int
) -> None:
    """Up over the first tenth of the steps, then down to nothing, in straight lines."""
    rising, falling = (step + 1) / (_WARM_UP * steps), (steps - step) / ((1 - _WARM_UP) * steps)
    for group in adam.param_groups:
        group["lr"] = group["highest"] * min(rising, falling)


def _step(
    settings: TransformerSettings,
    model: ReviewTransformer,
    reader: Reader,
    adam: torch.optim.AdamW,
    rows: Sequence[Ids],
    labels: Sequence[float],
) -> float:
    device = model.output.weight.device
    with low_precision("bf16", device):
        logits = model(reader.pad(rows).to(device))
    wanted = torch.tensor(labels, device=device)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), wanted)
    adam.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.learning.parameters(), settings.clip_norm)
    adam.step()
    return loss.item()


def judge(model: ReviewTransformer, reader: Reader, dev: DevSets) -> dict[str, float]:
    """Accuracy on each of the dev sets; of the counterfactual one, on all and on whole pairs."""
    figures = {}
    for name, texts in vars(dev).items():
        right = (_score(model, reader, texts.texts) > 0) == (np.array(texts.labels) > 0.5)
        figures[name] = float(right.mean())
    return figures


def _score(
    model: ReviewTransformer, reader: Reader, texts: Sequence[str]
) -> npt.NDArray[np.float32]:
    with low_precision("bf16", model.output.weight.device):
        return score_texts(model, reader, texts)


def label_texts(
    model: ReviewTransformer,
    reader: Reader,
    texts: Sequence[str],
    folder: Path,
    name: str,
    key: str,
) -> npt.NDArray[np.float32]:
    """Label texts, in shards that are kept in ``folder``: [texts] logits. ``key`` says which
    teacher it is; a shard of other texts or of another teacher is made anew."""
    shards = []
    for start in tqdm(range(0, len(texts), _SHARD), desc=name, unit=" shards"):
        shard = texts[start : start + _SHARD]
        digest = hashlib.sha256("\0".join([key, *shard]).encode("utf-8", "surrogatepass"))
        path = folder / f"{name}-{start:07d}-{digest.hexdigest()[:12]}.npy"
        if not path.exists():
            labels = _score(model, reader, shard)
            with replacing(path) as part, part.open("wb") as file:
                np.save(file, labels)
        shards.append(np.load(path))
    return np.concatenate(shards) if shards else np.zeros(0, np.float32)


def texts_to_label(
    settings: TransformerSettings, corpus: Corpus, data_dir: Path, copies: Mapping[str, Path | None]
) -> dict[str, list[str]]:
    """Collect what a student learns from, by kind; the same each time."""
    train, unlabelled = corpus.split("train").texts, list(corpus.split("unsup").texts)
    rows, _ = corpus.train_rows(settings.dev_reviews)
    reviews = [train[row] for row in rows]
    made = make_transfer([*reviews, *unlabelled], MODERN, settings.seed)
    pairs, _ = prepare_labelled(COUNTERFACTUAL, data_dir, copies["counterfactual"])
    phrases, _ = prepare_labelled(SST2, data_dir, copies["sst2"])
    return {
        "counterfactual": pairs.texts,
        "sst2": phrases.texts,
        "edits": made.edits,
        "sentences": made.sentences,
        "stretches": made.stretches,
        "unsup": unlabelled,
        "train": reviews,
    }


def main(arguments: list[str] | None = None) -> None:
    """Train, then label."""
    parser = argparse.ArgumentParser(
        prog="model_training.training.transformer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_options(parser)
    parser.add_argument("--pretrained", type=Path, help="a copy of the pre-trained weights")
    parser.add_argument("--counterfactual", type=Path, help="a copy of the counterfactual reviews")
    parser.add_argument("--sst2", type=Path, help="a copy of SST-2")
    parser.add_argument("--model-dir", type=Path, default=Path("runs/transformer"))
    options = parser.parse_args(arguments)
    settings = TransformerSettings()
    copies = {"counterfactual": options.counterfactual, "sst2": options.sst2}
    corpus = prepare_corpus(options.data_dir, options.archive)
    pretrained = find_pretrained(options.pretrained, options.data_dir / "pretrained")
    reader = Reader(pretrained, settings.length)
    torch.manual_seed(settings.seed)
    model = ReviewTransformer(pretrained, settings.frozen_layers).to(choose_device())
    examples, dev = gather_examples(settings, corpus, options.data_dir, copies)
    described = json.dumps([asdict(settings), examples.texts, examples.labels])
    key = hashlib.sha256(described.encode()).hexdigest()
    weights = options.model_dir / f"{key[:16]}.safetensors"
    if not weights.exists():
        checkpoint = options.model_dir / f"{key[:16]}-checkpoint.safetensors"
        progress = train_transformer(settings, model, reader, examples, checkpoint, key)
        about = {"settings": asdict(settings), "seconds": progress.seconds}
        about |= {"examples": len(examples), "dev_accuracy": judge(model, reader, dev)}
        write_json(options.model_dir / "run.json", about)
        print(json.dumps(about))
        with replacing(weights) as part:
            save_file({n: t.cpu().clone() for n, t in model.learning.state_dict().items()}, part)
    model.learning.load_state_dict(load_file(weights))
    for name, texts in texts_to_label(settings, corpus, options.data_dir, copies).items():
        label_texts(model, reader, texts, options.model_dir / "labels", name, key)


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
