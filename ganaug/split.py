"""The splits: fixed test images, then per seed disjoint validation and nested, class-balanced real subsets."""

import numpy as np

from ganaug.artifact import Artifact
from ganaug.datasets.dataset import Dataset
from ganaug.errors import UserError
from ganaug.randomness import numpy_rng


def hold_out(dataset: Dataset, test_per_class: int | None) -> np.ndarray:
    """Which images are the test set, (N,) bool: the official ones, or `test_per_class` of each class held out once.

    It depends on the data set alone, never on a study's seeds. A number for a set with an official test set draws from
    all images together.
    """
    if test_per_class is None:
        if dataset.test is None:
            raise UserError(
                f"dataset {dataset.name}: has no official test images; say how many to hold out per class with "
                "dataset.test_per_class"
            )
        return dataset.test
    held = np.zeros(len(dataset.labels), np.bool_)
    for label, name in enumerate(dataset.classes):
        own = np.flatnonzero(dataset.labels == label)
        if len(own) <= test_per_class:
            raise UserError(
                f"dataset.test_per_class: class {name!r} of {dataset.name} has {len(own)} images, "
                f"so at most {max(len(own) - 1, 0)} can be held out, got {test_per_class}"
            )
        held[numpy_rng(0, "test", label).permutation(own)[:test_per_class]] = True
    return held


def shuffled(labels: np.ndarray, label: int, seed: int) -> np.ndarray:
    """Places of a class's images in a seed's order: validation is taken from the front, real from the back."""
    return numpy_rng(seed, "split", label).permutation(np.flatnonzero(labels == label))


def split(train: Artifact, n_real: int, n_validation: int, seed: int) -> Artifact:
    """Real and validation images of every class, with ids that are places in the imported data set.

    Per class one shuffle: validation takes it from the front and real from the back, so that neither moves when the
    other grows and the real subsets of one seed are nested.
    """
    images, labels, ids = (train.arrays[k] for k in ("images", "labels", "ids"))
    real, validation = [], []
    for label in range(len(train.facts["classes"])):
        order = shuffled(labels, label, seed)
        if len(order) < n_validation + n_real:
            raise UserError(
                f"n_real: class {train.facts['classes'][label]!r} has {len(order)} images outside the test set; "
                f"with {n_validation} for validation at most {max(len(order) - n_validation, 0)} are left, got {n_real}"
            )
        validation.append(order[:n_validation])
        real.append(order[::-1][:n_real])
    out: dict[str, np.ndarray] = {}
    for name, places in (("real", np.concatenate(real)), ("validation", np.concatenate(validation))):
        out |= {name: images[places], f"{name}_labels": labels[places], f"{name}_ids": ids[places]}
    return Artifact(out, train.facts)
