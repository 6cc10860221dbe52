"""The plainest rule: keep what has at least the stated score."""

import numpy as np


def accept(scores: np.ndarray, threshold: float) -> np.ndarray:
    """Which scores pass; threshold 0 passes every image. (…,) in [0, 1] -> bool of the same shape."""
    return scores >= threshold
