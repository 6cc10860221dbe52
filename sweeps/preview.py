"""The images of a preview: made by the same split, the same strengths and the same draws as in a study of seed 0."""

from pathlib import Path

import numpy as np

from ganaug import specs
from ganaug.datasets import load
from ganaug.datasets.dataset import Dataset
from ganaug.errors import UserError
from ganaug.randomness import derive, numpy_rng
from sweeps.study import Study

VARIANTS = 6  # of an image
LOOK = 30  # images of a data set
OFFLINE = 100  # images that the words on offline augmentation are about


def rows_of(da: str) -> list[str]:
    """The augmentations to draw, a row each: `a+b` is a, b and both at once. UserError for an unknown one."""
    if da == "all":
        return list(specs.DA_TYPES)
    try:
        types = specs.parse_da(da)
    except ValueError as error:
        raise UserError(f"preview: {error}; or all") from None
    return [*types, *(["+".join(types)] if len(types) > 1 else [])]


def variants(image: np.ndarray, da: str, strength: specs.AugmentationSpec, fill_of: np.ndarray) -> np.ndarray:
    """Six variants of one image (C, H, W) uint8 as a classifier of seed 0 would see them, (6, C, H, W) uint8.

    fill_of: the images (N, C, H, W) whose background lies outside.
    """
    from ganaug.augmentation import online
    from ganaug.images import background, to_float, to_uint8
    from ganaug.randomness import torch_rng

    batch = to_float(np.repeat(image[None], VARIANTS, axis=0))
    draws = torch_rng(derive(0, "member", 0), "classifier", "da")
    return to_uint8(online(batch, specs.parse_da(da), strength, background(fill_of), draws)).numpy()


def _training_images(dataset: Dataset, study: Study) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, C, H, W) and their labels but for the test images, which are nobody's to look at before the end."""
    from ganaug.split import hold_out

    known = dataset.test is not None or study.dataset.test_per_class is not None
    keep = ~hold_out(dataset, study.dataset.test_per_class) if known else np.ones(len(dataset.labels), np.bool_)
    return dataset.images[keep], dataset.labels[keep]


def _counted(images: np.ndarray, da: str, strength: specs.AugmentationSpec) -> str:
    """How many images offline augmentation really adds, tried out on the first ones."""
    from ganaug.augmentation import distinct, offline
    from ganaug.randomness import torch_rng

    some = images[:OFFLINE]
    asked = 2 * len(some)
    made, _, _ = offline(
        some, np.zeros(len(some), np.int64), specs.parse_da(da), asked, strength, torch_rng(0, "gan da")
    )
    new = distinct(some, made)
    return (
        f"offline {da}: asked for {asked} new images from {len(some)} real ones, {new} of them differ from each other "
        f"and from the real ones; {len(some) + new} different images in all"
    )


def draw(da: str, study: Study, data: Path, out: Path) -> list[str]:
    """Write the picture to `out`; lines on what is in it. UserError as `load` and `rows_of`."""
    from analysis.figures.preview import look, variant_rows
    from analysis.figures.sheet import save

    rows = [] if da == "none" else rows_of(da)
    dataset = load(study.dataset.name, data, **study.dataset.options)
    images, labels = _training_images(dataset, study)
    held = len(dataset.labels) - len(labels)
    apart = f"{held:,} test images left out" if held else "no official test images"
    marks = [f"{len(dataset.classes)} classes, {len(labels):,} images, {apart}"]
    if dataset.synthetic:
        marks.append("synthetic: drawn by a program")
    if study.stands_in_for:
        marks.append(f"stand-in for {study.stands_in_for}")
    told = f"{dataset.name}: {', '.join(marks)}"
    if da == "none":
        at = numpy_rng(0, "look").permutation(len(labels))[:LOOK]
        save(look(images[at], [dataset.classes[i] for i in labels[at]], told), out, colours=0)
        return [told]
    image = images[int(numpy_rng(0, "preview").integers(len(images)))]
    made = [(name, variants(image, name, study.augmentation, images)) for name in rows]
    save(variant_rows(image, made, told), out, colours=0)
    return [told, *(_counted(images, name, study.augmentation) for name in rows if "+" not in name or len(rows) == 1)]
