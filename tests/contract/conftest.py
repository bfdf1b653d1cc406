"""The shipped bundles, and the real data set where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from model_training.corpus.cache import Corpus, prepare_corpus
from model_training.paths import MODELS
from model_training.serving.scorer import Model, load_model
from tests.needs import need


@pytest.fixture(scope="session", params=["modern", "classic"])
def bundle(request: pytest.FixtureRequest) -> Path:
    return MODELS / str(request.param)


@pytest.fixture(scope="session")
def model(bundle: Path) -> Model:
    return load_model(bundle)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The official data set, verified. REELTONE_ARCHIVE names its archive."""
    archive = os.environ.get("REELTONE_ARCHIVE", "")
    need(Path(archive).is_file(), "REELTONE_ARCHIVE names no copy of aclImdb_v1.tar.gz")
    return prepare_corpus(tmp_path_factory.mktemp("data"), Path(archive))
