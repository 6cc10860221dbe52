"""Keep the best share of each class, whatever the scores are: every class gets its quota, none starves.

A ranking has to know whom it ranks: threshold t ranks n / (1 - t) candidates for n images, or all there are where the
stream ends first; threshold 1 ranks all there are. The counts in a record tell the share that was kept. The best k by
the discriminator: Sinha et al. 2020, "Top-k Training of GANs", arXiv:2002.06224.
"""

import math

import numpy as np


def candidates(n: int, threshold: float, most: int) -> int:
    """How many candidates of a class are ranked for n images: the share 1 - threshold is kept; `most` at most."""
    return min(most, math.ceil(n / (1 - threshold) - 1e-9)) if threshold < 1 else most


def best(scores: np.ndarray, passed: np.ndarray, n: int, threshold: float, most: int) -> np.ndarray:
    """The n best of a class's first candidates that passed the other filters, (N,) bool; equals by their place.

    scores: (N,) in [0, 1]; passed: (N,) bool.
    """
    ranked = np.flatnonzero(passed)[: candidates(n, threshold, most)]
    order = np.argsort(-scores[ranked], kind="stable")
    out = np.zeros(len(scores), np.bool_)
    out[ranked[order[:n]]] = True
    return out
