"""Programs end with one clear line or none; sections of documents; archives of other people."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from model_training.archives import DAMAGE, Bounds, read_members
from model_training.errors import ArchiveError, ReeltoneError
from model_training.files import fill_section, run_command, table

PROGRAM = """
import sys
from model_training.files import run_command
def main(arguments):
    for number in range(100_000):
        print(number)
run_command(main, ValueError, [])
"""


@pytest.mark.parametrize("buffered", [True, False])
def test_a_reader_who_has_read_enough_is_no_error(buffered: bool) -> None:
    command = [sys.executable, *([] if buffered else ["-u"]), "-c", PROGRAM]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None and program.stderr is not None
        assert program.stdout.readline() == "0\n"
        program.stdout.close()
        assert program.stderr.read() == ""
    assert program.returncode == 1


def test_a_connection_that_breaks_is_not_taken_for_that_reader() -> None:
    def main(arguments: list[str]) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_command(main, ReeltoneError, [])


def test_an_expected_error_is_one_line() -> None:
    def main(arguments: list[str]) -> None:
        raise ReeltoneError("no such model")

    with pytest.raises(SystemExit, match=r"^error: no such model$"):
        run_command(main, ReeltoneError, [])


TEXT = (
    "before\n<!-- a:begin -->\nold\nlines\n<!-- a:end -->\nafter <!-- b:begin --><!-- b:end -->\n"
)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "card.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_section_is_replaced_and_nothing_else(document: Path) -> None:
    fill_section(document, "a", r"new \1 ünïcode" + "\n\n")
    new = "<!-- a:begin -->\nnew \\1 ünïcode\n<!-- a:end -->"
    assert document.read_text(encoding="utf-8") == TEXT.replace(
        "<!-- a:begin -->\nold\nlines\n<!-- a:end -->", new
    )


def test_filling_twice_gives_the_same_document(document: Path) -> None:
    fill_section(document, "b", "figures")
    once = document.read_text(encoding="utf-8")
    fill_section(document, "b", "figures")
    assert document.read_text(encoding="utf-8") == once


def test_a_document_without_the_section_or_with_it_twice_is_refused(document: Path) -> None:
    with pytest.raises(ReeltoneError, match="c:begin"):
        fill_section(document, "c", "figures")
    document.write_text(TEXT + TEXT, encoding="utf-8")
    with pytest.raises(ReeltoneError, match="once"):
        fill_section(document, "a", "figures")


def test_a_missing_document_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReeltoneError, match=r"card\.md: No such file"):
        fill_section(tmp_path / "card.md", "a", "figures")


def test_a_table_escapes_what_would_end_a_cell() -> None:
    assert table(["name"], [["a|b\nc"]]) == "| name |\n| --- |\n| a\\|b c |"


def test_columns_of_numbers_are_aligned_to_the_right() -> None:
    rows = [["first", "-0.1 ± 0.2", "1 to 9"], ["second", "12%", "more"]]
    assert table(["", "a", "b"], rows).splitlines()[1] == "| --- | ---: | --- |"
    assert table(["a", "b"], []) == "| a | b |\n| --- | --- |"


BOUNDS = Bounds(members=5, unpacked=100_000)


def pack(
    *entries: tarfile.TarInfo, fill: Callable[[tarfile.TarInfo], bytes] | None = None
) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for entry in entries:
            content = fill(entry) if fill and entry.isfile() else b""
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return raw.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def read(packed: bytes, bounds: Bounds = BOUNDS) -> dict[str, bytes]:
    return {
        member.name: member.content.read() for member in read_members(io.BytesIO(packed), bounds)
    }


def test_files_come_with_their_plain_names_and_whole_contents() -> None:
    packed = pack(
        entry("./a"), entry("folder", tarfile.DIRTYPE), entry("folder/b"), fill=lambda _: b"x" * 700
    )
    assert read(packed) == {"a": b"x" * 700, "folder/b": b"x" * 700}


@pytest.mark.parametrize(
    "name", ["../a", "a/../../b", "/etc/passwd", "a/..", "..", "..\\a", "C:\\a"]
)
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    with pytest.raises(ArchiveError, match="leads out of the archive"):
        read(pack(entry(name), fill=lambda _: b"x"))


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
    ids=["symbolic link", "hard link", "character device", "block device", "pipe"],
)
def test_what_is_no_file_or_folder_is_refused(kind: bytes) -> None:
    with pytest.raises(ArchiveError, match=r"'run\.json' is no ordinary file or folder"):
        read(pack(entry("run.json", kind, "/etc/passwd")))


def test_as_many_members_as_allowed_are_read_and_one_more_is_not() -> None:
    names = [entry(str(number)) for number in range(BOUNDS.members)]
    assert len(read(pack(*names))) == BOUNDS.members
    with pytest.raises(ArchiveError, match="more than 5 members"):
        read(pack(*names, entry("one more")))


def test_an_archive_of_the_greatest_size_is_read_and_a_byte_more_is_not() -> None:
    packed = pack(entry("a"), fill=lambda _: b"x" * 50_000)
    size = len(gzip.decompress(packed))
    assert read(packed, Bounds(5, size)) == {"a": b"x" * 50_000}
    with pytest.raises(ArchiveError, match=f"more than {size - 1:,} bytes when unpacked"):
        read(packed, Bounds(5, size - 1))


@dataclass
class Meter(io.RawIOBase):
    """A packed stream that knows how much of it was read."""

    source: io.BytesIO
    count: int = 0

    def read(self, size: int = -1) -> bytes:
        content = self.source.read(size)
        self.count += len(content)
        return content


def test_a_bomb_is_refused_long_before_it_has_gone_off() -> None:
    bomb = pack(entry("zeros"), fill=lambda _: bytes(200_000_000))
    assert len(bomb) < 250_000
    meter = Meter(io.BytesIO(bomb))
    with pytest.raises(ArchiveError, match="more than 100,000 bytes when unpacked"):
        for member in read_members(meter, BOUNDS):
            member.content.read()
    assert meter.count < len(bomb)


def test_a_bomb_in_a_header_is_refused_too() -> None:
    # The real name of what follows, according to its header 8 GB of it.
    header = entry("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    header.size = 8_000_000_000
    packed = gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1_000_000))
    with pytest.raises(ArchiveError, match="more than 100,000 bytes when unpacked"):
        read(packed)


def test_a_sparse_file_is_refused() -> None:
    made = entry("holes")
    made.pax_headers = {"GNU.sparse.size": "8000000000", "GNU.sparse.map": "0,0"}
    raw = made.tobuf(tarfile.PAX_FORMAT)
    with pytest.raises(ArchiveError, match="'holes' is no ordinary file or folder"):
        read(gzip.compress(raw + bytes(1024)))


@pytest.mark.parametrize("keep", [0, 5, 60, -8])
def test_a_cut_archive_is_damage_and_never_a_short_one(keep: int) -> None:
    packed = pack(entry("a"), fill=lambda _: bytes(range(256)) * 40)[: keep or None]
    with pytest.raises(DAMAGE):
        read(packed if keep else b"")


def test_another_compression_is_damage(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.xz", "w:xz") as archive:
        archive.addfile(entry("a"))
    with pytest.raises(DAMAGE):
        read((tmp_path / "a.tar.xz").read_bytes())
