"""The 200 Pomeranians of the Oxford-IIIT Pet data set (Parkhi, Vedaldi, Zisserman & Jawahar 2012), one class.

The publisher's two archives unpacked below `oxford-iiit-pet/`, as torchvision does: `images/` and `annotations/`. Its
split into trainval and test is of breeds to be told apart; here is one breed, so both are read.
"""

import re
from pathlib import Path

import numpy as np

from ganaug.datasets.dataset import Dataset
from ganaug.datasets.describe import Summary
from ganaug.datasets.image_file import Skipping, read_image
from ganaug.errors import UserError

BREED = "pomeranian"
LISTS = ("trainval.txt", "test.txt")
_NAMED = re.compile(rf"{BREED}_[0-9]{{1,6}}(?= |$)", re.ASCII)  # a number, so no way out of the folder


def _root(data_dir: Path) -> Path:
    return data_dir / "oxford-iiit-pet"


def _lists(data_dir: Path) -> list[Path]:
    """The files that name the images: both halves, or the publisher's list of all."""
    folder = _root(data_dir) / "annotations"
    whole = folder / "list.txt"
    halves = [folder / name for name in LISTS]
    return [whole] if whole.is_file() and not all(half.is_file() for half in halves) else halves


def _names(data_dir: Path) -> list[str]:
    """The breed's images, from lines such as `pomeranian_101 26 2 18`: name, class, species, breed."""
    found = []
    for path in _lists(data_dir):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: must be a readable list of images, got “{error}”; replace it") from None
        found += [line.split(" ")[0] for line in lines if _NAMED.match(line)]
    if not found:
        raise UserError(f"{_root(data_dir) / 'annotations'}: its lists must name images {BREED}_1 and so on, got none")
    return sorted(set(found), key=lambda name: int(name.rpartition("_")[2]))


def missing_pomeranian(data_dir: Path) -> list[Path]:
    """The lists and the folder of images that are not there."""
    needed = [*_lists(data_dir), _root(data_dir) / "images"]
    return [path for path in needed if not path.exists()]


def summarize_pomeranian(data_dir: Path) -> Summary:
    """What is there; no image is opened."""
    if missing := missing_pomeranian(data_dir):
        return Summary(BREED, str(_root(data_dir)), (BREED,), missing=tuple(missing))
    n = len(_names(data_dir))
    return Summary(BREED, str(_root(data_dir)), (BREED,), per_class=(n, n))


def load_pomeranian(data_dir: Path, size: int, on_bad_image: str = "refuse") -> Dataset:
    """(200, 3, size, size) uint8, by number: the central square of each photograph, resized; no official test.

    on_bad_image: `refuse`, or `skip` to leave damaged ones out; the data set says which.
    Raises UserError, one line, for absent or damaged files.
    """
    if missing := missing_pomeranian(data_dir):
        wanted = ", ".join(str(path.relative_to(_root(data_dir))) for path in missing)
        raise UserError(f"pomeranian needs the Oxford-IIIT Pet data set: put {wanted} into {_root(data_dir)}")
    names = _names(data_dir)
    images, n = np.empty((len(names), 3, size, size), np.uint8), 0
    reading = Skipping(BREED, on_bad_image)
    for path in (_root(data_dir) / "images" / f"{name}.jpg" for name in names):
        image = reading(read_image, path, size, 3)
        if image is not None:
            images[n], n = image, n + 1
    if n == 0:
        raise UserError(f"{_root(data_dir) / 'images'}: has no whole image left, every one was skipped")
    return Dataset(BREED, (BREED,), images[:n], np.zeros(n, np.int64), skipped=tuple(reading.skipped))
