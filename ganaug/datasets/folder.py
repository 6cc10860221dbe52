"""The user's own images: a folder with a sub-folder per class, or `train/` and `test/` that hold those.

Nothing is left out in silence: what looks like an image but would not be read is an error that names it.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganaug.datasets.dataset import Dataset
from ganaug.datasets.describe import Summary
from ganaug.datasets.image_file import Skipping, is_grey, read_image
from ganaug.errors import UserError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
OTHER_IMAGES = frozenset({".avif", ".bmp", ".gif", ".heic", ".jp2", ".tif", ".tiff", ".webp"})
MAX_CLASSES = 256  # records keep predicted classes as uint8
SIZES = range(4, 1025)


@dataclass(frozen=True)
class _Item:
    path: Path
    label: int
    test: bool


def natural(name: str) -> tuple[list[str | int], str]:
    """Sorts `img2` before `img10`; the name itself breaks ties such as `img2` and `img02`."""
    parts = re.split(r"([0-9]+)", name)  # text and digits take turns, so equal places compare
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """The sub-folders and the files of `folder` in natural order, hidden ones (`.DS_Store`) aside."""
    try:
        names = sorted((name for name in os.listdir(folder) if not name.startswith(".")), key=natural)
    except OSError as error:
        raise UserError(f"{folder}: must be a readable folder of images, got “{error.strerror}”") from error
    paths = [folder / name for name in names]
    return [path for path in paths if path.is_dir()], [path for path in paths if not path.is_dir()]


def _images_of_class(folder: Path) -> list[Path]:
    folders, files = _entries(folder)
    if folders:
        raise UserError(
            f"{folder}: a class folder must hold images only, got the sub-folder {folders[0].name!r}; "
            "move its images up (an official split needs exactly train/ and test/ at the top)"
        )
    for path in files:
        if path.suffix.lower() in OTHER_IMAGES:
            raise UserError(f"{path}: images must be PNG or JPEG, got {path.suffix}; convert it or remove it")
    images = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not images:
        raise UserError(f"{folder}: a class must hold at least one PNG or JPEG image, got none; fill it or remove it")
    return images


def _classes(folder: Path) -> dict[str, list[Path]]:
    """The images of each class, both in natural order."""
    folders, _ = _entries(folder)
    if not folders:
        raise UserError(f"{folder}: must have one sub-folder of images per class, got no sub-folders")
    if len(folders) > MAX_CLASSES:
        raise UserError(f"{folder}: must have at most {MAX_CLASSES} classes (sub-folders), got {len(folders)}")
    for path in folders:
        if not path.name.isprintable():
            raise UserError(f"{folder}: class names must be printable, got {path.name!r}; rename the folder")
    return {path.name: _images_of_class(path) for path in folders}


def _has_official_split(folder: Path) -> bool:
    """Exactly `train/` and `test/`, with sub-folders of their own: else they are two classes."""
    folders, _ = _entries(folder)
    return {path.name for path in folders} == {"train", "test"} and any(_entries(path)[0] for path in folders)


def _list(folder: Path) -> tuple[tuple[str, ...], list[_Item], bool]:
    """Class names, items in the order of the data set, and whether the folder has an official split."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; `path` must name a folder with one sub-folder of images per class")
    split = _has_official_split(folder)
    parts = {False: _classes(folder / "train"), True: _classes(folder / "test")} if split else {False: _classes(folder)}
    classes = tuple(parts[False])
    if split and (odd := sorted(parts[False].keys() ^ parts[True].keys(), key=natural)):
        raise UserError(f"{folder}: train/ and test/ must have the same classes, got {odd[0]!r} in one of them only")
    items = [
        _Item(path, classes.index(name), test)
        for test, part in parts.items()
        for name, paths in part.items()
        for path in paths
    ]
    return classes, items, split


def missing_folder(path: Path) -> list[Path]:
    """The folder itself where it is not there."""
    return [] if path.is_dir() else [path]


def summarize_folder(path: Path) -> Summary:
    """What `load_folder` would load; no image is opened. Raises UserError for a folder it would refuse."""
    if missing := missing_folder(path):
        return Summary("folder", str(path), (), missing=tuple(missing))
    classes, items, _ = _list(path)
    counts = np.bincount([item.label for item in items])
    return Summary("folder", str(path), classes, per_class=(int(counts.min()), int(counts.max())))


def _kept(path: Path, classes: tuple[str, ...], items: list[_Item]) -> None:
    """Raise UserError where a class, or its test images, were all skipped."""
    there = {(item.label, item.test) for item in items}
    for test in sorted({test for _, test in there}):
        for label, name in enumerate(classes):
            if (label, test) not in there:
                part = " of test/" if test else ""
                raise UserError(f"{path}: class {name!r}{part} has no whole image left, every one was skipped")


def load_folder(path: Path, size: int, channels: int | None = None, on_bad_image: str = "refuse") -> Dataset:
    """(N, channels, size, size) uint8, by class and file name in natural order, `train/` before `test/`.

    size: side in pixels; see `read_image` for how an image of any shape gets there.
    channels: 1 grey, 3 colour, None for grey where every file stores grey values and colour otherwise.
    on_bad_image: `refuse`, or `skip` to leave damaged files out; the data set says which.
    Raises UserError, one line, for options out of range, another layout, and a file that is no image.
    """
    if isinstance(size, bool) or not isinstance(size, int) or size not in SIZES:
        raise UserError(f"folder: size must be a whole number of pixels from {SIZES[0]} to {SIZES[-1]}, got {size!r}")
    if channels is not None and (isinstance(channels, bool) or channels not in (1, 3)):
        raise UserError(f"folder: channels must be 1 (grey), 3 (colour) or left out, got {channels!r}")
    classes, items, split = _list(path)
    reading = Skipping("folder", on_bad_image)
    if channels is None:
        grey = [(item, reading(is_grey, item.path)) for item in items]
        items = [item for item, found in grey if found is not None]
        channels = 1 if all(found for _, found in grey if found is not None) else 3
    images = np.empty((len(items), channels, size, size), np.uint8)
    kept: list[_Item] = []
    for item in items:
        image = reading(read_image, item.path, size, channels)
        if image is not None:
            images[len(kept)] = image
            kept.append(item)
    _kept(path, classes, kept)
    labels = np.array([item.label for item in kept], np.int64)
    test = np.array([item.test for item in kept]) if split else None
    return Dataset(path.name, classes, images[: len(kept)], labels, test, skipped=tuple(sorted(reading.skipped)))
