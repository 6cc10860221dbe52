"""The controls: extra images that are no new ones, that tell lies, or that are what a generator can only hope to match.

What a study's gain is worth shows against them: *duplicated* real images change nothing but the number of images (the
placebo), *shuffled* labels leave the images and take away what they teach, *more real* images are the oracle. Each
gives images uint8 (N, C, H, W), labels (N,) and ids (N,), and counts per class like a selection from a generator.
"""

import numpy as np

from ganaug.artifact import Artifact
from ganaug.randomness import numpy_rng
from ganaug.split import shuffled


def _facts(counts: list[int], wanted: int) -> dict[str, object]:
    return {"accepted": counts, "candidates": counts, "wanted": wanted}


def duplicate(split: Artifact, n: int) -> Artifact:
    """`n` copies per class of the split's real images, in turn: each as often as any other, give or take one."""
    labels = split.arrays["real_labels"]
    own = [np.flatnonzero(labels == label) for label in range(len(split.facts["classes"]))]
    at = np.concatenate([np.resize(places, n) for places in own])
    copies = {"images": split.arrays["real"][at], "labels": labels[at], "ids": split.arrays["real_ids"][at]}
    return Artifact(copies, _facts([n] * len(own), n))


def shuffle(generated: Artifact, seed: int) -> Artifact:
    """The same images, their labels dealt out anew: as many of each class, and none to do with its image.

    `labels_of` (N,) says whose label each image got, so that what a judge says of an image is dealt out with it.
    """
    labels = generated.arrays["labels"]
    order = numpy_rng(seed, "shuffled labels").permutation(len(labels))
    return Artifact({**generated.arrays, "labels": labels[order], "labels_of": order}, generated.facts)


def more_real(train: Artifact, n_real: int, n_validation: int, seed: int, n: int) -> Artifact:
    """The `n` real images per class that follow a split's first `n_real`; fewer where a class has no more."""
    images, labels, ids = (train.arrays[k] for k in ("images", "labels", "ids"))
    own = [
        shuffled(labels, label, seed)[n_validation:][::-1][n_real : n_real + n]
        for label in range(len(train.facts["classes"]))
    ]
    at = np.concatenate(own)
    return Artifact({"images": images[at], "labels": labels[at], "ids": ids[at]}, _facts([len(o) for o in own], n))
