"""Word vectors from the 75,000 training and unlabelled reviews (skip-gram, Mikolov et al., 2013).

The dev reviews' texts are among them, without their labels; the test reviews are not.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from model_training.corpus.cache import Corpus
from model_training.corpus.reviews import Encoded
from model_training.files import replacing
from review_text import FIRST_WORD, Vocabulary


@dataclass(frozen=True)
class SkipGram:
    """Hyperparameters of the vectors, in gensim's terms."""

    vector_size: int
    window: int = 8  # words to each side; wide windows find topics, narrow ones grammar
    negative: int = 5  # noise words for each real one
    sample: float = 1e-4  # frequent words are skipped with this threshold
    epochs: int = 5
    seed: int = 1


def load_or_train(
    corpus: Corpus, vocabulary: Vocabulary, settings: SkipGram, folder: Path, workers: int
) -> npt.NDArray[np.float32]:
    """Give [entries, vector_size]: a vector for each entry of the vocabulary, from the cache if
    there.

    More than one worker makes training faster and its result different each time; the cached
    vectors are what a resumed run goes on with.
    """
    key = hashlib.sha256(f"{corpus.fingerprint}{vocabulary.fingerprint}{asdict(settings)}".encode())
    path = folder / f"word-vectors-{key.hexdigest()[:12]}.npy"
    if not path.exists():
        splits = [corpus.encoded(name, vocabulary) for name in ("train", "unsup")]
        vectors = train_vectors(splits, len(vocabulary), settings, workers)
        with replacing(path) as part, part.open("wb") as file:
            np.save(file, vectors)
    loaded: npt.NDArray[np.float32] = np.load(path)
    return loaded


def train_vectors(
    splits: list[Encoded], entries: int, settings: SkipGram, workers: int
) -> npt.NDArray[np.float32]:
    """Train on the ids themselves; entries that never occur get small random vectors."""
    from gensim.models import Word2Vec
    from gensim.models.callbacks import CallbackAny2Vec

    class Progress(CallbackAny2Vec):  # type: ignore[misc]
        bar = tqdm(desc="word vectors", total=settings.epochs, unit=" epochs")

        def on_epoch_end(self, model: Word2Vec) -> None:
            self.bar.update()

    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lines:
        for split in splits:
            for row in range(len(split)):
                lines.write(" ".join(map(str, split[row])) + "\n")
        lines.flush()
        model = Word2Vec(
            corpus_file=lines.name,
            sg=1,
            min_count=1,
            workers=workers,
            callbacks=[Progress()],
            **asdict(settings),
        )
    vectors = np.random.default_rng(settings.seed).normal(0, 0.05, (entries, settings.vector_size))
    for number in range(FIRST_WORD - 1, entries):
        if str(number) in model.wv:
            vectors[number] = model.wv[str(number)]
    vectors[0] = 0.0  # padding
    return vectors.astype(np.float32)
