"""Short texts to learn from, since people type one sentence where the reviews have ten.

Excerpts teach what one to three sentences of a review say of the whole.

Negated sentences teach what the reviews cannot: that "not" turns round what it stands before. Of
the training reviews that say "is not great", 11 in 15 are positive: a review that says so goes on
to what is great. So short sentences that the teacher is sure of are learned a second time with
"not" in them, as saying the opposite, though less surely: what is not great may be fair, and what
is not bad is rarely a masterpiece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from model_training.corpus.reviews import Encoded
from review_text import Vocabulary

Ids = npt.NDArray[np.uint16]

_SENTENCE_ENDS = (".", "!", "?")
_MAX_SENTENCES = 3  # of an excerpt
_MIN_TOKENS, _MAX_TOKENS = 3, 12  # of a sentence that is negated, its end included
_VERBS = {"is": "isn't", "was": "wasn't", "are": "aren't", "were": "weren't"}
_TURNING = ("not", "never", "no", "nothing", "nobody", "hardly", "but", "though", "if", "than")
_MAX_NEGATED = 12_000
SURE = 0.85
"""How sure the teacher must be of a sentence that is negated."""
NOT_GOOD, NOT_BAD, NOT_GOOD_AT_ALL, NOT_BAD_AT_ALL = 0.15, 0.75, 0.05, 0.85
"""Probability of positive of what a negated sentence says."""


def cut_excerpts(reviews: Encoded, vocabulary: Vocabulary, seed: int) -> Encoded:
    """Take one to three sentences of each review of several, with the review's label; no longer
    than a window."""
    random = np.random.default_rng((seed, 1))
    ends = _ids(vocabulary, _SENTENCE_ENDS)
    window = vocabulary.settings.window
    pieces, labels = [], []
    for row in range(len(reviews)):
        sentences = _cut(reviews[row], ends)
        if len(sentences) > 1:
            first = random.integers(len(sentences))
            count = random.integers(1, _MAX_SENTENCES + 1)
            pieces.append(np.concatenate(sentences[first : first + count])[:window])
            labels.append(reviews.labels[row])
    return Encoded.of(pieces, np.array(labels, np.int8))


def negate_sentences(
    reviews: Encoded,
    vocabulary: Vocabulary,
    label: Callable[[Encoded], npt.NDArray[np.float32]],
    seed: int,
) -> tuple[Encoded, npt.NDArray[np.float32]]:
    """Give short sentences that ``label`` is sure of, as they are and negated, with their
    probabilities of positive. All labels are of the more likely class."""
    said = _plain_sentences(reviews, vocabulary, seed)
    probabilities = label(Encoded.of([sentence for sentence, _ in said]))
    pieces: list[Ids] = []
    targets: list[float] = []
    for (sentence, place), probability in zip(said, probabilities.tolist(), strict=True):
        if max(probability, 1 - probability) >= SURE:
            pieces.append(sentence)
            targets.append(probability)
            for piece, surely in _negations(sentence, place, vocabulary):
                is_good = probability > 0.5
                good, bad = (NOT_GOOD_AT_ALL, NOT_BAD_AT_ALL) if surely else (NOT_GOOD, NOT_BAD)
                pieces.append(piece)
                targets.append(good if is_good else bad)
    wanted = np.array(targets, np.float32)
    return Encoded.of(pieces, (wanted > 0.5).astype(np.int8)), wanted


def _plain_sentences(reviews: Encoded, vocabulary: Vocabulary, seed: int) -> list[tuple[Ids, int]]:
    """Short sentences with one verb to be negated and nothing that turns their sense, each once;
    and where the verb is."""
    ends, verbs = _ids(vocabulary, _SENTENCE_ENDS), _ids(vocabulary, tuple(_VERBS))
    turning = _ids(vocabulary, _TURNING)
    contracted = [n for n, word in enumerate(vocabulary.words, 2) if word.endswith("n't")]
    turning = np.concatenate([turning, np.array(contracted, np.uint16)])
    found: dict[bytes, tuple[Ids, int]] = {}
    for row in np.random.default_rng((seed, 2)).permutation(len(reviews)):
        for sentence in _cut(reviews[row], ends):
            if _MIN_TOKENS <= len(sentence) <= _MAX_TOKENS:
                places = np.flatnonzero(np.isin(sentence, verbs))
                if len(places) == 1 and not np.isin(sentence, turning).any():
                    place = int(places[0])
                    if 0 < place < len(sentence) - 2:
                        found.setdefault(sentence.tobytes(), (sentence, place))
        if len(found) >= _MAX_NEGATED:
            break
    return list(found.values())


def _negations(sentence: Ids, place: int, vocabulary: Vocabulary) -> Iterator[tuple[Ids, bool]]:
    """``sentence`` with its verb at ``place`` negated, and whether that is said with stress."""
    (no,) = _ids(vocabulary, ("not",))
    at_all = _ids(vocabulary, ("at", "all"))
    before, after, end = sentence[: place + 1], sentence[place + 1 : -1], sentence[-1:]
    yield np.concatenate([before, [no], after, end]).astype(np.uint16), False
    verb = vocabulary.word(int(sentence[place]))
    contracted = _ids(vocabulary, (_VERBS[verb],))
    yield np.concatenate([before[:-1], contracted, after, end]).astype(np.uint16), False
    if len(after) <= 2:  # "great", "very dull"
        yield np.concatenate([[no], after, end]).astype(np.uint16), False
        yield np.concatenate([[no], after, at_all, end]).astype(np.uint16), True
        yield np.concatenate([before, [no], after, at_all, end]).astype(np.uint16), True


def _cut(review: Ids, ends: Ids) -> list[Ids]:
    """The sentences of a review, each with its end."""
    places = np.flatnonzero(np.isin(review, ends)) + 1
    return [piece for piece in np.split(review, places) if len(piece) > 1]


def _ids(vocabulary: Vocabulary, words: tuple[str, ...]) -> Ids:
    return np.array(vocabulary.encode_ids(" ".join(words)), np.uint16)
