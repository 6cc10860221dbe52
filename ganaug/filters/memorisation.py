"""Score by distance from the training images: refuses copies, which teach nothing and may tell who was in the data.

How near is too near, fresh real images say: an image's score is the share of validation images of its class that lie
nearer to the training images than it does, the per-image form of Meehan et al. 2020, arXiv:2004.05675. Threshold
0.05 refuses what is nearer than all but the nearest 5 % of fresh images; with M validation images in a class, no step
is finer than 1 / M.
"""

import numpy as np

from ganaug.metrics.copying import nearest


def distances(images: np.ndarray, real: np.ndarray, real_labels: np.ndarray) -> np.ndarray:
    """To the nearest training image of the own class, in grey levels: (classes, N) of uint8 (classes, N, C, H, W)."""
    return np.stack([nearest(own, real[real_labels == label])[0] for label, own in enumerate(images)])


def score(apart: np.ndarray, fresh: np.ndarray, fresh_labels: np.ndarray) -> np.ndarray:
    """Float32 (classes, N): the share of a class's fresh distances (M,) below each of `apart` (classes, N); ties half.

    A class without validation images is held against those of all classes.
    """
    out = np.empty(apart.shape, np.float32)
    for label, own in enumerate(apart):
        among = np.sort(fresh[fresh_labels == label] if (fresh_labels == label).any() else fresh)
        low, high = np.searchsorted(among, own, "left"), np.searchsorted(among, own, "right")
        out[label] = (low + high) / (2 * len(among))
    return out
