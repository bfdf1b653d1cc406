"""What is compared to choose the text processing, and that each choice gets its line."""

from __future__ import annotations

from functools import partialmethod
from pathlib import Path

import pytest

from model_training.corpus.cache import Corpus
from model_training.evaluation.peers.text_choices import choices, main


@pytest.mark.parametrize(
    ("choice", "tokens"),
    [
        ("modern: all tokens, all words", ["it", "wasn't", "bad", ",", "wow", "!"]),
        ("classic: stems, no stop words", ["bad", "wow"]),
        ("case kept", ["It", "wasn't", "bad", ",", "WOW", "!"]),
        ("capitals marked", ["it", "wasn't", "bad", ",", "wow", "<capitals>", "!"]),
        ("no punctuation", ["it", "wasn't", "bad", "wow"]),
        ("negations split (did n't)", ["it", "was", "n't", "bad", ",", "wow", "!"]),
    ],
)
def test_a_choice_differs_from_the_modern_tokens_in_what_its_name_says(
    choice: str, tokens: list[str]
) -> None:
    assert choices([])[choice]("It wasn't bad, WOW!") == tokens


def test_a_smaller_vocabulary_has_the_frequent_words() -> None:
    text = " ".join(f"w{number}x " * (2 if number < 10_000 else 1) for number in range(10_001))
    keep = choices([text])["10,000 words"]
    assert keep("w9999x w10000x w1x") == ["w9999x", "<infrequent>", "w1x"]


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        ("first 256 tokens", [*range(256)]),
        ("last 512", [*range(88, 600)]),
        ("first 128, last 384", [*range(128), *range(216, 600)]),
    ],
)
def test_a_long_review_is_cut_as_the_choice_says(choice: str, kept: list[int]) -> None:
    cut = choices([])[choice]
    words = [f"w{number}x" for number in range(600)]
    assert cut(" ".join(words)) == [words[number] for number in kept]
    assert cut("short") == ["short"]


def test_each_choice_gets_a_line_with_its_accuracy(
    corpus: Corpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    few = partialmethod(Corpus.train_and_dev, dev_reviews=20)
    monkeypatch.setattr(Corpus, "train_and_dev", few)
    main(["--data-dir", str(tmp_path / "data")])
    lines = capsys.readouterr().out.splitlines()
    scores = {line[:32].strip(): float(line[32:]) for line in lines}
    assert scores.keys() == choices([]).keys()
    # The made-up reviews say the same few sentences over and over.
    assert set(scores.values()) == {1.0}
