"""Mean and standard error of paired differences: the one place that says what counts as a spread.

A difference is arm minus control of one seed. Missing pairs are NaN and are left out. Standard deviations
have ddof 1. Differences that agree up to rounding have sd 0: they carry no spread to judge by, and no test
in this package says anything about them.
"""

from dataclasses import dataclass

import numpy as np

_ROUNDING = 1e-12  # relative; the same as in `analysis.paired`


@dataclass(frozen=True)
class Moments:
    """n (seeds that have a difference) and df (n - 1, 0 for n 0) int, mean, sd, error (sd / √n) float, each
    of the shape of the differences without its last axis. NaN where there are too few seeds.
    """

    n: np.ndarray
    df: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    error: np.ndarray

    @property
    def testable(self) -> np.ndarray:
        """Two or more seeds that differ, bool."""
        return self.sd > 0


def moments(differences: np.ndarray) -> Moments:
    """Moments over the last axis (seeds) of `differences` (..., n_seeds) float, NaN where a pair is missing.

    ValueError without a seed axis, and for infinite values.
    """
    values = np.asarray(differences, float)
    if values.ndim == 0 or np.isinf(values).any():
        raise ValueError("differences must be an array (..., n_seeds) of finite numbers or NaN")
    there = ~np.isnan(values)
    n = there.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, values, 0).sum(-1) / np.where(n > 0, n, np.nan)
        squares = np.where(there, (values - mean[..., None]) ** 2, 0).sum(-1)
        sd = np.sqrt(squares / np.where(n > 1, n - 1, np.nan))
        sd = np.where(sd <= _ROUNDING * np.maximum(1.0, np.abs(mean)), 0.0, sd)
        return Moments(n, np.maximum(n - 1, 0), mean, sd, sd / np.sqrt(n))
