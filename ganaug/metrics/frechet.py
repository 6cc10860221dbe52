"""Fréchet distance between the Gaussians of two feature sets (Heusel et al. 2017, arXiv:1706.08500): FID's formula.

    |m1 - m2|² + tr(S1 + S2 - 2 (S1 S2)^½),  covariances with ddof 1

No matrix square root is taken. With S1 = AᵀA and S2 = BᵀB the eigenvalues of S1 S2 are the squared singular values
of ABᵀ, so that the trace of the root is their sum. Factors come from the features by QR, which never squares them:
singular covariances (fewer images than features, dead features) are exact to rounding, where a general root or the
eigenvalues of S1 S2 lose half the digits.
"""

import numpy as np
from scipy.linalg import svdvals

from ganaug.metrics.checks import checked, same_width


def _factor(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,) and a factor A (min(N, d), d) with AᵀA the covariance, ddof 1, of (N, d)."""
    mean = features.mean(0)
    return mean, np.asarray(np.linalg.qr((features - mean) / np.sqrt(len(features) - 1), mode="r"))


def frechet_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Fréchet distance, at least 0, of features (N, d) and (M, d), at least two images each.

    In squared units of the features. Biased upwards, the more the fewer images and the more features: compare only
    values from equal N and M. Raises TooFewImages, and ValueError for widths that differ or numbers that are not
    finite.
    """
    one, other = (checked(x, 2, "a Fréchet distance") for x in (one, other))
    same_width(one, other)
    (mean1, a), (mean2, b) = _factor(one), _factor(other)
    distance = ((mean1 - mean2) ** 2).sum() + (a**2).sum() + (b**2).sum() - 2 * svdvals(a @ b.T).sum()
    return max(0.0, float(distance))  # rounding may leave it a little below
