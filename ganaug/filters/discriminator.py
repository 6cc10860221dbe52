"""Score by the GAN's own discriminator, calibrated: the founding study's filter.

Calibration makes one threshold mean the same under every loss (`ganaug/filters/calibration.py`).
"""

import numpy as np

from ganaug.filters.calibration import Calibration, by_class


def score(raw: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Calibrated probability of being real, float32 (classes, N), of raw discriminator scores (classes, N)."""
    return by_class(raw, calibration)
