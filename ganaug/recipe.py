"""The augmentation recipe: one image's way from a data set to a record, as stages. The whole story on one screen."""

from dataclasses import dataclass

from ganaug import specs
from ganaug.stages import Augment, FitClassifier, FitGan, Measure, Select, Split, TestImages, TrainImages


@dataclass(frozen=True)
class Cell:
    """One value of every factor, with the specs they act on."""

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


def recipe(cell: Cell) -> Measure:
    """load → split → augment → fit GAN → pool → select → mix and fit classifiers → measure.

    A cell without generated images has no GAN, no pool and no threshold: whatever they say, it is the same cell.
    """
    split = Split(TrainImages(cell.dataset), cell.n_real, cell.n_validation, cell.seed)
    generated = None
    if cell.n_gen:
        images: Split | Augment = split
        if cell.gan_da:
            n_da = cell.n_real if cell.n_da is None else cell.n_da
            images = Augment(split, cell.gan_da, n_da, cell.augmentation)
        generated = Select(FitGan(images, cell.gan, cell.seed), cell.pool, cell.threshold, cell.n_gen)
    strength = cell.augmentation if cell.clf_da else specs.AugmentationSpec()
    classifiers = tuple(
        FitClassifier(split, generated, cell.clf_da, strength, cell.classifier, member)
        for member in range(cell.classifier_seeds)
    )
    return Measure(classifiers, TestImages(cell.dataset))
