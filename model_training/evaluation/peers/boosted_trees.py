"""XGBoost on counts of stems, as courses on deploying such a model train it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer

from model_training.evaluation.peers.peer import Floats, Peer, Reviews, classic, optional

WORDS = 5_000
ROUNDS = 500
PATIENCE = 10  # rounds without a better dev error
SETTINGS: dict[str, Any] = {
    "objective": "binary:logistic",
    "max_depth": 5,
    "eta": 0.2,
    "gamma": 4,
    "min_child_weight": 6,
    "subsample": 0.8,
    "eval_metric": "error",
    "nthread": 1,
    "seed": 1,
}


class BoostedTrees(Peer):
    """Gradient-boosted trees on the 5,000 most frequent stems."""

    name = "xgboost"
    title = "XGBoost, 5,000 counts"
    family = "words and n-grams"
    package = "xgboost-cpu"
    remark = (
        "The classic bag of words (lower case, stop words out, Porter stems, 5,000 counts), with "
        "the settings of SageMaker's examples: depth 5, eta 0.2, gamma 4, minimum child weight "
        "6, subsample 0.8, at most 500 rounds, stopped after 10 without a better dev error."
    )

    def fit(self, train: Reviews, dev: Reviews, folder: Path, scratch: Path) -> None:
        """Choose the words, then grow trees until dev gets no better."""
        xgboost = optional("xgboost")
        counter = CountVectorizer(analyzer=classic, max_features=WORDS, dtype=np.float32)
        counts = xgboost.DMatrix(counter.fit_transform(train.texts), train.labels)
        dev_counts = xgboost.DMatrix(counter.transform(dev.texts), dev.labels)
        trees = xgboost.train(
            SETTINGS,
            counts,
            ROUNDS,
            evals=[(dev_counts, "dev")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        trees[: trees.best_iteration + 1].save_model(folder / "trees.ubj")
        words = json.dumps(counter.get_feature_names_out().tolist())
        (folder / "words.json").write_text(words + "\n", encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Read words and trees."""
        words = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        self._counter = CountVectorizer(analyzer=classic, vocabulary=words, dtype=np.float32)
        trees = folder / "trees.ubj"
        self._trees = optional("xgboost").Booster({"nthread": 1}, model_file=trees)

    def logits(self, texts: Sequence[str]) -> Floats:
        """[texts] log odds of positive: the trees' sum."""
        counts: sp.csr_matrix = self._counter.transform(texts)
        margins: Floats = self._trees.inplace_predict(counts, predict_type="margin")
        return margins
