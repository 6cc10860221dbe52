"""Is there no effect worth having? Two one-sided paired t-tests (TOST).

A difference that is not significant is not yet no difference. TOST turns the burden round: its null is that
the true mean difference is at least `margin` away from 0, so a small p is evidence for "inside ±margin".
p < 0.05 is the same statement as "the 90 % t-interval lies inside ±margin". Schuirmann (1987), J. Pharmacokinetics
and Biopharmaceutics 15; Lakens (2017), Social Psychological and Personality Science 8.
"""

import numpy as np
from scipy.special import stdtr  # Student's t: its distribution function

from analysis.statistics.moments import moments


def equivalence_p(differences: np.ndarray, margin: float) -> np.ndarray:
    """p of "the mean difference lies inside ±margin", the larger of the two one-sided ones.

    `differences` (..., n_seeds) float, NaN where a pair is missing; `margin` > 0 in the same units. Returns
    float (...), in [0, 1]; NaN with fewer than two seeds and where the differences do not differ. n - 1
    degrees of freedom. ValueError for a margin that is not positive.
    """
    if not margin > 0:
        raise ValueError(f"margin must be > 0, got {margin}")
    found = moments(differences)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = (margin - np.abs(found.mean)) / found.error  # of the mean from the nearer margin
        p = stdtr(np.maximum(found.df, 1), -distance)
    return np.where(found.testable, p, np.nan)
