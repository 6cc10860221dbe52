"""CIFAR-10: 60,000 photographs of 32 x 32 in 10 classes (Krizhevsky 2009, "Learning Multiple Layers of Features").

The publisher offers the same images twice. The binary version is records of 3,073 bytes: a label, then 1,024 bytes each
of red, green and blue, row by row (https://www.cs.toronto.edu/~kriz/cifar.html). The python version is pickles, and to
unpickle a file is to run what it says: so it is opened only after its md5 is found to be the published one.
Either may lie in the data folder as its archive or unpacked, as torchvision leaves it.
"""

import codecs
import hashlib
import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganaug.datasets.archive import read_tar_gz
from ganaug.datasets.dataset import Dataset
from ganaug.datasets.describe import Summary
from ganaug.datasets.idx import REPLACE
from ganaug.errors import UserError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE, PER_FILE = 32, 10_000
RECORD = 1 + 3 * SIDE * SIDE

Read = Callable[[str], bytes]
"""A file of the data set by its name, whole; raises UserError."""


@dataclass(frozen=True)
class Version:
    """One of the publisher's two archives: five training files, then the test file; names of classes.

    md5: by file, of those that may only be opened if they are the publisher's.
    """

    archive: str
    folder: str
    files: tuple[str, ...]
    names: str
    md5: dict[str, str]

    @property
    def needed(self) -> tuple[str, ...]:
        return (*self.files, self.names)


BINARY = Version(
    "cifar-10-binary.tar.gz",
    "cifar-10-batches-bin",
    (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"),
    "batches.meta.txt",
    {},
)
PYTHON = Version(
    "cifar-10-python.tar.gz",
    "cifar-10-batches-py",
    (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"),
    "batches.meta",
    {  # as torchvision.datasets.CIFAR10 has them
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    },
)


@dataclass(frozen=True)
class Found:
    """A version of the data set in the data folder: unpacked at `folder`, or in `archive`."""

    version: Version
    path: Path
    packed: bool


def _find(data_dir: Path) -> Found | None:
    """The first that is there: unpacked before packed, binary before python; None where neither is."""
    for packed in (False, True):
        for version in (BINARY, PYTHON):
            for name in ("", "cifar10", "CIFAR10", "cifar-10"):
                path = data_dir / name / (version.archive if packed else version.folder)
                whole = path.is_file() if packed else all((path / f).is_file() for f in version.needed)
                if whole:
                    return Found(version, path, packed)
    return None


def _from_folder(path: Path) -> Read:
    def read(name: str) -> bytes:
        try:
            return (path / name).read_bytes()
        except OSError as error:
            raise UserError(f"{path / name}: must be readable, got “{error.strerror or error}”; {REPLACE}") from error

    return read


def _from_archive(path: Path, version: Version) -> Read:
    """Reads the wanted members into memory, in one pass; nothing is unpacked to the disk, so no path in it matters."""
    most = PER_FILE * (RECORD + 100)  # a pickle is a little longer than its images
    held = read_tar_gz(path, version.needed, most, total=8 * most)

    def read(name: str) -> bytes:
        if name not in held:
            raise UserError(f"{path}: must hold {name}, got none; {REPLACE}")
        return held[name]

    return read


def _binary(data: bytes, where: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 3, 32, 32) uint8 and labels (n,) uint8 of one binary file."""
    if len(data) != n * RECORD:
        told = "truncated" if len(data) < n * RECORD else "too long"
        raise UserError(f"{where}: must hold {n} records of {RECORD} bytes, got {len(data)} bytes ({told}); {REPLACE}")
    records = np.frombuffer(data, np.uint8).reshape(n, RECORD)
    return records[:, 1:].reshape(n, 3, SIDE, SIDE), records[:, 0]


_NDARRAY = object()  # stands for the type: called, it would make an array of any size


class _Arrays(pickle.Unpickler):
    """Builds an array of numbers from a pickle, and nothing else: a second lock behind the md5."""

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case (("numpy.core.multiarray" | "numpy._core.multiarray"), "_reconstruct"):
                return _reconstructed
            case "numpy", "ndarray":
                return _NDARRAY
            case "numpy", "dtype":
                return np.dtype
            case "_codecs", "encode":  # how Python 3 writes bytes in the protocol of Python 2
                return codecs.encode
            case _:
                raise pickle.UnpicklingError(f"names {module}.{name}, which an array does not need")


def _reconstructed(kind: Any, shape: Any, dtype: Any) -> np.ndarray:
    """The empty array that a pickled one begins as; a true one allocates whatever shape it is told."""
    if kind is not _NDARRAY or shape != (0,):
        raise pickle.UnpicklingError("an array must begin empty")
    return np.empty(0, np.uint8)


def _pickled(data: bytes, where: str, n: int, md5: str) -> tuple[np.ndarray, np.ndarray]:
    """The same of one pickle, opened only if it is the publisher's."""
    found = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if found != md5:
        raise UserError(
            f"{where}: is a pickle and is opened only with the publisher's md5 {md5}, got {found}; {REPLACE}, or use "
            f"{BINARY.archive}"
        )
    try:
        batch = _Arrays(io.BytesIO(data), encoding="latin1").load()
        images = np.asarray(batch["data"])
        labels = np.asarray(batch["labels"], np.int64)
        if images.dtype != np.uint8 or images.shape != (n, RECORD - 1) or labels.shape != (n,):
            raise ValueError(f"data {images.dtype} {list(images.shape)} and labels {list(labels.shape)}")
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle raises whatever it likes
        why = " ".join(str(error).split())[:100] or type(error).__name__
        raise UserError(f"{where}: must be {n} pickled images and labels, got “{why}”; {REPLACE}") from error
    return images.reshape(n, 3, SIDE, SIDE), labels


def missing_cifar10(data_dir: Path) -> list[Path]:
    """Nothing where a version is there, packed or not; else the archive to put there."""
    return [] if _find(data_dir) else [data_dir / BINARY.archive]


def summarize_cifar10(data_dir: Path) -> Summary:
    """What `load_cifar10` would load, by the publisher's counts; no image is read."""
    found = _find(data_dir)
    if found is None:
        return Summary("cifar10", str(data_dir), CLASSES, missing=tuple(missing_cifar10(data_dir)))
    return Summary("cifar10", str(found.path), CLASSES, per_class=(6 * PER_FILE // 10, 6 * PER_FILE // 10), size=SIDE)


def load_cifar10(data_dir: Path, per_file: int | None = None) -> Dataset:
    """(60000, 3, 32, 32) uint8: the training files in their order, then the official test images.

    per_file: images in each of the six files; None: the official 10,000. Tests make small ones.
    Raises UserError, one line, for absent, damaged or foreign files.
    """
    found = _find(data_dir)
    if found is None:
        raise UserError(
            f"cifar10 is not in {data_dir}: run `ganaug data get cifar10`, or put {BINARY.archive} or {PYTHON.archive} "
            f"there, or unpacked as {BINARY.folder} or {PYTHON.folder}"
        )
    version, per_file = found.version, PER_FILE if per_file is None else per_file
    read = _from_archive(found.path, version) if found.packed else _from_folder(found.path)
    images, labels = [], []
    for name in version.files:
        where = f"{found.path}{': ' if found.packed else '/'}{name}"
        if version is BINARY:
            part = _binary(read(name), where, per_file)
        else:
            part = _pickled(read(name), where, per_file, version.md5[name])
        if (odd := (part[1] < 0) | (part[1] > 9)).any():
            at = int(np.argmax(odd))
            raise UserError(f"{where}: labels must lie in 0 to 9, got {part[1][at]} in record {at}; {REPLACE}")
        images.append(part[0])
        labels.append(part[1].astype(np.int64))
    if version is BINARY:
        names = tuple(read(version.names).decode("ascii", "replace").split())
        if names != CLASSES:
            raise UserError(f"{found.path}: {version.names} must name {', '.join(CLASSES)}, got {', '.join(names)}")
    return Dataset(
        "cifar10",
        CLASSES,
        images=np.concatenate(images),
        labels=np.concatenate(labels),
        test=np.arange(6 * per_file) >= 5 * per_file,
    )
