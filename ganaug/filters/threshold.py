"""Filter by the discriminator: keep what it takes for real with at least the stated, calibrated, probability.

The founding study's filter; the score is calibrated so that one threshold means the same under every loss.
"""

import numpy as np


def accept(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """Which of (N,) calibrated probabilities pass; threshold 0 passes every image. (N,) bool."""
    return probabilities >= threshold
