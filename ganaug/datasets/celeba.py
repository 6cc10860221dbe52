"""CelebA's aligned faces (Liu, Luo, Wang & Tang 2015, arXiv:1411.7766): 202,599 JPEGs of 178 x 218 pixels, one class.

The publisher's folder `img_align_celeba` or its zip file, below `celeba/`, as torchvision lays them out. Identities and
attributes are not read: a study of generators needs faces, not whose.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ganaug.datasets.archive import open_zip
from ganaug.datasets.dataset import Dataset
from ganaug.datasets.describe import Summary
from ganaug.datasets.image_file import Skipping, image_size, read_file, read_image
from ganaug.errors import UserError
from ganaug.randomness import numpy_rng

WIDTH, HEIGHT = 178, 218
IMAGES = 5000  # read where the study does not say how many
NAMES = ("img_align_celeba", "img_align_celeba.zip")
MAX_BYTES = 16 << 20  # of a JPEG; a face has about ten thousand
MAX_TOTAL = 16 << 30  # of all that are read from the zip file; the publisher's has 1.4 GB


def _places(data_dir: Path) -> tuple[Path, Path]:
    folder, archive = (data_dir / "celeba" / name for name in NAMES)
    return folder, archive


def _there(data_dir: Path) -> Path | None:
    """The folder, or else the zip file."""
    folder, archive = _places(data_dir)
    return folder if folder.is_dir() else archive if archive.is_file() else None


def _names(place: Path) -> list[str]:
    """The JPEGs in their order; hidden ones aside."""
    if place.is_dir():
        found = [path.name for path in place.iterdir()]
    else:
        with open_zip(place, MAX_TOTAL) as archive:
            found = archive.names
    names = sorted(n for n in found if n.lower().endswith(".jpg") and not Path(n).name.startswith("."))
    if not names:
        raise UserError(f"{place}: must hold CelebA's aligned JPEGs (000001.jpg and so on), got none")
    return names


def _files(place: Path, names: list[str]) -> Iterator[tuple[Path, bytes]]:
    """What each file holds, under the path that an error names."""
    if place.is_dir():
        for name in names:
            yield place / name, read_file(place / name, MAX_BYTES)
        return
    with open_zip(place, MAX_TOTAL) as archive:
        for name in names:
            yield place / name, archive.read(name, MAX_BYTES)


def missing_celeba(data_dir: Path) -> list[Path]:
    """The zip file, where neither it nor the folder is there."""
    return [] if _there(data_dir) else [_places(data_dir)[1]]


def summarize_celeba(data_dir: Path) -> Summary:
    """What is there; no image is opened."""
    folder, _ = _places(data_dir)
    place = _there(data_dir)
    if place is None:
        return Summary("celeba", str(folder.parent), ("face",), missing=tuple(missing_celeba(data_dir)))
    n = len(_names(place))
    return Summary("celeba", str(place), ("face",), per_class=(n, n))


def _face(path: Path, size: int, data: bytes) -> np.ndarray:
    """(3, size, size) uint8 of one file. UserError where it is damaged or not aligned."""
    width, height = image_size(path, data)
    if (width, height) != (WIDTH, HEIGHT):
        raise UserError(f"{path}: must be an aligned image of {WIDTH} x {HEIGHT} pixels, got {width} x {height}")
    return read_image(path, size, 3, data)


def load_celeba(data_dir: Path, size: int, images: int = IMAGES, on_bad_image: str = "refuse") -> Dataset:
    """(images, 3, size, size) uint8: the square of 178 pixels about the centre, resized; no official test.

    images: how many, drawn once without replacement; the same for the same number of files, and in their order.
    on_bad_image: `refuse`, or `skip` to leave damaged ones out of them; the data set says which.
    Raises UserError, one line, for absent files, fewer than `images`, and a file that is damaged or not aligned.
    """
    place = _there(data_dir)
    if place is None:
        folder, archive = _places(data_dir)
        raise UserError(
            f"celeba needs its aligned images: put {archive.name} or the folder {folder.name} into {folder.parent}"
        )
    names = _names(place)
    if images > len(names):
        raise UserError(f"dataset.images: {place} holds {len(names)} images, got {images}; ask for fewer")
    drawn = np.sort(numpy_rng(0, "celeba", len(names)).choice(len(names), images, replace=False))
    out, n = np.empty((images, 3, size, size), np.uint8), 0
    reading = Skipping("celeba", on_bad_image)
    for path, data in _files(place, [names[i] for i in drawn]):
        image = reading(_face, path, size, data)
        if image is not None:
            out[n], n = image, n + 1
    if n == 0:
        raise UserError(f"{place}: has no whole image left, every one of {images} was skipped")
    return Dataset("celeba", ("face",), out[:n], np.zeros(n, np.int64), skipped=tuple(reading.skipped))
