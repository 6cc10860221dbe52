"""Where a store's files lie: bytes under names like `blobs/ab/abcd…`, put whole or not at all."""

import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from ganaug.errors import DiskError, UserError
from ganaug.failpoints import put_point

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class File:
    """A file of a place. modified: seconds since 1970 by the place's own clock."""

    name: str
    bytes: int
    modified: float

    @property
    def left_over(self) -> bool:
        """Whether it is what a killed writer left of a file on its way; nobody reads such a file."""
        return self.name.rpartition("/")[2].startswith(".")


class Place(Protocol):
    """What a store asks of a directory, a bucket, or anything else that keeps files."""

    uri: str
    """How a user, another process or another node names it."""
    at_once: int
    """How many files are best read at a time: 1 where one after the other is as fast."""

    def make(self) -> None:
        """Make it ready to be written to; UserError where that cannot be."""

    def read(self, name: str) -> bytes:
        """A file's bytes; FileNotFoundError."""

    def exists(self, name: str) -> bool: ...

    def put(self, name: str, data: bytes, replace: bool) -> bool:
        """Put a file whole or not at all; False where it was there already and `replace` is False.

        DiskError where it cannot be written.
        """

    def names(self, folder: str) -> Iterator[str]:
        """The names of all files below a folder, those on their way into it left out."""

    def files(self, folder: str) -> Iterator[File]:
        """All files below a folder, those on their way into it too."""

    def file(self, name: str) -> File | None:
        """One file as it is now; None where it is not there."""

    def now(self) -> float:
        """The place's own clock, seconds since 1970: ours may be wrong."""

    def rename(self, name: str, new: str) -> None:
        """Give a file another name; nothing happens where it is gone."""

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens where it is gone."""


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Directory:
    """A directory of this machine, or one that all nodes share (NFS)."""

    at_once = 1

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        self.uri = str(self.root)

    def make(self) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"--store {self.root}: cannot be made: {error.strerror}") from None

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def exists(self, name: str) -> bool:
        return (self.root / name).exists()

    def put(self, name: str, data: bytes, replace: bool) -> bool:
        """Written under a temporary name and synced; then renamed over the old one, or linked where there is none."""
        try:
            return self._put(name, data, replace)
        except OSError as error:
            raise DiskError.of(self.root / name, error) from None

    def _put(self, name: str, data: bytes, replace: bool) -> bool:
        path = self.root / name
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        put_point(name, "begun")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                put_point(name, "written")
                os.fsync(file.fileno())
            put_point(name, "synced")
            if replace:
                os.replace(temporary, path)
            else:
                try:
                    os.link(temporary, path)
                except FileExistsError:
                    return False
            put_point(name, "placed")
            _sync_directory(path.parent)
            return True
        finally:
            temporary.unlink(missing_ok=True)
            put_point(name, "kept")

    def names(self, folder: str) -> Iterator[str]:
        for path in (self.root / folder).rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(self.root).as_posix()

    def files(self, folder: str) -> Iterator[File]:
        for path in (self.root / folder).rglob("*"):
            if path.is_file() and (found := self.file(path.relative_to(self.root).as_posix())):
                yield found

    def file(self, name: str) -> File | None:
        try:
            said = (self.root / name).stat()
        except FileNotFoundError:
            return None
        return File(name, said.st_size, said.st_mtime)

    def now(self) -> float:
        with tempfile.NamedTemporaryFile(prefix=".now.", dir=self.root) as file:
            return os.fstat(file.fileno()).st_mtime

    def rename(self, name: str, new: str) -> None:
        try:
            (self.root / name).replace(self.root / new)
        except FileNotFoundError:  # another reader was faster
            return

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)


def many(place: Place, function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """`map`, and at a place that is far away many at a time."""
    if place.at_once == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(place.at_once) as pool:
        yield from pool.map(function, items)


def place(uri: str | Path) -> Place:
    """The place that a URI names: a directory's path, file://…, s3://…; UserError for what cannot hold a store."""
    text = str(uri)
    scheme = text.partition("://")[0] if "://" in text else "file"
    if scheme == "s3":
        from sweeps.store.s3 import Bucket

        return Bucket(text)
    if scheme != "file":
        raise UserError(
            f"--store {scheme}://…: must be a directory that every node can reach, e.g. an NFS mount, "
            "file:///directory, or s3://bucket/prefix"
        )
    return Directory(Path(text.removeprefix("file://")))


def is_here(uri: str) -> bool:
    """Whether a store's place is there to be opened; opening a directory that is not would make an empty one. A bucket
    says so itself when it is opened."""
    found = place(uri)
    return not isinstance(found, Directory) or found.root.is_dir()
