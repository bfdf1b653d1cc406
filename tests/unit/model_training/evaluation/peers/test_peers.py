"""The compared models, each trained on a few made-up reviews."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from model_training.evaluation.peers import counted_words, keras_networks, pretrained
from model_training.evaluation.peers.__main__ import make_peers
from model_training.evaluation.peers.counted_words import (
    BoostedTrees,
    FastText,
    NaiveBayesSVM,
    NaiveBayesSVMPeer,
)
from model_training.evaluation.peers.keras_networks import (
    CNN,
    LSTM,
    RCNN,
    DropoutLSTM,
    KerasCNN,
    KerasLSTM,
    KerasRCNN,
    KerasText,
)
from model_training.evaluation.peers.peer import (
    Peer,
    PeerError,
    Reviews,
    fit_platt,
    log_odds,
    optional,
)
from model_training.evaluation.peers.pretrained import Bundle, MiniLM, TextBlob, Vader
from model_training.paths import MODELS
from model_training.serving.scorer import load_model
from tests.needs import need

GOOD = ["A wonderful film, I loved it.", "Great fun and beautiful!", "An excellent, happy film."]
BAD = ["A dreadful film, I hated it.", "Awful, ugly and boring!", "A terrible, sad mess."]
TEXTS = (GOOD + BAD) * 12
LABELS = np.array(([1] * len(GOOD) + [0] * len(BAD)) * 12)
REVIEWS = Reviews(TEXTS, LABELS)

MODULES = {
    BoostedTrees: "xgboost",
    FastText: "fasttext",
    MiniLM: "sentence_transformers",
    TextBlob: "textblob",
    Vader: "vaderSentiment",
}


def need_module_of(kind: type[Peer]) -> None:
    module = MODULES.get(kind)
    if module is not None:
        need(find_spec(module) is not None, f"{module} is not installed: pip install '.[peers]'")


@pytest.fixture
def short_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings with which few reviews are enough."""
    for kind in (KerasCNN, KerasRCNN, KerasLSTM):
        monkeypatch.setattr(kind, "batch", 4)
        monkeypatch.setattr(kind, "length", 40)
    monkeypatch.setattr(keras_networks, "LEARNING_RATE", 1e-2)
    monkeypatch.setitem(counted_words.FAST_TEXT, "bucket", 1_000)
    monkeypatch.setitem(counted_words.XGBOOST, "min_child_weight", 1)


def train(peer: Peer, folder: Path) -> Peer:
    """What a later run makes of what ``peer`` learned."""
    kept, scratch = folder / "kept", folder / "scratch"
    kept.mkdir()
    scratch.mkdir()
    peer.fit(REVIEWS, REVIEWS, kept, scratch)
    later = type(peer)()
    later.load(kept)
    return later


@pytest.mark.slow
@pytest.mark.usefixtures("short_training")
@pytest.mark.parametrize(
    "kind",
    [
        BoostedTrees,
        FastText,
        KerasCNN,
        KerasLSTM,
        KerasRCNN,
        MiniLM,
        NaiveBayesSVMPeer,
        TextBlob,
        Vader,
    ],
)
def test_a_peer_tells_good_from_bad_after_it_was_trained_and_loaded(
    kind: type[Peer], tmp_path: Path
) -> None:
    need_module_of(kind)
    peer = train(kind(), tmp_path)
    logits = peer.logits(GOOD + BAD)
    assert logits.shape == (6,)
    assert (logits[:3] > 0).all() and (logits[3:] < 0).all()
    assert logits[1] == pytest.approx(peer.logits([GOOD[1]])[0], abs=0.1)
    assert all(path.is_file() for path in peer.files())
    assert peer.version().startswith(f"{peer.package} ")


def test_every_peer_has_a_name_of_its_own_and_a_remark() -> None:
    peers = make_peers()
    assert len({peer.name for peer in peers}) == len(peers)
    assert all(peer.remark.endswith(".") for peer in peers)


def test_a_missing_package_is_named_with_what_installs_it() -> None:
    with pytest.raises(PeerError, match=r"no_such_package is not installed.*peers"):
        optional("no_such_package")


def test_an_absent_package_has_no_version() -> None:
    peer = NaiveBayesSVMPeer()
    peer.package = "no-such-package"
    assert peer.version() == ""


def test_a_bundle_scores_as_it_is_served() -> None:
    peer = Bundle("modern", "modern", "As it ships.")
    peer.load(Path("unused"))
    model = load_model(MODELS / "modern")
    expected = model.score([model.vocabulary.encode_ids(text) for text in TEXTS[:6]])
    probabilities = 1 / (1 + np.exp(-peer.logits(TEXTS[:6])))
    assert probabilities == pytest.approx([result.probability for result in expected], abs=1e-6)
    assert peer.version() == model.version
    assert sum(path.stat().st_size for path in peer.files()) > 1e6


def test_platt_scaling_finds_the_line_that_made_the_labels() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(0.3, 0.05, 40_000)
    labels = random.random(40_000) < 1 / (1 + np.exp(-(30 * scores - 8)))
    line = fit_platt(scores, labels.astype(int))
    assert line.slope == pytest.approx(30, rel=0.05)
    assert line.intercept == pytest.approx(-8, rel=0.05)


def test_log_odds_of_rounded_probabilities_are_finite() -> None:
    assert log_odds(np.array([0.5])) == pytest.approx([0.0])
    assert np.isfinite(log_odds(np.array([0.0, 1.0, 1.00001]))).all()


def test_a_lexicon_says_where_its_own_threshold_is(tmp_path: Path) -> None:
    need_module_of(TextBlob)
    peer = train(TextBlob(), tmp_path)
    assert peer.own_threshold == pytest.approx(peer.logits(["Nothing said here."])[0])


def test_a_saved_svm_decides_as_before(tmp_path: Path) -> None:
    tokens = [text.lower().split() for text in TEXTS]
    model = NaiveBayesSVM().fit(tokens, LABELS)
    model.save(tmp_path)
    assert NaiveBayesSVM().load(tmp_path).decide(tokens) == pytest.approx(model.decide(tokens))


class TestKerasNetworks:
    """Against what the post's notebooks print, and against PyTorch's own LSTM."""

    def test_text_is_encoded_as_keras_encodes_it(self) -> None:
        text = KerasText.count(["the film, the end", "the FILM<br />"], entries=6, length=5)
        assert text.words == {"the": 4, "film": 5}
        assert text.encode("The film!").tolist() == [0, 0, 1, 4, 5]
        assert text.encode("a film of the film: end").tolist() == [5, 2, 4, 5, 2]

    @pytest.mark.parametrize(
        ("network", "parameters"),
        # PyTorch's LSTM has a second vector of biases, 4 for each unit.
        [
            (CNN(5_000), 350_751),
            (RCNN(5_000), 303_935 + 4 * 70),
            (LSTM(20_000), 2_691_713 + 4 * 128),
        ],
    )
    def test_a_network_has_as_many_weights_as_the_notebook_says(
        self, network: torch.nn.Module, parameters: int
    ) -> None:
        assert sum(weights.numel() for weights in network.parameters()) == parameters

    def test_the_lstm_of_training_is_that_of_scoring_when_nothing_is_dropped(self) -> None:
        torch.manual_seed(0)
        lstm = DropoutLSTM(6, 5, drop=1e-12)
        inputs = torch.randn(3, 7, 6)
        torch.testing.assert_close(lstm.last_state(inputs), lstm.eval().last_state(inputs))

    def test_the_lstm_drops_in_training_alone(self) -> None:
        lstm = DropoutLSTM(6, 5, drop=0.5)
        inputs = torch.randn(3, 7, 6)
        assert not torch.equal(lstm.last_state(inputs), lstm.last_state(inputs))
        lstm.eval()
        assert torch.equal(lstm.last_state(inputs), lstm.last_state(inputs))

    def test_weights_start_as_in_keras(self) -> None:
        network = LSTM(50)
        keras_networks.initialise(network)
        assert network.embedding.weight.abs().max() <= 0.05
        _, state_weights, bias, other_bias = network.lstm.all_weights[0]
        assert (bias[128:256] == 1).all() and bias.sum() == 128 and (other_bias == 0).all()
        torch.testing.assert_close(state_weights.T @ state_weights, torch.eye(128))


@pytest.mark.slow
def test_fasttext_keeps_the_learning_rate_that_is_best_on_dev(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_module_of(FastText)
    monkeypatch.setitem(counted_words.FAST_TEXT, "bucket", 1_000)
    monkeypatch.setattr(counted_words, "RATES", (1e-9, 0.5, 2e-9))
    peer = train(FastText(), tmp_path)
    assert (peer.logits(BAD) < 0).all() and (peer.logits(GOOD) > 0).all()


def test_embeddings_of_an_interrupted_run_are_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_module_of(MiniLM)
    monkeypatch.setattr(pretrained, "_CHUNK", 40)
    np.savez(tmp_path / "00000.npz", vectors=np.eye(40, 384, dtype=np.float32), seconds=12.5)
    peer = MiniLM()
    peer.fit(REVIEWS, REVIEWS, tmp_path, tmp_path)
    assert peer.earlier_seconds == 12.5
    assert np.load(tmp_path / "00040.npz")["vectors"].shape == (32, 384)
