"""From paired differences to one of four words.

*helps*: the t-interval lies above 0. *hurts*: below 0. *no effect*: neither, and equivalence within ±margin
is shown (TOST; its interval is the one of level 2·level - 1, 90 % for 95 %). *cannot tell yet*: all else, one
seed and seeds that do not differ included. A gain can be real and smaller than the margin: it is still called
*helps*, and `p_equivalence` says that it is small. The words are of one contrast by itself: whoever looks at
many corrects them (`analysis.paired.holm`).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit  # Student's t: its distribution function and its quantile

from analysis.statistics.equivalence import equivalence_p
from analysis.statistics.moments import moments

Verdict = Literal["helps", "hurts", "no effect", "cannot tell yet"]


@dataclass(frozen=True)
class Decision:
    """mean, low, high, half (the interval is mean ± half) in the units of the differences; p against 0, two-
    sided; p_equivalence of |mean| < margin; n seeds with df degrees of freedom. With one seed low, high, half
    and both p are NaN; with seeds that do not differ half is 0 and both p are NaN.
    """

    verdict: Verdict
    mean: float
    low: float
    high: float
    half: float
    p: float
    p_equivalence: float
    n: int
    df: int


def decide_all(differences: np.ndarray, margin: float, level: float = 0.95) -> pd.DataFrame:
    """A row per setting of `differences` (settings, n_seeds), NaN where a pair is missing; the columns are the
    fields of `Decision`.

    ValueError for another shape, a margin that is not positive, or a level outside (0.5, 1).
    """
    if np.ndim(differences) != 2:
        raise ValueError(f"differences must be (settings, n_seeds), got {np.ndim(differences)} dimensions")
    if not 0.5 < level < 1:
        raise ValueError(f"level must lie in (0.5, 1), got {level}")
    found = moments(differences)
    df, with_df = np.maximum(found.df, 1), found.df > 0
    half = np.where(with_df, stdtrit(df, (1 + level) / 2) * found.error, np.nan)
    low, high = found.mean - half, found.mean + half
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(found.testable, 2 * stdtr(df, -np.abs(found.mean / found.error)), np.nan)
    p_equivalence = equivalence_p(differences, margin)
    says = [found.testable & (low > 0), found.testable & (high < 0), p_equivalence < 1 - level]
    verdict = np.select(says, ["helps", "hurts", "no effect"], "cannot tell yet")
    values = {"verdict": verdict, "mean": found.mean, "low": low, "high": high, "half": half, "p": p}
    return pd.DataFrame({**values, "p_equivalence": p_equivalence, "n": found.n, "df": found.df})


def decide(differences: np.ndarray, margin: float, level: float = 0.95) -> Decision:
    """The verdict over `differences` (n_seeds,) float, arm minus control paired by seed, NaN where missing.

    `margin` > 0, the half-width of "no effect", in the same units. A paired t-test (Student 1908) and TOST
    (Schuirmann 1987), n - 1 degrees of freedom. ValueError as in `decide_all`.
    """
    row = decide_all(np.asarray(differences, float)[None], margin, level).iloc[0]
    return Decision(**{str(name): value for name, value in row.to_dict().items()})
