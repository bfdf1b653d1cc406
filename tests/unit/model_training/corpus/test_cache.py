"""The data set: verified, split by movies, cached; and the weights that a teacher starts from."""

from __future__ import annotations

import bz2
import functools
import hashlib
import http.server
import io
import lzma
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model_training.corpus import cache, pretrained
from model_training.corpus.__main__ import main
from model_training.corpus.acl_imdb import URL, download, read_archive
from model_training.corpus.cache import Corpus, prepare_corpus
from model_training.corpus.pretrained import FILES, prepare_pretrained
from model_training.errors import ArchiveError, ConfigError, PretrainedError
from review_text import CLASSIC, MODERN, Vocabulary
from tests.small_corpus import GOOD, REVIEWS, make_files, write_archive


def test_reviews_are_read_in_the_order_of_their_numbers(corpus: Corpus) -> None:
    train = corpus.split("train")
    assert len(train.texts) == 2 * REVIEWS
    assert train.texts[1] == f"{GOOD[1]} <br />number 1"
    assert train.labels.tolist() == [1] * REVIEWS + [0] * REVIEWS
    assert train.movies[:5].tolist() == [1000, 1000, 1000, 1000, 1001]
    assert set(corpus.split("unsup").labels) == {-1}


def test_no_movie_is_in_train_and_dev(corpus: Corpus) -> None:
    train, dev = corpus.train_and_dev(dev_reviews=12)
    whole = corpus.split("train")
    assert 12 <= len(dev.texts) < 24
    assert not set(train.movies) & set(dev.movies)
    said = zip([*train.texts, *dev.texts], [*train.labels, *dev.labels], strict=True)
    assert sorted(said) == sorted(zip(whole.texts, whole.labels, strict=True))


def test_no_dev_reviews_leaves_all_to_train_on(corpus: Corpus) -> None:
    train, dev = corpus.train_and_dev(dev_reviews=0)
    assert (len(train.texts), len(dev.texts)) == (2 * REVIEWS, 0)


def test_encoded_reviews_come_from_the_cache_the_second_time(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    vocabulary = corpus.vocabulary(MODERN)
    first = corpus.encoded("train", vocabulary)
    monkeypatch.setattr(cache, "encode_split", None)
    monkeypatch.setattr(cache, "build_vocabulary", None)
    again = corpus.encoded("train", corpus.vocabulary(MODERN))
    assert np.array_equal(first.ids, again.ids)
    assert first[1].tolist() == vocabulary.encode(corpus.split("train").texts[1]).ids
    assert first.lengths.tolist() == [len(first[row]) for row in range(len(first))]


def test_rows_can_be_taken_in_any_order(corpus: Corpus) -> None:
    encoded = corpus.encoded("train", corpus.vocabulary(CLASSIC))
    taken = encoded.take(np.array([41, 3]))
    assert taken[0].tolist() == encoded[41].tolist()
    assert taken[1].tolist() == encoded[3].tolist()
    assert taken.labels.tolist() == [0, 1]


def test_a_prepared_corpus_needs_no_archive(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "archive.tar.gz").unlink()
    assert prepare_corpus(tmp_path / "data").fingerprint == corpus.fingerprint


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"nowhere\.tar\.gz is not .*: there is no such file"):
        read_archive(tmp_path / "nowhere.tar.gz")


@pytest.mark.usefixtures("small_expected")
@pytest.mark.parametrize("keep", [0.001, 0.5, 0.95])
def test_a_truncated_archive_is_damaged(tmp_path: Path, keep: float) -> None:
    path = write_archive(tmp_path / "archive.tar.gz")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(ArchiveError, match="damaged or incomplete"):
        prepare_corpus(tmp_path / "data", path)
    assert not (tmp_path / "data" / "corpus").exists()


def test_something_else_than_an_archive_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "archive.tar.gz"
    path.write_bytes(b"<html>not found</html>" * 100)
    with pytest.raises(ArchiveError, match="damaged or incomplete"):
        read_archive(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("aclImdb/test/neg/7_7.txt", "aclImdb/test/neg has 39 reviews"),
        ("aclImdb/train/urls_pos.txt", "list of movies for aclImdb/train/pos is not complete"),
    ],
)
@pytest.mark.usefixtures("small_expected")
def test_an_archive_without_a_file_says_what_is_missing(
    tmp_path: Path, name: str, message: str
) -> None:
    path = write_archive(tmp_path / "archive.tar.gz", lambda files: files.__delitem__(name))
    with pytest.raises(ArchiveError, match=message):
        read_archive(path)


@pytest.mark.usefixtures("small_expected")
def test_an_archive_with_a_changed_review_is_another_one(tmp_path: Path) -> None:
    def change(files: dict[str, bytes]) -> None:
        files["aclImdb/train/pos/0_0.txt"] += b"!"

    with pytest.raises(ArchiveError, match="aclImdb/train/pos has 40 reviews of"):
        read_archive(write_archive(tmp_path / "archive.tar.gz", change))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("aclImdb/train/pos/0_0.txt", b"wonderful", b"xxxxxxxxx"),
        ("aclImdb/train/unsup/3_3.txt", b"3", b"4"),
        ("aclImdb/test/urls_neg.txt", b"tt0002001", b"tt0002009"),
    ],
)
@pytest.mark.usefixtures("small_expected")
def test_other_reviews_of_the_same_number_and_length_are_refused(
    tmp_path: Path, name: str, old: bytes, new: bytes
) -> None:
    def change(files: dict[str, bytes]) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new)

    with pytest.raises(ArchiveError, match=r"as many and as long .*, but not the same"):
        prepare_corpus(tmp_path / "data", write_archive(tmp_path / "archive.tar.gz", change))
    assert not (tmp_path / "data" / "corpus").exists()


def unpack(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def with_macs_own(files: dict[str, bytes]) -> dict[str, bytes]:
    """Beside each file one of macOS's, as its tar and its Finder leave them."""
    beside = {f"{Path(name).parent}/._{Path(name).name}": b"\0\5\x16\7" for name in files}
    return files | beside | {"aclImdb/.DS_Store": b"\0", "aclImdb/train/pos/.DS_Store": b"\0"}


@pytest.mark.parametrize("kind", ["tar", "folder", "above", "mac", "mac folder"])
def test_what_the_archive_unpacks_to_is_as_good(corpus: Corpus, tmp_path: Path, kind: str) -> None:
    files = make_files()
    if kind == "tar":
        path = write_archive(tmp_path / "aclImdb_v1.tar")
    elif kind == "mac":
        path = write_archive(tmp_path / "mac.tar.gz", lambda f: f.update(with_macs_own(f)))
    else:
        path = unpack(tmp_path / "here", with_macs_own(files) if kind == "mac folder" else files)
        path = path if kind == "above" else path / "aclImdb"
    assert prepare_corpus(tmp_path / "other", path).fingerprint == corpus.fingerprint


@pytest.mark.usefixtures("small_expected")
def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = unpack(tmp_path, make_files()) / "aclImdb"
    (folder / "train/pos/0_0.txt").unlink()
    (folder / "train/pos/0_0.txt").symlink_to("/etc/passwd")
    with pytest.raises(ArchiveError, match=r"0_0\.txt' is a link"):
        prepare_corpus(tmp_path / "data", folder)


def zip_of(name: str, content: bytes = b"x" * 600) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr(name, content)
    return raw.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zip_of("aclImdb/README"), "a zip file; unpack it and pass its folder aclImdb"),
        (zip_of("x_test.npy"), r"a file of NumPy's.* has no texts; .*aclImdb_v1\.tar\.gz"),
        (zip_of("IMDB Dataset.csv"), "a packed table; Kaggle's has no unlabelled reviews"),
        (b'review,sentiment\n"Great.",positive\n', "a table; Kaggle's has no unlabelled"),
        (bz2.compress(b"x" * 600), "packed with bzip2; unpack it"),
        (lzma.compress(b"x" * 600), "packed with xz; unpack it"),
    ],
)
def test_another_kind_of_file_is_named_with_what_is_needed(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "some file"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=f"is not the official archive: it is {message}"):
        read_archive(path)


@pytest.mark.usefixtures("small_expected")
def test_another_folder_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveError, match="aclImdb/train/pos has 0 reviews of 0 bytes"):
        read_archive(tmp_path / "empty")


@pytest.mark.usefixtures("small_expected")
def test_files_that_are_no_reviews_are_ignored(tmp_path: Path) -> None:
    path = write_archive(
        tmp_path / "archive.tar.gz", lambda files: files.update({"aclImdb/README": b"x"})
    )
    assert len(prepare_corpus(tmp_path / "data", path).split("train").texts) == 2 * REVIEWS


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("../../evil.txt", b"x", r"'\.\./\.\./evil\.txt' leads out of the archive"),
        ("aclImdb/train/pos/x_1.txt", b"x", "x_1.txt' has a name or a line of another form"),
        ("aclImdb/train/urls_pos.txt", b"http://x", "urls_pos.txt' has a name or a line"),
        ("aclImdb/train/pos/0_0.txt", b"x" * 9_000_000, "0_0.txt' has 9,000,000 bytes; no file"),
    ],
)
@pytest.mark.usefixtures("small_expected")
def test_an_archive_that_somebody_changed_on_purpose_is_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = write_archive(tmp_path / "archive.tar.gz", lambda files: files.update({name: content}))
    with pytest.raises(ArchiveError, match=f"is not the official archive: .*{message}"):
        prepare_corpus(tmp_path / "data", path)
    assert not (tmp_path / "data" / "corpus").exists()


@pytest.mark.usefixtures("small_expected")
def test_the_command_downloads_the_archive_once_and_says_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fetch(url: str, path: Path) -> None:
        asked.append(url)
        path.parent.mkdir()
        write_archive(path)

    asked: list[str] = []
    monkeypatch.setattr(cache, "download", fetch)
    for _ in range(2):
        main(["--data-dir", str(tmp_path / "data")])
        # All movies of so small a data set are held out.
        assert capsys.readouterr().out.startswith("0 reviews to train on, 80 to choose by, ")
    assert asked == [URL]


def test_a_vocabulary_whose_ids_need_more_than_16_bits_is_refused(corpus: Corpus) -> None:
    settings = replace(MODERN, vocabulary_size=70_000)
    vocabulary = Vocabulary(settings, (f"w{number}" for number in range(65_534)))
    with pytest.raises(ConfigError, match="65536 entries needs more than 16 bits"):
        corpus.encoded("train", vocabulary)


class _Cut(http.server.SimpleHTTPRequestHandler):
    """Announces a whole file and sends the first half of it where the path ends in ``?cut``."""

    def copyfile(self, source, outputfile) -> None:  # type: ignore[no-untyped-def]
        content = source.read()
        outputfile.write(content[: len(content) // 2] if "cut" in self.path else content)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    handler = functools.partial(_Cut, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/file"
        server.shutdown()


def test_a_download_arrives_whole(site: str, tmp_path: Path) -> None:
    download(site, tmp_path / "got")
    assert (tmp_path / "got").stat().st_size == 100_000


def test_a_broken_download_is_an_error_and_never_the_file(site: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="Try again"):
        download(f"{site}?cut", tmp_path / "got")
    assert not (tmp_path / "got").exists()


def test_no_connection_is_an_error_that_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="--archive FILE"):
        download("http://127.0.0.1:1/file", tmp_path / "got")


def test_a_copy_that_is_taken_is_kept_for_jobs(corpus: Corpus, tmp_path: Path) -> None:
    archive = tmp_path / "archive.tar.gz"
    main(["--data-dir", str(tmp_path / "data"), "--archive", str(archive)])
    assert (tmp_path / "data/aclImdb_v1.tar.gz").read_bytes() == archive.read_bytes()


def test_a_folder_that_is_taken_is_no_archive_for_jobs(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = unpack(tmp_path / "here", make_files())
    main(["--data-dir", str(tmp_path / "other"), "--archive", str(folder)])
    assert corpus.fingerprint[:12] in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["corpus"]


def test_weights_that_are_not_those_that_are_pinned_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    copy.mkdir()
    with pytest.raises(PretrainedError, match=r"has no config\.json"):
        prepare_pretrained(data, copy)
    for name in FILES:
        (copy / name).write_bytes(b"")
    with pytest.raises(PretrainedError, match="SHA-256"):
        prepare_pretrained(data, copy)
    assert not data.exists()
    monkeypatch.setattr(pretrained, "WEIGHTS_SHA256", hashlib.sha256(b"").hexdigest())
    kept = prepare_pretrained(data, copy)
    assert {path.name for path in kept.iterdir()} == set(FILES)
    assert prepare_pretrained(data) == kept  # and needs no hub


def test_a_hub_that_cannot_be_reached_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(PretrainedError, match=r"huggingface\.co"):
        prepare_pretrained(tmp_path)
