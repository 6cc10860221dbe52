"""Archives that nobody should be able to hurt us with."""

import gzip
import io
import stat
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ganaug.datasets import archive
from ganaug.datasets.archive import open_zip, read_tar_gz
from ganaug.errors import UserError

END = "; replace it with the publisher's file"
Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> Member:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, link
    return info, data


def tar_of(path: Path, *members: Member) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for info, data in members:
            file.addfile(info, io.BytesIO(data))
    return path


def refusal(read: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        read()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def read_tar(path: Path, most: int = 100, total: int = 1 << 30) -> dict[str, bytes]:
    return read_tar_gz(path, ("wanted",), most, total)


def read_zip(path: Path, name: str = "wanted", most: int = 100, total: int = 1 << 30) -> bytes:
    with open_zip(path, total) as found:
        return found.read(name, most)


def zip_of(
    path: Path, name: str = "wanted", data: bytes = b"x", how: int = zipfile.ZIP_DEFLATED, mode: int = 0
) -> Path:
    with zipfile.ZipFile(path, "w", how) as file:
        info = zipfile.ZipInfo(name)
        info.external_attr, info.compress_type = mode << 16, how
        file.writestr(info, data)
    return path


def test_wanted_members_are_read_and_others_passed_over(tmp_path):
    path = tar_of(
        tmp_path / "a.tar.gz", member("other", b"o"), member("below/wanted", b"one"), member("wanted", b"two")
    )
    assert read_tar(path) == {"wanted": b"one"}
    path = zip_of(tmp_path / "a.zip", "below/wanted", b"one")
    assert read_zip(path, "below/wanted") == b"one"


@pytest.mark.parametrize("name", ["../wanted", "/etc/wanted", "a/../../wanted", "..\\wanted", "C:\\wanted"])
def test_a_way_out_is_refused(tmp_path, name):
    told = f"member {name!r} must lie below the archive's own folder{END}"
    path = tar_of(tmp_path / "a.tar.gz", member(name, b"x"))
    assert refusal(lambda: read_tar(path)) == f"{path}: {told}"
    path = zip_of(tmp_path / "a.zip", name)
    assert refusal(lambda: read_zip(path)) == f"{path}: {told}"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    path = tar_of(tmp_path / "a.tar.gz", member("wanted", b"", kind, "/etc/passwd"))
    assert refusal(lambda: read_tar(path)) == (
        f"{path}: member 'wanted' must be a file or a folder, no link, device or sparse file{END}"
    )


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_of_a_zip_file_are_refused(tmp_path, mode):
    path = zip_of(tmp_path / "a.zip", data=b"/etc/passwd", mode=mode | 0o777)
    assert refusal(lambda: read_zip(path)) == (
        f"{path}: member 'wanted' must be a file or a folder, no link or device{END}"
    )


def test_a_member_of_too_many_bytes_is_refused(tmp_path):
    path = tar_of(tmp_path / "a.tar.gz", member("wanted", bytes(101)))
    assert refusal(lambda: read_tar(path)) == f"{path}: member 'wanted' must hold at most 100 bytes, got 101{END}"
    path = zip_of(tmp_path / "a.zip", data=bytes(101))
    assert refusal(lambda: read_zip(path)) == f"{path}: member 'wanted' must hold at most 100 bytes, got 101{END}"


def test_a_member_that_lies_about_its_size_ends_where_it_says(tmp_path):
    """64 MB behind a header that says 50 bytes: no more is unpacked than the header says, and that is damage."""
    path = zip_of(tmp_path / "a.zip", data=bytes(64 << 20))
    with zipfile.ZipFile(path) as file:
        (size,) = (info.file_size for info in file.infolist())
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), (50).to_bytes(4, "little")))
    tracemalloc.start()
    try:
        assert refusal(lambda: read_zip(path)).startswith(f"{path}: must be an undamaged zip archive, got “")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_bomb_does_not_go_off(tmp_path, monkeypatch):
    """120 MB of zeros in 0.1 MB: beyond what is free, and beyond RATIO times the file."""
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb", 6) as file:
        info = tarfile.TarInfo("unwanted")
        info.size = 120 << 20
        file.write(info.tobuf())
        for _ in range(120):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        told = refusal(lambda: read_tar(path, total=1 << 40))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    most = archive.RATIO * path.stat().st_size
    assert told == f"{path}: must unpack to at most {most} bytes, got more{END}"
    assert refusal(lambda: read_tar(path, total=20 << 20)).startswith(
        f"{path}: must unpack to at most {20 << 20} bytes"
    )

    path = zip_of(tmp_path / "a.zip", data=bytes(20 << 20))
    assert refusal(lambda: read_zip(path, most=1 << 30)) == (
        f"{path}: member 'wanted' must unpack to at most 200 times its packed size, got more{END}"
    )
    monkeypatch.setattr(archive, "FREE", 10)
    path = zip_of(tmp_path / "b.zip", data=bytes(range(256)))
    assert refusal(lambda: read_zip(path, most=1000, total=200)) == (
        f"{path}: must unpack to at most 200 bytes in all, got more{END}"
    )


def test_a_header_that_claims_a_terabyte_allocates_none(tmp_path):
    path = tmp_path / "a.tar.gz"
    info = tarfile.TarInfo("name")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40  # an extended header, which is read whole
    path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
    tracemalloc.start()
    try:
        assert refusal(lambda: read_tar(path)).startswith(f"{path}: must be an undamaged .tar.gz archive, got “")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_member_that_claims_what_is_not_there_is_not_looked_for_for_ever(tmp_path):
    path, info = tmp_path / "a.tar.gz", tarfile.TarInfo("unwanted")
    for info.size in (8**11 - 1, 1 << 60):
        path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(20_000)))
        assert refusal(partial(read_tar, path)) == (
            f"{path}: must hold the bytes that its members claim, got fewer (truncated){END}"
        )


def test_a_member_without_a_name_is_refused(tmp_path):
    path = zip_of(tmp_path / "a.zip")
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\1\2")
    data[at + 28 : at + 30] = b"\0\0"  # the length of its name
    del data[at + 46 : at + 52]
    end = data.index(b"PK\5\6")
    data[end + 12 : end + 16] = (46).to_bytes(4, "little")
    path.write_bytes(data)
    assert refusal(lambda: read_zip(path)) == f"{path}: member '' must have a name{END}"


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    path = tar_of(tmp_path / "a.tar.gz", *(member(f"f{i}") for i in range(4)))
    assert refusal(lambda: read_tar(path)) == f"{path}: must have at most 3 members, got more{END}"
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        for i in range(4):
            file.writestr(f"f{i}", b"")
    assert refusal(lambda: read_zip(path)) == f"{path}: must have at most 3 members, got 4{END}"


def test_encryption_and_compressions_without_bounds_are_refused(tmp_path):
    for how in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        path = zip_of(tmp_path / "a.zip", how=how)
        told = refusal(partial(read_zip, path))
        assert told == f"{path}: member 'wanted' must be stored or deflated{END}"
    path = zip_of(tmp_path / "b.zip", how=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    assert refusal(lambda: read_zip(path)) == f"{path}: member 'wanted' must not be encrypted{END}"


def test_what_is_no_archive_is_refused(tmp_path):
    assert refusal(lambda: read_tar(tmp_path)) == f"{tmp_path}: must be a .tar.gz archive, got a folder{END}"
    assert refusal(lambda: read_zip(tmp_path / "x")) == f"{tmp_path / 'x'}: must be a zip archive, got nothing{END}"


def test_only_one_module_opens_archives():
    root = Path(archive.__file__).parents[2]
    named = ("tarfile", "zipfile", "shutil.unpack_archive")
    openers = [
        path.relative_to(root).as_posix()
        for package in ("ganaug", "sweeps", "analysis")
        for path in (root / package).rglob("*.py")
        if any(name in path.read_text(encoding="utf-8") for name in named)
    ]
    assert openers == ["ganaug/datasets/archive.py"]
