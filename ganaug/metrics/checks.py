"""What every metric asks of the numbers it is given."""

import numpy as np

Random = np.random.Generator | np.random.RandomState
"""What draws subsets: a Generator; or a seeded RandomState, with which torch-fidelity's subsets can be had again."""


class TooFewImages(ValueError):
    """A metric that these few images do not define."""


def checked(features: np.ndarray, least: int, metric: str) -> np.ndarray:
    """`features` (N, d) of any real dtype as float64.

    Raises ValueError unless finite and two-dimensional, TooFewImages for fewer than `least` images.
    """
    if features.ndim != 2:
        raise ValueError(f"{metric} takes arrays (N, d), got shape {features.shape}")
    if len(features) < least:
        raise TooFewImages(f"{metric} needs at least {least} images of each kind, got {len(features)}")
    if not np.isfinite(features).all():
        raise ValueError(f"{metric} takes finite numbers, got NaN or infinity")
    return features.astype(np.float64)


def same_width(one: np.ndarray, other: np.ndarray) -> None:
    """ValueError unless two feature arrays (N, d) have the same d."""
    if one.shape[1] != other.shape[1]:
        raise ValueError(f"features must have the same width, got {one.shape[1]} and {other.shape[1]}")
