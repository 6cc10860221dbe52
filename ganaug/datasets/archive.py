"""The one place that opens archives: wanted members into memory, nothing onto the disk, all of it within bounds.

An archive may be anybody's. Refused, with the archive's path and the member, are: a way out of the folder (absolute
names, `..`), links, devices, sparse files, encryption, more members or bytes than a data set has, and a bomb: more than
RATIO times its compressed size. Nothing is believed that the archive says of its own sizes; bytes are counted as they
come out.
"""

import gzip
import re
import stat
import tarfile
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from ganaug.datasets.idx import REPLACE
from ganaug.errors import UserError

MAX_MEMBERS = 1_000_000
RATIO = 200  # of bytes unpacked to bytes packed; images do not come near it
FREE = 16 << 20  # bytes that may be unpacked whatever the ratio: small files of one colour are honest

_CHUNK = 1 << 16
_PATIENCE = 16  # times that a stream may be asked again at its end
_DRIVE = re.compile(r"[A-Za-z]:")


def _refused(path: Path, name: str, rule: str) -> UserError:
    return UserError(f"{path}: member {name!r} {rule}; {REPLACE}")


def _check_name(path: Path, name: str) -> None:
    """Raise UserError for a name that would leave the folder it is unpacked in."""
    if not name:
        raise _refused(path, name, "must have a name")
    slashed = name.replace("\\", "/")
    if slashed.startswith("/") or _DRIVE.match(slashed) or ".." in slashed.split("/"):
        raise _refused(path, name, "must lie below the archive's own folder")


def _most(path: Path, total: int) -> int:
    """How many bytes may come out of an archive: `total`, and what the ratio leaves of it."""
    return min(total, max(FREE, RATIO * path.stat().st_size))


def _damaged(path: Path, kind: str, error: Exception) -> UserError:
    why = " ".join(str(error).split())[:100] or type(error).__name__
    return UserError(f"{path}: must be an undamaged {kind} archive, got “{why}”; {REPLACE}")


def _require_file(path: Path, kind: str) -> None:
    """A named pipe would block for ever."""
    if not path.is_file():
        got = "a folder" if path.is_dir() else "something else" if path.exists() else "nothing"
        raise UserError(f"{path}: must be a {kind} archive, got {got}; {REPLACE}")


@contextmanager
def _refusing(path: Path, kind: str) -> Iterator[None]:
    """Whatever Python's readers raise on damaged bytes (a dozen types) becomes one line; no memory stays what it is."""
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        raise _damaged(path, kind, error) from error


class _Counted:
    """A stream that ends in a refusal once more than `most` bytes have come out of it. Never asks for more at once
    than a chunk: a reader that is told of a terabyte would set it aside first. Nor does it say for ever that it is at
    its end: tarfile looks on there for a member's claimed bytes."""

    def __init__(self, stream: BinaryIO, path: Path, most: int) -> None:
        self.stream, self.path, self.most, self.seen, self.at_end = stream, path, most, 0, 0

    def read(self, n: int) -> bytes:
        data = self.stream.read(min(n, _CHUNK))
        self.seen += len(data)
        self.at_end += not data
        if self.at_end > _PATIENCE:
            raise UserError(
                f"{self.path}: must hold the bytes that its members claim, got fewer (truncated); {REPLACE}"
            )
        if self.seen > self.most:
            raise UserError(f"{self.path}: must unpack to at most {self.most} bytes, got more; {REPLACE}")
        return data


def _read_member(stream: BinaryIO, path: Path, name: str, most: int) -> Iterator[bytes]:
    """A member's bytes in chunks, refused once they are more than `most`."""
    seen = 0
    while chunk := stream.read(_CHUNK):
        seen += len(chunk)
        if seen > most:
            raise _refused(path, name, f"must hold at most {most} bytes, got more")
        yield chunk


def _wanted_of_tar(archive: tarfile.TarFile, path: Path, wanted: Collection[str], most: int) -> dict[str, bytes]:
    held: dict[str, bytes] = {}
    for at, member in enumerate(archive):
        if at >= MAX_MEMBERS:
            raise UserError(f"{path}: must have at most {MAX_MEMBERS} members, got more; {REPLACE}")
        _check_name(path, member.name)
        if member.issparse() or not (member.isreg() or member.isdir()):
            raise _refused(path, member.name, "must be a file or a folder, no link, device or sparse file")
        name = PurePosixPath(member.name).name
        if name not in wanted or not member.isreg() or name in held:
            continue
        if member.size > most:
            raise _refused(path, member.name, f"must hold at most {most} bytes, got {member.size}")
        stream = archive.extractfile(member)
        assert stream is not None  # a regular file has one
        held[name] = b"".join(_read_member(cast(BinaryIO, stream), path, member.name, most))
        if len(held[name]) != member.size:
            raise _refused(path, member.name, f"must hold {member.size} bytes, got {len(held[name])} (truncated)")
    return held


def read_tar_gz(path: Path, wanted: Collection[str], most: int, total: int) -> dict[str, bytes]:
    """The wanted members of a .tar.gz by their name without folders, in one pass; the first of a name counts.

    most: bytes of a member.  total: bytes of the whole archive, unpacked.
    Raises UserError, one line, for a damaged archive and for what this module refuses.
    """
    _require_file(path, ".tar.gz")
    with _refusing(path, ".tar.gz"), gzip.open(path) as stream:
        counted = _Counted(cast(BinaryIO, stream), path, _most(path, total))
        # as a stream: what seeks can be sent back by a negative size, and reads the same member for ever
        with tarfile.open(fileobj=cast(BinaryIO, counted), mode="r|") as archive:
            return _wanted_of_tar(archive, path, wanted, most)


class ZipReader:
    """A zip file's members. Use `open_zip`."""

    def __init__(self, archive: zipfile.ZipFile, path: Path, total: int) -> None:
        self._archive, self.path = archive, path
        self._left = self._most = _most(path, total)
        self.names = self._checked_names()

    def _checked_names(self) -> list[str]:
        infos = self._archive.infolist()
        if len(infos) > MAX_MEMBERS:
            raise UserError(f"{self.path}: must have at most {MAX_MEMBERS} members, got {len(infos)}; {REPLACE}")
        for info in infos:
            _check_name(self.path, info.filename)
            kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where whoever packed it said nothing
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refused(self.path, info.filename, "must be a file or a folder, no link or device")
        return [info.filename for info in infos if not info.is_dir()]

    def chunks(self, name: str, most: int) -> Iterator[bytes]:
        """The bytes of a member in pieces; UserError where it is damaged or has more than `most`."""
        with _refusing(self.path, "zip"):
            info = self._archive.getinfo(name)
            if info.flag_bits & 1:
                raise _refused(self.path, name, "must not be encrypted")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others unpack without bounds
                raise _refused(self.path, name, "must be stored or deflated")
            if info.file_size > most:
                raise _refused(self.path, name, f"must hold at most {most} bytes, got {info.file_size}")
            if info.file_size > max(FREE, RATIO * info.compress_size):
                raise _refused(self.path, name, f"must unpack to at most {RATIO} times its packed size, got more")
            with self._archive.open(info) as stream:
                for chunk in _read_member(cast(BinaryIO, stream), self.path, name, most):
                    self._left -= len(chunk)
                    if self._left < 0:
                        raise UserError(
                            f"{self.path}: must unpack to at most {self._most} bytes in all, got more; {REPLACE}"
                        )
                    yield chunk

    def read(self, name: str, most: int) -> bytes:
        """A member whole; UserError as `chunks`."""
        return b"".join(self.chunks(name, most))


@contextmanager
def open_zip(path: Path, total: int) -> Iterator[ZipReader]:
    """A zip file, its directory read and checked.  total: bytes that may be read of it in all.

    Raises UserError, one line, for a damaged archive and for what this module refuses.
    """
    _require_file(path, "zip")
    with _refusing(path, "zip"):
        archive = zipfile.ZipFile(path)
    with archive:
        yield ZipReader(archive, path, total)
