"""The small sets of labelled texts: verified, downloaded or copied, and what their rows say."""

from __future__ import annotations

import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from model_training.corpus import labelled
from model_training.corpus.labelled import (
    COUNTERFACTUAL,
    SST2,
    Labelled,
    Source,
    digest_rows,
    join_penn,
    prepare_labelled,
)
from model_training.errors import ArchiveError
from tests.needs import need

TRAIN = "sentence\tlabel\nit is n't bad \t1\n-lrb- dull -rrb- \t0\n"
DEV = "sentence\tlabel\na fine film .\t1\n"


@pytest.fixture
def source() -> Source:
    digests = {
        "train.tsv": digest_rows([("it is n't bad", "1"), ("-lrb- dull -rrb-", "0")]),
        "dev.tsv": digest_rows([("a fine film .", "1")]),
    }
    return replace(SST2, digests=digests)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    folder.mkdir()
    (folder / "train.tsv").write_text(TRAIN)
    (folder / "dev.tsv").write_text(DEV)
    return folder


def test_a_copy_is_read_and_kept(source: Source, copy: Path, tmp_path: Path) -> None:
    train, dev = prepare_labelled(source, tmp_path / "data", copy)
    assert train == Labelled(["it isn't bad", "(dull)"], [1.0, 0.0])
    assert dev == Labelled(["a fine film."], [1.0])
    (copy / "train.tsv").unlink()
    assert prepare_labelled(source, tmp_path / "data") == (train, dev)


def test_a_zip_is_read_without_what_else_is_in_it(
    source: Source, copy: Path, tmp_path: Path
) -> None:
    path = tmp_path / "SST-2.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {"train.tsv": TRAIN, "dev.tsv": DEV, "test.tsv": "x"}.items():
            archive.writestr(f"SST-2/{name}", text)
    train, _ = prepare_labelled(source, tmp_path / "data", path)
    assert len(train) == 2
    assert sorted(file.name for file in (tmp_path / "data/sst2").iterdir()) == [
        "dev.tsv",
        "train.tsv",
    ]


def test_what_is_not_there_is_downloaded(
    source: Source, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(url: str, path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("SST-2/train.tsv", TRAIN)
            archive.writestr("SST-2/dev.tsv", DEV)

    monkeypatch.setattr(labelled, "download", download)
    assert len(prepare_labelled(source, tmp_path / "data")[0]) == 2


@pytest.mark.parametrize("change", ["1", "x", "\n", "it is n't bad \t0\n"])
def test_other_rows_are_refused_and_not_kept(
    source: Source, copy: Path, tmp_path: Path, change: str
) -> None:
    (copy / "train.tsv").write_text(TRAIN + change)
    with pytest.raises(ArchiveError, match="SHA-256"):
        prepare_labelled(source, tmp_path / "data", copy)
    assert not (tmp_path / "data/sst2/train.tsv").exists()


def test_a_copy_that_lacks_a_file_or_is_no_zip_is_named(
    source: Source, copy: Path, tmp_path: Path
) -> None:
    (copy / "dev.tsv").unlink()
    with pytest.raises(ArchiveError, match=r"no dev\.tsv"):
        prepare_labelled(source, tmp_path / "data", copy)
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(ArchiveError, match="no readable zip"):
        prepare_labelled(source, tmp_path / "data", tmp_path / "text.zip")


def test_a_counterfactual_row_is_quoted() -> None:
    rows = COUNTERFACTUAL.read('Sentiment\tText\tbatch_id\nNegative\t"Not ""good"""\t4\n')
    assert [COUNTERFACTUAL.label(row) for row in rows] == [('Not "good"', 0.0)]


@pytest.mark.parametrize(
    ("penn", "joined"),
    [
        ("it 's funny , and it is n't clever .", "it's funny, and it isn't clever."),
        ("you ca n't -lrb- really -rrb-", "you can't (really)"),
        ("`` fine '' , he said", '" fine ", he said'),
        ("about $ 5", "about $5"),
    ],
)
def test_what_the_penn_tokenizer_took_apart_is_joined(penn: str, joined: str) -> None:
    assert join_penn(penn) == joined


@pytest.mark.parametrize(
    ("source", "variable", "counts"),
    [
        (COUNTERFACTUAL, "REELTONE_COUNTERFACTUAL", (3_414, 490)),
        (SST2, "REELTONE_SST2", (67_349, 872)),
    ],
    ids=["counterfactual", "sst2"],
)
def test_the_sets_themselves_are_those_that_are_pinned(
    source: Source, variable: str, counts: tuple[int, int], tmp_path: Path
) -> None:
    need(variable in os.environ, f"{variable} names no copy of the {source.name} set")
    parts = prepare_labelled(source, tmp_path, Path(os.environ[variable]))
    assert tuple(map(len, parts)) == counts
