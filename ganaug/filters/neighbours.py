"""Score by the place of an image among the real ones of its class, in a feature space.

realism: Kynkäänniemi et al. 2019, arXiv:1904.06991 (eq. 3), the largest ratio of a real image's radius to its
distance; at least 1 inside some real ball.  density: Naeem et al. 2020, arXiv:2002.09797, how many real balls hold the
image, over k; 1 on average for a fresh real one. A ball reaches to the k-th nearest real neighbour. Both are mapped to
[0, 1] by x / (1 + x): 1/2 is the rim of the real images in realism, and as dense as they are in density.
"""

import numpy as np
from scipy.spatial.distance import cdist

from ganaug.metrics.neighbours import radii


def realism(features: np.ndarray, real: np.ndarray, k: int) -> np.ndarray:
    """(N,) of features (N, d) against real ones (M, d): max over real r of radius_k(r) / |x - r|.

    Radii above their median are left out, as in the paper: an outlier's ball says little.
    """
    own = radii(real, min(k, len(real) - 1))
    trusted = own <= np.median(own)
    apart = cdist(features, real[trusted])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = own[trusted] / apart
    ratio[apart == 0] = np.inf  # a copy is as realistic as can be
    return ratio.max(1)


def density(features: np.ndarray, real: np.ndarray, k: int) -> np.ndarray:
    """(N,) of features (N, d): the number of the balls of real ones (M, d) that an image lies in, over k."""
    k = min(k, len(real) - 1)
    return (cdist(features, real) <= radii(real, k)).sum(1) / k


MEASURES = {"realism": realism, "density": density}


def score(features: np.ndarray, real: np.ndarray, real_labels: np.ndarray, measure: str, k: int) -> np.ndarray:
    """Float32 (classes, N) of features (classes, N, d), each class against its own real images (M, d).

    A class with k real images or fewer has its balls reach to the farthest of them; one with a single image has none,
    and every score there is 1/2.
    """
    each = []
    for label, own in enumerate(features):
        among = real[real_labels == label]
        value = MEASURES[measure](own, among, k) if len(among) > 1 else np.ones(len(own))
        with np.errstate(invalid="ignore"):
            each.append(np.where(np.isinf(value), 1.0, value / (1 + value)))
    return np.stack(each).astype(np.float32)
