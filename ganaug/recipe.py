"""The augmentation recipe: one image's way from a data set to a record, as stages. The whole story on one screen."""

from dataclasses import dataclass
from typing import assert_never

from ganaug import specs
from ganaug.records import Arm
from ganaug.stages import (
    Augment,
    Duplicate,
    Extra,
    FitClassifier,
    FitGan,
    Measure,
    MoreReal,
    Select,
    Shuffle,
    Split,
    TestImages,
    TrainImages,
)


@dataclass(frozen=True)
class Cell:
    """One value of every factor, with the specs they act on; and the arm, which says what its extra images are."""

    dataset: str  # digest of the imported images
    n_real: int
    n_gen: int
    threshold: float
    gan_da: tuple[str, ...]
    n_da: int | None
    clf_da: tuple[str, ...]
    seed: int
    n_validation: int
    gan: specs.AnyGan
    pool: specs.PoolSpec
    augmentation: specs.AugmentationSpec
    classifier: specs.ClassifierSpec
    classifier_seeds: int = 1
    arm: Arm = "generated"


def _generated(cell: Cell, split: Split) -> Select:
    images: Split | Augment = split
    if cell.gan_da:
        n_da = cell.n_real if cell.n_da is None else cell.n_da
        images = Augment(split, cell.gan_da, n_da, cell.augmentation)
    return Select(FitGan(images, cell.gan, cell.seed), cell.pool, cell.threshold, cell.n_gen)


def _extra(cell: Cell, split: Split) -> Extra | None:
    if not cell.n_gen:
        return None
    match cell.arm:
        case "generated":
            return _generated(cell, split)
        case "shuffled":
            return Shuffle(_generated(cell, split), cell.seed)
        case "duplicated":
            return Duplicate(split, cell.n_gen)
        case "more-real":
            return MoreReal(split, cell.n_gen)
        case "real-only":
            raise ValueError(f"arm real-only has no extra images, got n_gen {cell.n_gen}")
        case _:
            assert_never(cell.arm)


def recipe(cell: Cell) -> Measure:
    """load → split → augment → fit GAN → pool → select → mix and fit classifiers → measure.

    A control's extra images take the place of the selected ones. A cell without extra images has no GAN, no pool and no
    threshold: whatever they say, it is the same cell.
    """
    split = Split(TrainImages(cell.dataset), cell.n_real, cell.n_validation, cell.seed)
    extra = _extra(cell, split)
    strength = cell.augmentation if cell.clf_da else specs.AugmentationSpec()
    classifiers = tuple(
        FitClassifier(split, extra, cell.clf_da, strength, cell.classifier, member)
        for member in range(cell.classifier_seeds)
    )
    return Measure(classifiers, TestImages(cell.dataset))
