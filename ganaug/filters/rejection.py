"""Discriminator rejection sampling: accept with probability proportional to the density ratio real : generated.

Azadi et al. 2019, arXiv:1810.06758. A calibrated discriminator's p / (1 - p) is that ratio, so what is accepted is
distributed as the real images are. `threshold` tempers it: an image is accepted with probability (ratio / largest) **
threshold, so that 0 keeps every image and 1 is the exact method.
"""

import numpy as np
from scipy.special import expit, logit

EPSILON = 1e-6


def log_ratio(probabilities: np.ndarray) -> np.ndarray:
    """Log density ratio real : generated of calibrated probabilities of being real."""
    return logit(np.clip(probabilities.astype(np.float64), EPSILON, 1 - EPSILON))


def largest(ratio: np.ndarray, burn_in: int) -> np.ndarray:
    """The largest value known when each candidate of (classes, N) is decided on, as in the paper's Algorithm 1.

    That is the largest of the first `burn_in`, raised by every later one above it.
    """
    so_far = np.maximum.accumulate(ratio, axis=1)
    first = min(burn_in, ratio.shape[1])
    so_far[:, :first] = so_far[:, first - 1 : first]
    return so_far


def accept(
    probabilities: np.ndarray, threshold: float, draws: np.ndarray, burn_in: int, gamma: float | None = None
) -> np.ndarray:
    """Bool (classes, N) of calibrated probabilities and uniform draws in [0, 1), both (classes, N).

    gamma: the paper's percentile, which trades fidelity for acceptance: F - percentile(F) in the place of F, with
    F = log(1 / (largest / ratio - 1)) and the percentile that of the first `burn_in`; None is 0, the exact probability.
    """
    ratio = threshold * log_ratio(probabilities)
    gap = ratio - largest(ratio, burn_in)  # log of the exact probability, at most 0
    if gamma is None or threshold == 0:
        return draws < np.exp(gap)
    hard = gap - np.log(-np.expm1(gap - EPSILON))
    return draws < expit(hard - np.quantile(hard[:, :burn_in], gamma, axis=1, keepdims=True))
