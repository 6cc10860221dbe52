"""Where a store's files lie: bytes under names like `blobs/ab/abcd…`, put whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from ganaug.errors import DiskError, UserError
from ganaug.failpoints import failpoint


class Place(Protocol):
    """What a store asks of a directory, a bucket, or anything else that keeps files."""

    uri: str
    """How a user, another process or another node names it."""

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
        path, kind = self.root / name, name.partition("/")[0]
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        failpoint(f"{kind}.begun")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                failpoint(f"{kind}.written")
                os.fsync(file.fileno())
            failpoint(f"{kind}.synced")
            if replace:
                os.replace(temporary, path)
            else:
                try:
                    os.link(temporary, path)
                except FileExistsError:
                    return False
            failpoint(f"{kind}.placed")
            _sync_directory(path.parent)
            return True
        finally:
            temporary.unlink(missing_ok=True)
            failpoint(f"{kind}.kept")

    def names(self, folder: str) -> Iterator[str]:
        for path in (self.root / folder).rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(self.root).as_posix()

    def rename(self, name: str, new: str) -> None:
        try:
            (self.root / name).replace(self.root / new)
        except FileNotFoundError:  # another reader was faster
            return

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)


def place(uri: str | Path) -> Place:
    """The place that a URI names: a directory's path, or file://…; UserError for what cannot hold a store."""
    text = str(uri)
    if "://" in text and not text.startswith("file://"):
        raise UserError(f"--store {text}: must be a directory that every node can reach, e.g. an NFS mount")
    return Directory(Path(text.removeprefix("file://")))
