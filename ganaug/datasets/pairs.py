"""IDX files come in pairs: a split's images and a split's labels, which say nothing of each other.

Nothing in the format ties the two together, so the publisher's count does: torchvision loads ten images with
thirty labels without a word. The file names are torchvision's; each may be raw or end in .gz.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganaug.datasets.describe import Summary
from ganaug.datasets.idx import REPLACE, read_idx, read_shape
from ganaug.errors import UserError

SIDE = 28  # pixels: every data set of the MNIST family


@dataclass(frozen=True)
class Pair:
    """One split: the names of its two files without .gz, the publisher's number of images, and the labels."""

    images: str
    labels: str
    n: int
    allowed: range


@dataclass(frozen=True)
class Pairs:
    """The two splits of one data set, and the folder that holds, or should hold, their four files."""

    name: str
    folder: Path
    train: Pair
    test: Pair

    def missing(self) -> list[Path]:
        """The files that are neither there raw nor as .gz, under the names the publishers use: with .gz."""
        names = (self.train.images, self.train.labels, self.test.images, self.test.labels)
        return [self.folder / f"{name}.gz" for name in names if not _exists(self.folder / name)]


def _exists(path: Path) -> bool:
    return _stored(path).exists()


def _stored(path: Path) -> Path:
    """The raw file where both are there, as torchvision leaves them: it reads the raw one, and so do we."""
    return path if path.exists() else path.with_name(f"{path.name}.gz")


def _read_labels(folder: Path, pair: Pair) -> np.ndarray:
    """(n,) uint8 labels, as many and within the range that the publisher states."""
    path = _stored(folder / pair.labels)
    (declared,) = read_shape(path, ndim=1)  # before the values are unpacked
    if declared != pair.n:
        raise UserError(f"{path}: must hold {pair.n} labels, got {declared}; {REPLACE}")
    labels = read_idx(path, ndim=1)
    low, high = pair.allowed[0], pair.allowed[-1]
    if len(labels) and not (low <= labels.min() and labels.max() <= high):
        raise UserError(f"{path}: labels must lie in {low} to {high}, got {labels.min()} to {labels.max()}; {REPLACE}")
    return labels


def read_pair(folder: Path, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 28, 28) uint8 as stored and labels (n,) uint8 as stored, row for row. Raises UserError."""
    labels = _read_labels(folder, pair)
    path = _stored(folder / pair.images)
    shape = read_shape(path, ndim=3)
    if shape != (pair.n, SIDE, SIDE):
        raise UserError(
            f"{path}: must hold {pair.n} images of {SIDE} x {SIDE} pixels, one per label, "
            f"got {' x '.join(map(str, shape))}; {REPLACE}"
        )
    return read_idx(path, ndim=3), labels


def require(pairs: Pairs) -> None:
    """Raises UserError, naming the files and their folder, where any of the four is not there."""
    if missing := pairs.missing():
        names = ", ".join(path.name for path in missing)
        raise UserError(
            f"{pairs.name} needs {len(missing)} more of its 4 files: "
            f"run `ganaug data get {pairs.name}`, or put {names} (or gunzipped, without .gz) into {pairs.folder}"
        )


def summarize(pairs: Pairs, classes: tuple[str, ...], first: int = 0) -> Summary:
    """What is there, from labels and headers alone; label `first` is class 0, others are not counted."""
    if missing := pairs.missing():
        return Summary(pairs.name, str(pairs.folder), classes, missing=tuple(missing))
    counts = np.zeros(len(classes), np.int64)
    for pair in (pairs.train, pairs.test):
        labels = _read_labels(pairs.folder, pair)
        counts += np.bincount(labels, minlength=256)[first : first + len(classes)]
    side = read_shape(_stored(pairs.folder / pairs.train.images), ndim=3)[-1]
    return Summary(pairs.name, str(pairs.folder), classes, per_class=(int(counts.min()), int(counts.max())), size=side)
