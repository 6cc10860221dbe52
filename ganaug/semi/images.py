"""Which images are labelled where the draw is not stratified, and which ones a method sees without a label."""

import numpy as np

from ganaug.artifact import Artifact
from ganaug.errors import UserError
from ganaug.randomness import numpy_rng


def _rest(train: Artifact, taken: np.ndarray, seed: int, purpose: str) -> np.ndarray:
    """Places of the training images whose ids are not among `taken`, in a seed's order."""
    free = np.flatnonzero(~np.isin(train.arrays["ids"], taken))
    return numpy_rng(seed, purpose).permutation(free)


def random_labels(train: Artifact, split: Artifact, seed: int) -> Artifact:
    """As many labelled images as the split has, drawn from all classes together; its validation images stay.

    Nothing sees to it that every class is among them. The draws of one seed are nested.
    """
    n = len(split.arrays["real_labels"])
    at = _rest(train, split.arrays["validation_ids"], seed, "random labels")[:n]
    names = {"real": "images", "real_labels": "labels", "real_ids": "ids"}
    return Artifact(split.arrays | {name: train.arrays[own][at] for name, own in names.items()}, split.facts)


def unlabelled(train: Artifact, labelled: Artifact, n: int, seed: int) -> Artifact:
    """`n` further training images without their labels, `images` (n, C, H, W) and `ids`; fewer if there are no more.

    Neither labelled nor validation images are among them. They are drawn without a look at their classes: who has no
    labels cannot balance them. UserError where there is none.
    """
    taken = np.concatenate([labelled.arrays["real_ids"], labelled.arrays["validation_ids"]])
    at = _rest(train, taken, seed, "unlabelled")[:n]
    if not len(at):
        raise UserError("n_real: no training image is left to be unlabelled; take fewer")
    return Artifact({"images": train.arrays["images"][at], "ids": train.arrays["ids"][at]}, {"wanted": n})
