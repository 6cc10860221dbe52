"""Images written as other tools read them: PNGs in class folders, one safetensors file, or MNIST's IDX files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

import numpy as np

from ganaug.errors import UserError
from sweeps.export import Format
from sweeps.export.collection import KINDS, Collection
from sweeps.export.names import class_folders

IDX_HOME = "MNIST/raw"  # where torchvision.datasets.MNIST(root) looks

Files = list[str]
"""Where each image went, relative to the folder."""


def check(form: Format, shape: tuple[int, int, int], n_classes: int) -> None:
    """Raise UserError where a format cannot hold such images (C, H, W)."""
    if form is Format.idx and shape[0] != 1:
        raise UserError(
            f"--format idx: must be grey images, MNIST's format has no colour, got {shape[0]} channels; "
            "use folder or safetensors"
        )
    if form is Format.idx and n_classes > 256:
        raise UserError(f"--format idx: must have at most 256 classes, got {n_classes}; use folder or safetensors")


def _png(path: Path, image: np.ndarray) -> None:
    """One uint8 (C, H, W) image, grey or RGB, without loss."""
    from PIL import Image

    Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(path, "PNG")  # -> (H, W, C)


def _write_folder(folder: Path, collection: Collection) -> Files:
    homes = class_folders(collection.classes)
    part = "" if collection.test is None else "train/"

    def write(images: Collection, above: str) -> Files:
        digits = len(str(max(len(images.labels) - 1, 0)))
        # the number is the place in the training set, so that names sort in its order
        names = [
            f"{above}{homes[label]}/{i:0{digits}}_{kind}.png"
            for i, (label, kind) in enumerate(zip(images.labels, images.kinds, strict=True))
        ]
        for label in np.unique(images.labels):
            (folder / above / homes[label]).mkdir(parents=True)
        for name, image in zip(names, images.images, strict=True):
            _png(folder / name, image)
        return names

    return write(collection, part) + (write(collection.test, "test/") if collection.test else [])


def _arrays(collection: Collection, above: str = "") -> dict[str, np.ndarray]:
    return {
        f"{above}images": np.ascontiguousarray(collection.images),
        f"{above}labels": collection.labels.astype(np.int64),
        f"{above}kinds": np.array([KINDS.index(k) for k in collection.kinds], np.uint8),
        f"{above}probabilities": collection.probabilities,
    }


def _write_safetensors(folder: Path, collection: Collection) -> Files:
    from safetensors.numpy import save

    name, test = "images.safetensors", collection.test
    arrays = _arrays(collection) | (_arrays(test, "test_") if test else {})
    told = {"classes": list(collection.classes), "kinds": list(KINDS), "ids": collection.ids.tolist()}
    told |= {"test_ids": test.ids.tolist()} if test else {}
    (folder / name).write_bytes(save(arrays, {k: json.dumps(v) for k, v in told.items()}))
    return [name] * (len(collection.labels) + (len(test.labels) if test else 0))


def _idx(array: np.ndarray) -> bytes:
    """uint8 in IDX: 0, 0, type 8, number of axes, big-endian sizes, values."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


def _write_idx(folder: Path, collection: Collection) -> Files:
    (folder / IDX_HOME).mkdir(parents=True)

    def write(images: Collection, prefix: str) -> Files:
        name = f"{IDX_HOME}/{prefix}-images-idx3-ubyte"
        (folder / name).write_bytes(_idx(images.images[:, 0]))  # (N, 1, H, W) -> (N, H, W)
        (folder / IDX_HOME / f"{prefix}-labels-idx1-ubyte").write_bytes(_idx(images.labels))
        return [name] * len(images.labels)

    return write(collection, "train") + (write(collection.test, "t10k") if collection.test else [])


def write_images(form: Format, folder: Path, collection: Collection) -> Files:
    """Write a collection, and its test images where it has some, into `folder`; the file of each image."""
    check(form, collection.images.shape[1:], len(collection.classes))
    writer: Callable[[Path, Collection], Files]
    match form:
        case Format.folder:
            writer = _write_folder
        case Format.safetensors:
            writer = _write_safetensors
        case Format.idx:
            writer = _write_idx
        case _:
            assert_never(form)
    return writer(folder, collection)
