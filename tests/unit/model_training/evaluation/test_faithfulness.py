"""Whether deleting the named words moves the verdict: with a model whose words add up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import spearmanr

from model_training.corpus.cache import Corpus
from model_training.errors import ReeltoneError
from model_training.evaluation import faithfulness
from model_training.evaluation.faithfulness import (
    WAYS,
    Perturbed,
    Review,
    measure,
    perturb,
    rank_correlation,
    read_review,
    result_path,
    sample_reviews,
    summarise,
)
from model_training.serving.scorer import Model, load_model
from review_text import MODERN, build_vocabulary
from tests.unit.model_training.toy_bundle import make_toy_bundle

WORDS = [f"w{chr(97 + number)}" for number in range(20)]
TEMPERATURE = 2.0


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """Each next word weighs more; the first ones speak for negative."""
    vocabulary = build_vocabulary([" ".join(WORDS) + " , , ,"], MODERN)
    weights = {word: float(number - 5) for number, word in enumerate(WORDS)} | {",": 4.0}
    return load_model(make_toy_bundle(tmp_path / "toy", vocabulary, weights, TEMPERATURE))


BOTH = {"contributions": True, "effects": True}
ONE = {"contributions": False, "effects": True}


def review_of(model: Model, words: list[str]) -> Review:
    return read_review(" ".join(words), model.vocabulary)


def sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit / TEMPERATURE)))


def test_words_are_deleted_from_the_largest_contribution_on(model: Model) -> None:
    found = perturb(model, review_of(model, WORDS[:12]), np.random.default_rng(0))
    curve = found.probabilities["contributions"]
    weights = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6]
    assert curve[0] == pytest.approx(sigmoid(6))
    assert curve[1] == pytest.approx(sigmoid(sum(weights) - 6))
    assert curve[5] == pytest.approx(sigmoid(sum(weights) - 6 - 5 - 4 - 3 - 2))


def test_of_a_negative_verdict_the_words_for_negative_go_first(model: Model) -> None:
    words = ["wa", *["wg"] * 3, *["wf"] * 8]  # -5, three times 1, eight times 0
    curve = perturb(model, review_of(model, words), np.random.default_rng(0)).probabilities
    assert curve["contributions"][0] == pytest.approx(sigmoid(2))  # of negative
    assert curve["contributions"][1] == pytest.approx(sigmoid(-3))
    assert len(curve["random"]) == faithfulness.MAX_DELETED + 1


def test_where_words_add_up_contributions_are_effects(model: Model) -> None:
    found = perturb(model, review_of(model, WORDS), np.random.default_rng(0))
    ours, exact = (found.probabilities[way] for way in WAYS[:2])
    np.testing.assert_allclose(ours, exact)
    assert found.strongest == {"contributions": True, "effects": True}
    assert found.rank_correlation == pytest.approx(1)
    random = found.probabilities["random"]
    assert (random[1:] > ours[1:]).any()


def test_punctuation_is_never_deleted(model: Model) -> None:
    review = review_of(model, [*WORDS[:12], ",", ","])
    assert len(review.words) == 12
    assert len(review.ids) == 14
    curve = perturb(model, review, np.random.default_rng(0)).probabilities["contributions"]
    # Words of -5 and -4 are left, and both commas.
    assert curve[-1] == pytest.approx(sigmoid(-9 + 8))


def test_the_result_is_the_same_each_time(model: Model) -> None:
    reviews = [review_of(model, WORDS[start:]) for start in range(5)]
    assert measure(model, reviews) == measure(model, reviews)


def test_the_summary_has_means_errors_and_the_area() -> None:
    flat = np.full(11, 0.9)
    falling = np.linspace(0.9, 0.4, 11)  # 0.65 after 5 words
    first = Perturbed(dict(zip(WAYS, (falling, falling, flat), strict=True)), 1.0, BOTH)
    second = Perturbed(dict(zip(WAYS, (flat, falling, falling), strict=True)), 0.5, ONE)
    found = summarise([first, second])
    ours = found["ways"]["contributions"]
    assert ours["drop"]["mean"] == pytest.approx(0.125)
    assert ours["drop"]["error"] == pytest.approx(0.125)
    assert ours["area"]["mean"] == pytest.approx(0.275 / 2)  # half of the mean of 0.05 … 0.5
    assert found["ways"]["effects"]["area"]["mean"] == pytest.approx(0.275)
    assert ours["curve"][10] == pytest.approx(0.25)
    assert found["below_random"] == 0.5
    assert found["rank_correlation"]["mean"] == 0.75
    assert found["strongest"] == {"contributions": 0.5, "effects": 1.0}


def test_a_verdict_is_turned_when_its_probability_falls_below_one_half() -> None:
    curve = np.array([0.9, 0.8, 0.7, 0.6, 0.55, 0.45, 0.4, 0.3, 0.2, 0.1, 0.1])
    found = summarise([Perturbed(dict.fromkeys(WAYS, curve), 1.0, BOTH)])
    assert found["ways"]["random"]["turned"] == 1.0
    assert found["below_random"] == 0.0
    assert found["rank_correlation"]["error"] == 0.0


def test_rank_correlation_is_spearmans_also_with_ties() -> None:
    random = np.random.default_rng(0)
    first, second = random.integers(0, 5, (2, 40)).astype(float)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert rank_correlation(np.ones(4), np.arange(4.0)) == 0.0


def test_reviews_are_drawn_from_those_that_the_model_held_out_in_a_fixed_order(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faithfulness, "MAX_DELETED", 4)
    asked: list[int] = []
    dev = np.arange(0, 80, 2)

    def rows(self: Corpus, dev_reviews: int) -> tuple[npt.NDArray[np.int64], ...]:
        asked.append(dev_reviews)
        return dev + 1, dev

    monkeypatch.setattr(Corpus, "train_rows", rows)
    model = load_model(make_toy_bundle(tmp_path / "toy", corpus.vocabulary(MODERN)))
    texts = corpus.split("train").texts
    reviews = sample_reviews(corpus, replace(model, dev_reviews=70), 5)
    assert asked == [70]
    assert reviews[0].ids != reviews[1].ids
    allowed = [model.vocabulary.encode(texts[int(row)]).ids for row in dev]
    assert len(reviews) == 5
    for review in reviews:
        assert review.ids in allowed
        assert len(review.words) > 4
    again = sample_reviews(corpus, model, 3)
    assert [review.ids for review in again] == [review.ids for review in reviews[:3]]


def test_reviews_without_enough_words_are_refused(corpus: Corpus, tmp_path: Path) -> None:
    model = load_model(make_toy_bundle(tmp_path / "toy", corpus.vocabulary(MODERN)))
    with pytest.raises(ReeltoneError, match="more than 10 words"):
        sample_reviews(corpus, model)


def test_the_command_keeps_the_result_for_the_model_card(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faithfulness, "MAX_DELETED", 2)
    monkeypatch.setattr(faithfulness, "DELETED", 1)
    bundle = make_toy_bundle(tmp_path / "toy", corpus.vocabulary(MODERN))
    folders = ["--data-dir", str(tmp_path / "data"), "--runs", str(tmp_path / "runs")]
    faithfulness.main([str(bundle), *folders, "--reviews", "6"])
    version = json.loads((bundle / "manifest.json").read_text())["version"]
    kept = json.loads(result_path(tmp_path / "runs", version).read_text())
    assert (kept["reviews"], kept["deleted"]) == (6, 1)
    assert set(kept["ways"]) == set(WAYS)
