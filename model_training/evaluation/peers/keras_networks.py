"""The CNN, RCNN and LSTM of a post on Keras, as PyTorch modules.

Source: "IMDb Sentiment Analysis with Keras" (2017) and its notebooks,
github.com/abdel/imdb-sentiment-analysis. Layers, sizes, dropout, epochs, batches, Adam and the
initial weights are theirs, and so is the text: Keras' own encoding of this data set.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from model_training.evaluation.peers.peer import Floats, Peer, Reviews

EPOCHS = 4
LEARNING_RATE = 1e-3  # Keras' default for Adam
_SEED = 1

PADDING, START, INFREQUENT = 0, 1, 2
FIRST_WORD = 4  # Keras adds 3 to a word's rank, which starts at 1
_SEPARATORS = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', " "))


@dataclass(frozen=True)
class KerasText:
    """Text as ids, as Keras has it: padded at the front, and cut there."""

    words: dict[str, int]
    length: int

    @classmethod
    def count(cls, texts: Iterable[str], entries: int, length: int) -> KerasText:
        """Count the most frequent words; ids from 0 to ``entries`` - 1."""
        counts = Counter(word for text in texts for word in _split(text))
        frequent = counts.most_common(entries - FIRST_WORD)
        return cls({word: FIRST_WORD + rank for rank, (word, _) in enumerate(frequent)}, length)

    def encode(self, text: str) -> npt.NDArray[np.int64]:
        """Give [length] ids of the review's last words."""
        ids = [START, *(self.words.get(word, INFREQUENT) for word in _split(text))][-self.length :]
        return np.array([PADDING] * (self.length - len(ids)) + ids, np.int64)

    def encode_all(self, texts: Iterable[str]) -> Tensor:
        """Give [texts, length] ids."""
        return torch.from_numpy(np.stack([self.encode(text) for text in texts]))


def _split(text: str) -> list[str]:
    return text.lower().translate(_SEPARATORS).split()


class DropoutLSTM(nn.LSTM):
    """An LSTM with Keras' dropout of inputs and states: one mask a gate for all steps."""

    def __init__(self, inputs: int, units: int, drop: float) -> None:
        super().__init__(inputs, units, batch_first=True)
        self.drop = drop

    def last_state(self, inputs: Tensor) -> Tensor:
        """Give [reviews, units] the state after the last of [reviews, steps, inputs]."""
        if not self.training or not self.drop:
            state: Tensor = self(inputs)[1][0][-1]
            return state
        return self._last_state_of_training(inputs)

    def _last_state_of_training(self, inputs: Tensor) -> Tensor:
        reviews, _, size = inputs.shape
        kept = functional.dropout(inputs.new_ones(4, reviews, 1, size), self.drop)
        masks = functional.dropout(inputs.new_ones(4, reviews, self.hidden_size), self.drop)
        input_weights, state_weights, *biases = self.all_weights[0]
        into = input_weights.view(4, 1, self.hidden_size, size).transpose(2, 3)
        across = state_weights.view(4, self.hidden_size, -1).transpose(1, 2)
        bias = (biases[0] + biases[1]).view(4, 1, 1, -1)
        driven = torch.matmul(inputs * kept, into) + bias  # [gates, reviews, steps, units]
        hidden = cell = inputs.new_zeros(reviews, self.hidden_size)
        for step in driven.unbind(2):
            i, f, g, o = torch.baddbmm(step, hidden * masks, across).unbind(0)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            hidden = o.sigmoid() * cell.tanh()
        return hidden


class CNN(nn.Module):
    """One convolution over three words, the maximum over the review, one hidden layer."""

    def __init__(self, entries: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(entries, 50)
        self.convolution = nn.Conv1d(50, 250, 3)
        self.hidden = nn.Linear(250, 250)
        self.output = nn.Linear(250, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Give [reviews] logits of [reviews, length] ids."""
        vectors = functional.dropout(self.embedding(ids), 0.2, self.training)
        found = self.convolution(vectors.transpose(1, 2)).relu().amax(2)  # [reviews, filters]
        hidden = functional.dropout(self.hidden(found), 0.2, self.training).relu()
        logits: Tensor = self.output(hidden).squeeze(1)
        return logits


class RCNN(nn.Module):
    """A convolution over five words, the maximum of each four, an LSTM over these."""

    def __init__(self, entries: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(entries, 50)
        self.convolution = nn.Conv1d(50, 64, 5)
        self.lstm = DropoutLSTM(64, 70, 0.0)
        self.output = nn.Linear(70, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Give [reviews] logits of [reviews, length] ids."""
        vectors = functional.dropout(self.embedding(ids), 0.25, self.training)
        found = functional.max_pool1d(self.convolution(vectors.transpose(1, 2)).relu(), 4)
        logits: Tensor = self.output(self.lstm.last_state(found.transpose(1, 2))).squeeze(1)
        return logits


class LSTM(nn.Module):
    """One LSTM, its last state."""

    def __init__(self, entries: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(entries, 128)
        self.lstm = DropoutLSTM(128, 128, 0.2)
        self.output = nn.Linear(128, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Give [reviews] logits of [reviews, length] ids."""
        logits: Tensor = self.output(self.lstm.last_state(self.embedding(ids))).squeeze(1)
        return logits


def initialise(network: nn.Module) -> None:
    """Set Keras' initial weights."""
    for module in network.modules():
        if isinstance(module, nn.Embedding):
            nn.init.uniform_(module.weight, -0.05, 0.05)
        elif isinstance(module, nn.Linear | nn.Conv1d):
            nn.init.xavier_uniform_(module.weight)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LSTM):
            input_weights, state_weights, *biases = module.all_weights[0]
            nn.init.xavier_uniform_(input_weights)
            nn.init.orthogonal_(state_weights)
            for bias in biases:
                nn.init.zeros_(bias)
            units = module.hidden_size
            nn.init.ones_(biases[0].data[units : 2 * units])  # of the forget gate


def run_epochs(network: nn.Module, ids: Tensor, labels: Tensor, batch: int, epochs: int) -> None:
    """Train with Adam and cross-entropy over all reviews, in another order each epoch."""
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
    network.train()
    for epoch in range(epochs):
        batches = torch.split(torch.randperm(len(labels)), batch)
        for rows in tqdm(batches, desc=f"epoch {epoch + 1}", mininterval=10):
            optimiser.zero_grad()
            loss = functional.binary_cross_entropy_with_logits(network(ids[rows]), labels[rows])
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    network.eval()


class KerasNetwork(Peer):
    """One of the post's networks."""

    package = "torch"
    network: type[CNN | RCNN | LSTM]
    """Made of how many words it knows, with random weights."""
    entries: int
    length: int
    batch: int

    def fit(self, train: Reviews, dev: Reviews, folder: Path, scratch: Path) -> None:
        """Train for four epochs; the last one's weights stay, as in the post."""
        torch.manual_seed(_SEED)
        text = KerasText.count(train.texts, self.entries, self.length)
        network = self.network(self.entries)
        initialise(network)
        labels = torch.from_numpy(np.asarray(train.labels, np.float32))
        run_epochs(network, text.encode_all(train.texts), labels, self.batch, EPOCHS)
        save_file(network.state_dict(), folder / "weights.safetensors")
        words = json.dumps(list(text.words), ensure_ascii=False)
        (folder / "words.json").write_text(words + "\n", encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Read words and weights."""
        words = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        self._text = KerasText({w: FIRST_WORD + i for i, w in enumerate(words)}, self.length)
        self._network = self.network(self.entries)
        self._network.load_state_dict(load_file(folder / "weights.safetensors"))
        self._network.eval()

    @torch.inference_mode()
    def logits(self, texts: Sequence[str]) -> Floats:
        """Give [texts] log odds of positive."""
        parts = torch.split(self._text.encode_all(texts), 64)
        return torch.cat([self._network(part) for part in parts]).numpy()


class KerasCNN(KerasNetwork):
    """The post's CNN."""

    name = "keras-cnn"
    network = CNN
    title = "Keras CNN"
    entries, length, batch = 5_000, 400, 64
    remark = (
        "5,000 words, the last 400 of a review, vectors of 50, 250 filters over 3 words, 250 "
        "hidden units, dropout 0.2, batches of 64, 4 epochs, Adam. Its notebook reports 0.8890, "
        "trained on all 25,000 reviews."
    )


class KerasRCNN(KerasNetwork):
    """The post's CNN below an LSTM."""

    name = "keras-rcnn"
    network = RCNN
    title = "Keras RCNN"
    entries, length, batch = 5_000, 400, 64
    remark = (
        "As the CNN, but 64 filters over 5 words, the maximum of each 4, an LSTM of 70, dropout "
        "0.25. Its notebook reports 0.8360."
    )


class KerasLSTM(KerasNetwork):
    """The post's LSTM."""

    name = "keras-lstm"
    network = LSTM
    title = "Keras LSTM"
    entries, length, batch = 20_000, 80, 32
    remark = (
        "20,000 words, the last 80 of a review, vectors of 128, an LSTM of 128 with dropout 0.2 of "
        "inputs and states, batches of 32, 4 epochs, Adam. Its notebook reports 0.8274."
    )
